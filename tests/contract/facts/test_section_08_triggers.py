"""Triggers."""

from __future__ import annotations

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import EmulatorSettings
from tests.contract.facts.calls_of_facts import SOURCE_IMAGE, TRIGGER
from tests.contract.image_builder.calls import IMAGE_TEMPLATES, ONE, TO_VHD, create, document
from tests.contract.raw_arm import RawArm


def test_a_region_has_a_number_of_triggers() -> None:
    """One more than a hundred is refused; another region has its own hundred. Here it is two, for the sake of time."""
    with EmulatorThread(EmulatorSettings(triggers_in_a_region=2)) as thread:
        thread.control.set_scale(0)
        raw = RawArm(thread)
        for name, location in (("a", "eastus"), ("b", "eastus"), ("c", "eastus"), ("d", "westus")):
            body = document(raw.settings.subscription_id, distribute=[TO_VHD])
            raw.send("PUT", f"{IMAGE_TEMPLATES}/{name}", {**body, "location": location})
        thread.control.advance(60)
        puts = [raw.send("PUT", f"{IMAGE_TEMPLATES}/{name}/triggers/t", SOURCE_IMAGE) for name in "abcd"]
    assert [answer.status_code for answer in puts] == [201, 201, 400, 201]
    assert "2 triggers in a region at most" in puts[2].json()["error"]["message"]


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
