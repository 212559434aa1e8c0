"""Gallery versions as the source of image templates: they must be where the image template is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import (
    BASE,
    ONE,
    TO_VHD,
    create,
    document,
    from_gallery,
    last_run_status,
    put_version,
)
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import GROUP

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Stop the clock."""
    emulator.control.set_scale(0)
    return RawArm(emulator)


def exact_version(raw: RawArm) -> str:
    """Return the number of the version that the image template's source stands for."""
    found: str = raw.send("GET", ONE).json()["properties"]["source"]["exactVersion"]
    return found.rpartition("/")[2]


@pytest.mark.parametrize("version", ["1.0.0", "latest"])
def test_a_version_elsewhere_is_none(raw: RawArm, version: str) -> None:
    """The creation of an image template in East US fails when its source is in West US alone."""
    put_version(raw, "1.0.0", location="westus")
    raw.thread.control.advance(500)
    sent = document(raw.settings.subscription_id, source=from_gallery(raw, version), distribute=[TO_VHD])
    raw.send("PUT", ONE, sent)
    raw.thread.control.advance(60)
    error = raw.send("GET", ONE).json()["properties"]["provisioningError"]
    assert error["provisioningErrorCode"] == "BadSharedImageVersionSource"
    assert "ResourceNotFound" in error["message"]


def test_the_latest_is_the_newest_in_the_region(raw: RawArm) -> None:
    """Newer ones in other regions, or excluded in this one, do not count."""
    put_version(raw, "1.0.0")
    put_version(raw, "2.0.0", location="westus")
    put_version(raw, "3.0.0", targetRegions=[{"name": "eastus", "excludeFromLatest": True}, {"name": "westus"}])
    raw.thread.control.advance(1000)
    create(raw, source=from_gallery(raw), distribute=[TO_VHD])
    assert exact_version(raw) == "1.0.0"


def test_a_run_needs_its_source_in_the_region_still(raw: RawArm) -> None:
    """A version that has been taken out of the region since fails the run."""
    put_version(raw, "1.0.0", location="westus", targetRegions=[{"name": "westus"}, {"name": "eastus"}])
    raw.thread.control.advance(1000)
    create(raw, source=from_gallery(raw, "1.0.0"), distribute=[TO_VHD])
    change = {"properties": {"publishingProfile": {"targetRegions": [{"name": "westus"}]}}}
    path = f"/resourceGroups/{GROUP}{BASE}/versions/1.0.0"
    assert raw.send("PATCH", path, change, api_version="2024-03-03").status_code == 200
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert last_run_status(raw)["runState"] == "Failed"
