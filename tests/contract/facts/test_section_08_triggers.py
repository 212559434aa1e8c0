"""Triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.facts.calls_of_facts import SOURCE_IMAGE, TRIGGER
from tests.contract.image_builder.calls import ONE, create

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

FACTS = {
    "put, shown and deleted as recorded": (
        "contract/image_builder/test_triggers.py::test_a_trigger_is_put_shown_and_deleted"
    ),
    "no status at first, nine digits later": (
        "unit/aib_emulator/services/image_builder/test_trigger.py::test_a_new_trigger_has_no_status"
    ),
    "bodies as recorded": "test_a_trigger_as_recorded",
    "one of an image template, a hundred of a region": (
        "unit/aib_emulator/services/image_builder/test_trigger.py::test_one_trigger_too_many_is_refused"
    ),
    "the source must be at latest": (
        "unit/aib_emulator/services/image_builder/test_trigger.py::test_a_source_that_stays_is_refused"
    ),
    "no pinned version, no circle": (
        "unit/aib_emulator/services/image_builder/test_trigger.py::test_a_distributor_that_cannot_repeat_is_refused"
    ),
    "the image template must be there": (
        "contract/image_builder/test_triggers.py::test_a_trigger_needs_an_image_template_that_is_there"
    ),
    "the kind is SourceImage": (
        "unit/aib_emulator/services/image_builder/test_trigger.py::test_another_kind_is_refused"
    ),
    "failures switch it off": (
        "contract/image_builder/test_triggers.py::test_failures_switch_a_trigger_off_until_a_run_by_hand_succeeds"
    ),
}


def test_a_trigger_as_recorded(raw: RawArm) -> None:
    """Creating without a status, then Healthy; lists have no link, and absent ones answer 204."""
    create(raw)
    first = raw.send("PUT", TRIGGER, SOURCE_IMAGE).json()
    assert first["properties"] == {"kind": "SourceImage", "provisioningState": "Creating"}
    assert list(first) == ["properties", "id", "name", "type"]
    raw.thread.control.advance(2)
    shown = raw.send("GET", TRIGGER).json()
    status = shown["properties"].pop("status")
    assert (status["code"], status["message"]) == ("Healthy", "Trigger is active")
    assert shown["type"] == "Microsoft.VirtualMachineImages/imageTemplates/triggers"
    assert list(raw.send("GET", f"{ONE}/triggers").json()) == ["value"]
    assert raw.send("DELETE", f"{TRIGGER}-absent").status_code == 204
