"""Triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.facts.calls_of_facts import SOURCE_IMAGE, TRIGGER
from tests.contract.image_builder.calls import ONE, create

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


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
