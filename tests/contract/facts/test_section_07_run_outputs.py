"""Run outputs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.contract.image_builder.calls import ONE, TO_VHD, create, to_gallery

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

FACTS = {
    "an artifact for each distributor": (
        "contract/image_builder/test_runs.py::test_a_run_makes_what_the_distributors_ask_for"
    ),
    "an id or an address": (
        "unit/aib_emulator/services/image_builder/test_resources.py::test_a_run_output_has_an_id_or_an_address"
    ),
    "those of the last run": "contract/image_builder/test_runs.py::test_run_outputs_are_those_of_the_last_run",
    "lists have pages": "contract/image_builder/test_wire.py::test_effects_are_there_when_the_state_is",
    "members and their order": "test_members_of_a_run_output",
    "the default place and stamp of a VHD": "test_where_a_vhd_lies",
    "a VHD at a place of its own": "contract/image_builder/test_runs.py::test_a_vhd_can_go_to_a_place_of_ones_own",
    "automatic version numbers": (
        "unit/aib_emulator/services/image_builder/test_image_versions.py::test_versions_are_numbered_by_time"
    ),
    "one that comes after the failure": "contract/control/test_courses.py::test_success_can_come_after_the_failure",
    "schemes of versioning": (
        "unit/aib_emulator/services/image_builder/test_image_versions.py::test_versioning_schemes"
    ),
    "a missing one is not found, with an unknown code": (
        "contract/image_builder/test_choices.py::test_what_is_chosen_is_answered"
    ),
}


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
