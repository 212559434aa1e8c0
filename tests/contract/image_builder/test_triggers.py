"""Image templates' own triggers: put and shown with the real SDK, and firing by the emulated clock."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.arm.locations import short_name
from tests.contract.image_builder.calls import (
    BASE,
    IMAGE_TEMPLATES,
    NAME,
    ONE,
    TO_VHD,
    Builder,
    as_json,
    create,
    document,
    from_gallery,
    last_run_status,
    put_version,
    to_gallery,
)
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

TRIGGER = f"{ONE}/triggers/trg1"
KIND = {"properties": {"kind": "SourceImage"}}
UBUNTU = ("Canonical", "UbuntuServer", "18.04-LTS")


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Stop the clock."""
    emulator.control.set_scale(0)
    return RawArm(emulator)


def put_trigger(raw: RawArm, path: str = TRIGGER) -> None:
    """Put a trigger, and let its creation end."""
    answer = raw.send("PUT", path, KIND)
    assert answer.status_code == 201, answer.text
    raw.thread.control.advance(10)


def publish(raw: RawArm, version: str) -> None:
    """Publish a marketplace version, and let everything happen that is due at once."""
    raw.thread.control.publish_platform_version(*UBUNTU, version)
    raw.thread.control.advance(1)


def properties_of(raw: RawArm, path: str = ONE) -> dict[str, Any]:
    """Return the properties of an image template or trigger."""
    found: dict[str, Any] = raw.send("GET", path).json()["properties"]
    return found


def runs_of(raw: RawArm, name: str = NAME) -> int:
    """Return how many runs an image template has seen."""
    return sum(run["image_template_id"].endswith(f"/{name}") for run in raw.thread.control.runs())


async def test_a_trigger_is_put_shown_and_deleted(builder: Builder) -> None:
    """A trigger is active once its creation is over, and gone once its deletion is."""
    triggers = builder.client.triggers
    await builder.create(distribute=[TO_VHD])
    made = as_json(await finished(triggers.begin_create_or_update(GROUP, NAME, "trg1", KIND)))
    assert made["type"] == "Microsoft.VirtualMachineImages/imageTemplates/triggers"
    properties = made["properties"]
    assert (properties["kind"], properties["provisioningState"]) == ("SourceImage", "Succeeded")
    assert (properties["status"]["code"], properties["status"]["message"]) == ("Healthy", "Trigger is active")
    shown = as_json(await done(triggers.get(GROUP, NAME, "TRG1")))
    assert shown == made
    assert [as_json(found) for found in await every(triggers.list_by_image_template(GROUP, NAME))] == [made]
    await finished(triggers.begin_delete(GROUP, NAME, "trg1"))
    with refused("ResourceNotFound", status=404):
        await done(triggers.get(GROUP, NAME, "trg1"))
    assert await every(triggers.list_by_image_template(GROUP, NAME)) == []
    await finished(triggers.begin_delete(GROUP, NAME, "trg1"))


async def test_a_trigger_that_is_there_stays(builder: Builder) -> None:
    """The same trigger put again is answered as it is; another kind is refused."""
    triggers = builder.client.triggers
    await builder.create(distribute=[TO_VHD])
    made = as_json(await finished(triggers.begin_create_or_update(GROUP, NAME, "trg1", KIND)))
    assert as_json(await finished(triggers.begin_create_or_update(GROUP, NAME, "trg1", KIND))) == made
    with refused("ValidationFailed", status=400):
        await finished(triggers.begin_create_or_update(GROUP, NAME, "trg1", {"properties": {"kind": "Schedule"}}))


async def test_a_second_trigger_is_refused(builder: Builder) -> None:
    """An image template has one trigger, whatever its name."""
    triggers = builder.client.triggers
    await builder.create(distribute=[TO_VHD])
    await finished(triggers.begin_create_or_update(GROUP, NAME, "trg1", KIND))
    with refused("ValidationFailed", status=400):
        await finished(triggers.begin_create_or_update(GROUP, NAME, "trg2", KIND))
    await finished(triggers.begin_delete(GROUP, NAME, "trg1"))
    await finished(triggers.begin_create_or_update(GROUP, NAME, "trg2", KIND))


def test_a_trigger_needs_an_image_template_that_is_there(raw: RawArm) -> None:
    """While it is created, after that has failed, and without any, no trigger is taken."""
    assert raw.send("PUT", TRIGGER, KIND).json()["error"]["code"] == "ResourceNotFound"
    raw.thread.control.plan_failure(kind="creation")
    raw.send("PUT", ONE, document(raw.settings.subscription_id))
    for state in ("creating", "failed"):
        answer = raw.send("PUT", TRIGGER, KIND)
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "OperationNotAllowed")
        assert f"imageTemplates/triggers/write is not allowed in provisioning state: {state}" in answer.text
        raw.thread.control.advance(60)


def test_a_pinned_source_is_refused(raw: RawArm) -> None:
    """The rules about sources are those of the service."""
    pinned = {**document("s")["properties"]["source"], "version": "18.04.202401161"}
    create(raw, source=pinned)
    answer = raw.send("PUT", TRIGGER, KIND)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationFailed")
    assert "version 'latest'" in answer.text


def test_a_name_that_cannot_be_is_refused(raw: RawArm) -> None:
    """A trigger's name has the letters and the length of an image template's."""
    create(raw)
    for name in ("a b", "a" * 65):
        answer = raw.send("PUT", f"{ONE}/triggers/{name}", KIND)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationFailed")


def test_a_trigger_while_it_is_deleted(raw: RawArm) -> None:
    """It shows, is deleted by the one operation, and cannot be put meanwhile."""
    create(raw)
    put_trigger(raw)
    first, second = raw.send("DELETE", TRIGGER), raw.send("DELETE", TRIGGER)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["x-ms-request-id"] == second.headers["x-ms-request-id"]
    assert properties_of(raw, TRIGGER)["provisioningState"] == "Deleting"
    assert raw.send("PUT", TRIGGER, KIND).json()["error"]["code"] == "OperationNotAllowed"
    raw.thread.control.advance(1)
    assert raw.send("GET", TRIGGER).status_code == 404
    assert raw.send("DELETE", TRIGGER).status_code == 204


@pytest.mark.parametrize(("method", "path"), [("PUT", TRIGGER), ("GET", TRIGGER), ("GET", f"{ONE}/triggers")])
def test_older_api_versions_know_no_triggers(raw: RawArm, method: str, path: str) -> None:
    """Before 2022-07-01 there is no such type."""
    create(raw)
    answer = raw.send(method, path, KIND, api_version="2022-02-14")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NoRegisteredProviderFound")


@pytest.mark.parametrize(("api_version", "status"), [("2023-07-01", 201), ("2024-02-01", 400)])
def test_unknown_members_are_refused_by_strict_api_versions(raw: RawArm, api_version: str, status: int) -> None:
    """From 2024-02-01 on a trigger's members are checked as an image template's are."""
    create(raw)
    body = {"properties": {**KIND["properties"], "schedule": "daily"}}
    assert raw.send("PUT", TRIGGER, body, api_version=api_version).status_code == status


def test_a_trigger_goes_with_its_image_template(raw: RawArm) -> None:
    """A new image template of the same name has no trigger."""
    create(raw)
    put_trigger(raw)
    raw.send("DELETE", ONE)
    raw.thread.control.advance(120)
    create(raw)
    assert raw.send("GET", f"{ONE}/triggers").json() == {"value": []}


def test_a_newer_marketplace_version_starts_a_run(raw: RawArm) -> None:
    """The run begins by itself, once for the version, and builds it."""
    create(raw)
    put_trigger(raw)
    assert runs_of(raw) == 0
    publish(raw, "18.04.209901010")
    assert last_run_status(raw)["runState"] == "Running"
    raw.thread.control.advance(2000)
    assert last_run_status(raw)["runState"] == "Succeeded"
    assert properties_of(raw)["source"]["exactVersion"] == "18.04.209901010"
    raw.thread.control.advance(100_000)
    assert runs_of(raw) == 1


@pytest.mark.parametrize("version", ["18.04.202306071", "18.04.202401161"])
def test_an_older_or_known_version_starts_nothing(raw: RawArm, version: str) -> None:
    """Only what `latest` comes to mean is new."""
    create(raw)
    put_trigger(raw)
    publish(raw, version)
    assert runs_of(raw) == 0


def test_other_images_start_nothing(raw: RawArm) -> None:
    """A trigger is about its own source."""
    create(raw)
    put_trigger(raw)
    raw.thread.control.publish_platform_version("Canonical", "UbuntuServer", "18_04-LTS-GEN2", "18.04.209901010")
    raw.thread.control.advance(1)
    assert runs_of(raw) == 0


def test_without_a_trigger_nothing_starts(raw: RawArm) -> None:
    """A new version is nobody's business, nor that of a trigger that was deleted."""
    create(raw)
    publish(raw, "18.04.209901010")
    put_trigger(raw)
    raw.send("DELETE", TRIGGER)
    publish(raw, "18.04.209901020")
    assert runs_of(raw) == 0


def test_a_version_is_waited_for_behind_a_run(raw: RawArm) -> None:
    """While a run goes on the trigger waits; at its end one run starts, for the newest version."""
    create(raw)
    put_trigger(raw)
    raw.send("POST", f"{ONE}/run")
    publish(raw, "18.04.209901010")
    publish(raw, "18.04.209901020")
    assert runs_of(raw) == 1
    raw.thread.control.advance(2000)
    assert runs_of(raw) == 2
    assert properties_of(raw)["source"]["exactVersion"] == "18.04.209901020"
    assert last_run_status(raw)["runState"] == "Succeeded"


def test_a_version_is_waited_for_behind_a_run_that_is_cancelled(raw: RawArm) -> None:
    """The end of a run is what counts, however it ends."""
    create(raw)
    put_trigger(raw)
    raw.send("POST", f"{ONE}/run")
    publish(raw, "18.04.209901010")
    raw.send("POST", f"{ONE}/cancel")
    raw.thread.control.advance(2000)
    assert runs_of(raw) == 2
    assert last_run_status(raw)["runState"] == "Succeeded"


def test_a_run_by_hand_takes_the_reason_away(raw: RawArm) -> None:
    """What somebody has built already is not built again by the trigger."""
    raw.thread.control.plan_failure(kind="hang", count=3)
    create(raw, buildTimeoutInMinutes=10)
    put_trigger(raw)
    for version in ("18.04.209901010", "18.04.209901020", "18.04.209901030"):
        publish(raw, version)
        raw.thread.control.advance(700)
    publish(raw, "18.04.209901040")
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert last_run_status(raw)["runState"] == "Succeeded"
    assert runs_of(raw) == 4


def test_failures_switch_a_trigger_off_until_a_run_by_hand_succeeds(raw: RawArm) -> None:
    """After several failures in a row nothing starts, and the trigger does not say so."""
    limit = raw.settings.trigger_failure_limit
    raw.thread.control.plan_failure(kind="customizer", count=limit)
    create(raw)
    put_trigger(raw)
    before = properties_of(raw, TRIGGER)
    for number in range(limit + 2):
        publish(raw, f"18.04.{209901010 + number}")
        raw.thread.control.advance(2000)
    assert (runs_of(raw), last_run_status(raw)["runState"]) == (limit, "Failed")
    assert properties_of(raw, TRIGGER) == before
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    publish(raw, "18.04.209902010")
    assert (runs_of(raw), last_run_status(raw)["runState"]) == (limit + 2, "Running")


def test_a_planned_failure_strikes_a_triggered_run(raw: RawArm) -> None:
    """Whoever starts a run, it goes as planned: here as one of the documented failures."""
    create(raw)
    put_trigger(raw)
    raw.thread.control.plan_failure(kind="catalogue", name="containers-quota")
    publish(raw, "18.04.209901010")
    raw.thread.control.advance(2000)
    status = last_run_status(raw)
    assert (runs_of(raw), status["runState"]) == (1, "Failed")
    assert "Azure Container Instances quota exceeded" in status["message"]


def test_a_trigger_does_not_wait_for_what_comes_late(raw: RawArm) -> None:
    """A run that has timed out is over, though its image still appears: the next version is built at once."""
    create(raw, buildTimeoutInMinutes=30)
    put_trigger(raw)
    raw.thread.control.plan_failure(kind="late_success", seconds=90_000)
    raw.send("POST", f"{ONE}/run")
    publish(raw, "18.04.209901010")
    raw.thread.control.advance(30 * 60)
    assert (runs_of(raw), last_run_status(raw)["runState"]) == (2, "Running")


def test_a_newer_gallery_version_starts_a_run(raw: RawArm) -> None:
    """The run begins once the version is replicated, and not for one that is excluded from latest."""
    put_version(raw, "1.0.0")
    raw.thread.control.advance(500)
    create(raw, source=from_gallery(raw))
    put_trigger(raw)
    put_version(raw, "1.2.0", excludeFromLatest=True)
    raw.thread.control.advance(500)
    assert runs_of(raw) == 0
    put_version(raw, "1.1.0")
    raw.thread.control.advance(404)
    assert runs_of(raw) == 0
    raw.thread.control.advance(1)
    assert last_run_status(raw)["runState"] == "Running"
    assert properties_of(raw)["source"]["exactVersion"].endswith("/versions/1.1.0")


@pytest.mark.parametrize("regions", [[{"name": "West US"}], [{"name": "East US", "excludeFromLatest": True}]])
def test_a_version_that_is_not_latest_in_the_region_starts_nothing(raw: RawArm, regions: list[dict[str, Any]]) -> None:
    """What is somewhere else, or excluded here, is not what `latest` means here."""
    put_version(raw, "1.0.0")
    raw.thread.control.advance(500)
    create(raw, source=from_gallery(raw))
    put_trigger(raw)
    put_version(raw, "1.1.0", location=short_name(regions[0]["name"]), targetRegions=regions)
    raw.thread.control.advance(1000)
    assert runs_of(raw) == 0


def test_a_version_that_is_no_longer_excluded_starts_a_run(raw: RawArm) -> None:
    """`latest` becomes newer by a PATCH as well."""
    put_version(raw, "1.0.0")
    put_version(raw, "1.1.0", excludeFromLatest=True)
    raw.thread.control.advance(500)
    create(raw, source=from_gallery(raw))
    put_trigger(raw)
    body = {"properties": {"publishingProfile": {"excludeFromLatest": False}}}
    raw.send("PATCH", f"/resourceGroups/{GROUP}{BASE}/versions/1.1.0", body, api_version="2024-03-03")
    raw.thread.control.advance(1)
    assert runs_of(raw) == 1


@pytest.mark.parametrize("step", [10, 3000])
def test_a_version_that_is_ready_just_after_a_run_starts_one(raw: RawArm, step: int) -> None:
    """However the clock comes there, the run begins when the version can be had."""
    put_version(raw, "1.0.0")
    raw.thread.control.advance(500)
    create(raw, source=from_gallery(raw), distribute=[TO_VHD])
    put_trigger(raw)
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(60)
    put_version(raw, "1.1.0")
    for _ in range(3000 // step):
        raw.thread.control.advance(step)
    first, second = raw.thread.control.runs()
    assert datetime.fromisoformat(first["endTime"]) < datetime.fromisoformat(second["startTime"])
    assert properties_of(raw)["source"]["exactVersion"].endswith("/versions/1.1.0")
    waited = datetime.fromisoformat(second["startTime"]) - datetime.fromisoformat(first["startTime"])
    assert waited.total_seconds() == pytest.approx(60 + 405, abs=2)


def test_one_build_starts_the_next(raw: RawArm) -> None:
    """A build that distributes what another image template starts from sets that going, at the very moment."""
    put_version(raw, "0.0.1")
    raw.thread.control.advance(500)
    create(raw, "first", distribute=[to_gallery(raw.settings.subscription_id, "linux-vhd")])
    create(raw, "second", source=from_gallery(raw), distribute=[TO_VHD])
    put_trigger(raw, f"{IMAGE_TEMPLATES}/second/triggers/t")
    raw.send("POST", f"{IMAGE_TEMPLATES}/first/run")
    raw.thread.control.advance(2000)
    first, second = last_run_status(raw, "first"), last_run_status(raw, "second")
    assert (first["runState"], second["runState"]) == ("Succeeded", "Succeeded")
    assert first["endTime"] == second["startTime"]


def test_auto_run_is_one_run_at_the_creation(raw: RawArm) -> None:
    """With `autoRun` a run begins when the creation ends, once; before 2024-02-01 the member is not known."""
    create(raw, "auto", autoRun={"state": "Enabled"})
    raw.thread.control.advance(100_000)
    assert (runs_of(raw, "auto"), last_run_status(raw, "auto")["runState"]) == (1, "Succeeded")
    body = document(raw.settings.subscription_id, autoRun={"state": "Enabled"})
    raw.send("PUT", f"{IMAGE_TEMPLATES}/older", body, api_version="2023-07-01")
    raw.thread.control.advance(100_000)
    assert runs_of(raw, "older") == 0
