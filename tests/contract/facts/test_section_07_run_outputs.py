"""Run outputs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.contract.image_builder.calls import ONE, TO_VHD, create, to_gallery

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def outputs(raw: RawArm) -> list[dict[str, Any]]:
    """Build a VHD and a version, and return the run outputs."""
    create(raw, distribute=[TO_VHD, to_gallery(raw.settings.subscription_id)])
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(600)
    found: list[dict[str, Any]] = raw.send("GET", f"{ONE}/runOutputs").json()["value"]
    return found


def test_members_of_a_run_output(raw: RawArm) -> None:
    """Properties, id with a small g, name and type; the version's path has /versions/."""
    _, version = outputs(raw)
    assert list(version) == ["properties", "id", "name", "type"]
    assert list(version["properties"]) == ["artifactId", "provisioningState"]
    assert version["properties"]["provisioningState"] == "Succeeded"
    assert re.search(
        r"/resourceGroups/images/.*/images/linux-base/versions/0\.\d+\.\d+$", version["properties"]["artifactId"]
    )
    assert "/resourcegroups/images/" in version["id"]
    assert version["type"] == "Microsoft.VirtualMachineImages/imageTemplates/runOutputs"


def test_where_a_vhd_lies(raw: RawArm) -> None:
    """In the container vhds of the staging account, named after a stamp of fourteen digits, without a signature."""
    vhd, _ = outputs(raw)
    assert "artifactId" not in vhd["properties"]
    assert re.search(r"/[a-z0-9]{24}/vhds/\w+_\d{14}\.vhd$", vhd["properties"]["artifactUri"])
