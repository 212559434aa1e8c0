"""Triggers driven by hand: what `dag.test()` cannot show, since it never calls `on_kill` and knows no task instance."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_aib.hooks import clients
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.run_report import read_report
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.image_run.log_summary import LogSummary
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.triggers.image_template import AzureImageTemplateRunTrigger, AzureImageTemplateStateTrigger
from airflow_aib.triggers.relay_memory import RelayMemory
from airflow_aib.triggers.watching import WatchOrder, watch_to_the_end
from tests.fakes import FakeSupervisor, FakeTaskInstance
from tests.integration.airflow.cloud import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.triggers.base import BaseTrigger

    from airflow_aib.hooks.log_relay import RelayMark
    from airflow_aib.image_run.choices import RelayLevel
    from airflow_aib.image_run.run_status import LastRunStatus
    from tests.integration.airflow.cloud import Cloud

TEMPLATE = f"imageTemplates/{NAME}$"


@dataclass
class RecordingLog:
    """Be a task's log and keep what is written."""

    records: list[str] = field(default_factory=list)

    def info(self, event: Any, /, *args: Any) -> None:
        """Keep a record."""
        self.records.append(event % args if args else event)

    warning = info

    def log(self, level: int, event: Any, /, *args: Any) -> None:
        """Keep a record."""
        del level
        self.info(event, *args)


def now_plus(seconds: float) -> str:
    """Give a moment as triggers have it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def run_trigger(
    cloud: Cloud, handle: dict[str, Any], *, age: float = 0, cancel_on_kill: bool = True, **order: Any
) -> AzureImageTemplateRunTrigger:
    """Make the trigger for a run, by way of what Airflow stores of it."""
    deadline = datetime.now(UTC) + timedelta(days=2)
    made = WatchOrder(ImageRunHandle.from_json(handle), **{"deadline": deadline, "poll_interval": 0.05, **order})
    trigger = AzureImageTemplateRunTrigger(
        order=made.to_json(), not_before=now_plus(age), cancel_on_kill=cancel_on_kill
    )
    path, kwargs = trigger.serialize()
    assert path == "airflow_aib.triggers.image_template.AzureImageTemplateRunTrigger"
    assert handle["image_template_id"] == cloud.image_template_id
    return AzureImageTemplateRunTrigger(**kwargs)


async def events_of(trigger: BaseTrigger) -> list[dict[str, Any]]:
    """Run a trigger to its end."""
    return [event.payload async for event in trigger.run()]


async def in_thread(call: Callable[[], Any]) -> Any:
    """Do in a thread what would hold up this loop."""
    return await asyncio.to_thread(call)


@pytest.fixture
async def handle(cloud: Cloud, connection: str) -> dict[str, Any]:
    """Start a run of a new image template."""
    del connection
    await in_thread(cloud.create)
    handle: dict[str, Any] = await in_thread(cloud.start_run)
    return handle


async def test_a_run_ends_with_one_event(cloud: Cloud, handle: dict[str, Any]) -> None:
    """The trigger sends exactly one event, with the last run status, and has let Azure's clients go by then."""
    trigger = run_trigger(cloud, handle)

    events = trigger.run()
    event = RunEvent.from_payload((await anext(events)).payload)

    assert event.status == "over"
    status = event.read_last_run_status()
    assert status is not None
    assert (status.run_state, status.start_time) == ("Succeeded", handle["start_time"])
    assert clients._shared == {}
    with pytest.raises(StopAsyncIteration):
        await anext(events)


def state_trigger(cloud: Cloud, wait_for: str, *, within: float = 30, age: float = 0) -> AzureImageTemplateStateTrigger:
    """Make the trigger for a state, by way of what Airflow stores of it."""
    trigger = AzureImageTemplateStateTrigger(
        image_template_id=cloud.image_template_id,
        wait_for=wait_for,  # type: ignore[arg-type]  # one of those that there are
        deadline=now_plus(within),
        not_before=now_plus(age),
        poll_interval=0.05,
    )
    path, kwargs = trigger.serialize()
    assert path == "airflow_aib.triggers.image_template.AzureImageTemplateStateTrigger"
    return AzureImageTemplateStateTrigger(**kwargs)


def either_trigger(name: str, cloud: Cloud, handle: dict[str, Any], age: float = 0) -> BaseTrigger:
    """Make the run's own trigger for its end, or the one for a state."""
    return run_trigger(cloud, handle, age=age) if name == "run" else state_trigger(cloud, "over", age=age)


EITHER_TRIGGER = pytest.mark.parametrize("name", ["run", "state"])


@EITHER_TRIGGER
async def test_nothing_is_awaited_after_the_event(cloud: Cloud, handle: dict[str, Any], name: str) -> None:
    """Airflow calls `on_kill` of a trigger that still does something after its event: ours end at once."""
    events = either_trigger(name, cloud, handle).run()
    await anext(events)
    assert clients._shared == {}

    after = events.__anext__()
    with pytest.raises(StopAsyncIteration):
        after.send(None)  # type: ignore[attr-defined]  # an async generator's step is a coroutine


@EITHER_TRIGGER
async def test_an_event_is_held_until_the_least_age(cloud: Cloud, handle: dict[str, Any], name: str) -> None:
    """A run that is over already does not resume its task before the trigger has its least age."""
    await in_thread(cloud.finish_run)
    begin = datetime.now(UTC)

    await events_of(either_trigger(name, cloud, handle, age=1.5))

    assert datetime.now(UTC) - begin >= timedelta(seconds=1.4)


async def test_the_log_is_relayed(cloud: Cloud, handle: dict[str, Any]) -> None:
    """Phases and the customization log appear in the task's log, in few records, each line once."""
    deadline = datetime.now(UTC) + timedelta(days=2)
    order = WatchOrder(ImageRunHandle.from_json(handle), deadline, poll_interval=0.05)
    log = RecordingLog()

    await watch_to_the_end(cloud.settings, order, log=log)

    text = "\n".join(log.records)
    assert "is Running/Building" in text
    assert text.count("Starting provisioner shell") == 3  # two customizers, and the hidden deprovision step
    assert len(log.records) < text.count("\n") / 2


class LateMemory(RelayMemory):
    """Know where another triggerer has ended, and say so only when it may."""

    def __init__(self) -> None:
        super().__init__(FakeTaskInstance())  # type: ignore[arg-type]  # its map index is a number at all times
        self.may_answer = asyncio.Event()

    async def recall(self) -> RelayMark | None:
        """Find nothing, late."""
        await self.may_answer.wait()
        return None

    async def keep(self, mark: RelayMark | None) -> None:
        """Keep nothing."""


async def test_a_run_is_watched_before_its_memory_answers(cloud: Cloud, handle: dict[str, Any]) -> None:
    """Airflow may take its time to say how far the log was told: the run is looked at meanwhile, and no line lost."""
    order = WatchOrder(ImageRunHandle.from_json(handle), datetime.now(UTC) + timedelta(days=2), poll_interval=0.05)
    log, memory = RecordingLog(), LateMemory()

    def see(_: LastRunStatus) -> None:
        memory.may_answer.set()

    await watch_to_the_end(cloud.settings, order, log=log, on_phase=see, memory=memory)

    assert "\n".join(log.records).count("Starting provisioner shell") == 3


@pytest.mark.parametrize("level", ["full", "summary"])
async def test_each_task_relays_its_own_log(cloud: Cloud, connection: str, level: RelayLevel) -> None:
    """Two runs that are watched at once in one process do not mix: each task's log has the lines of its own run."""
    del connection

    async def watched(service: ImageTemplateService, name: str) -> tuple[list[str], list[str]]:
        image_template_id = f"{cloud.image_template_id}-{name}"
        await service.submit(image_template_id, cloud.image_template())
        await service.wait_until_provisioned(image_template_id, poll_interval=0.05)
        handle = await service.start_run(image_template_id)
        order = WatchOrder(handle, datetime.now(UTC) + timedelta(days=2), poll_interval=0.05, relay_log=level)
        log = RecordingLog()
        event = await watch_to_the_end(cloud.settings, order, log=log)
        body, status = await service.require_image_template(image_template_id), event.read_last_run_status()
        assert status is not None
        whole = await StagingArea(service.clients).read_customization_log(body, status) or ""
        told = [line for record in log.records for line in record.splitlines() if line.startswith("[")]
        return told, whole.splitlines()

    async with clients.shared_clients(cloud.settings) as shared:
        service = ImageTemplateService(shared)
        both = await asyncio.gather(*(watched(service, name) for name in ("first", "second")))

    for told, whole in both:
        assert told == (whole if level == "full" else LogSummary().choose(whole))
    assert both[0][1] != both[1][1]


@pytest.mark.parametrize("level", ["full", "summary"])
async def test_the_log_is_fetched_once(cloud: Cloud, handle: dict[str, Any], level: RelayLevel) -> None:
    """Who waits for the run tells how it went from what was relayed: the log is not read once more for that."""
    deadline = datetime.now(UTC) + timedelta(days=2)
    order = WatchOrder(ImageRunHandle.from_json(handle), deadline, poll_interval=0.05, relay_log=level)

    event = RunEvent.from_payload((await watch_to_the_end(cloud.settings, order, log=RecordingLog())).to_payload())
    status = event.read_last_run_status()
    assert status is not None
    before = cloud.count("GET", "/customization.log")
    async with clients.shared_clients(cloud.settings) as shared:
        service = ImageTemplateService(shared)
        known = event.read_customization_log()
        report = await read_report(service, order.handle.image_template_id, status, RecordingLog(), known_log=known)

    assert before > 0
    assert cloud.count("GET", "/customization.log") == before
    assert report.logs.customization is not None
    assert len(report.logs.customization.provisioners) == 3
    assert report.log_location is not None
    assert report.log_location.endswith("/customization.log")


@pytest.mark.parametrize("status", [401, 403])
async def test_what_cannot_pass_is_an_event_and_no_error(cloud: Cloud, handle: dict[str, Any], status: int) -> None:
    """A lost permission ends the watch with an event that says so; the run goes on."""
    cloud.plan_fault(method="GET", path=TEMPLATE, status=status, count=50)

    (event,) = await events_of(run_trigger(cloud, handle))

    assert event["status"] == "unwatchable"
    assert f"HTTP {status}" in event["message"]
    assert cloud.count("POST", "/cancel") == 0


async def test_a_wrong_connection_is_an_event_and_no_error(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong inside travels as an event, since Airflow drops the type of a trigger's error."""
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT", '{"conn_type": "http"}')

    (event,) = await events_of(run_trigger(cloud, handle))

    assert event["status"] == "unwatchable"
    assert event["message"].startswith("ConnectionSettingsError: ")


async def test_a_deleted_image_template_is_told(cloud: Cloud, handle: dict[str, Any]) -> None:
    """When the image template goes away under the watch, the event says that it is gone."""
    await in_thread(cloud.finish_run)
    await in_thread(lambda: cloud.call(lambda service: service.delete(cloud.image_template_id)))
    await in_thread(lambda: cloud.call(lambda service: service.wait_until_deleted(cloud.image_template_id)))

    (event,) = await events_of(run_trigger(cloud, handle))

    assert event["status"] == "gone"


async def test_an_overdue_run_is_cancelled_and_awaited(cloud: Cloud, handle: dict[str, Any]) -> None:
    """At the deadline the run is cancelled, and the event comes with its real end."""
    (event,) = await events_of(run_trigger(cloud, handle, deadline=datetime.now(UTC)))

    assert event["status"] == "timeout"
    assert event["last_run_status"]["run_state"] == "Canceled"


async def test_an_overdue_run_is_left_alone_when_told(cloud: Cloud, handle: dict[str, Any]) -> None:
    """A watch that may not cancel only tells that the time is over."""
    (event,) = await events_of(run_trigger(cloud, handle, deadline=datetime.now(UTC), cancel_overdue=False))

    assert event["status"] == "timeout"
    assert cloud.count("POST", "/cancel") == 0


async def test_a_moved_trigger_watches_on(cloud: Cloud, handle: dict[str, Any]) -> None:
    """A trigger that is stopped lets Azure's clients go and the run alone; the one made anew sees the end."""
    cloud.emulator.control.set_scale(50)
    first = run_trigger(cloud, handle)
    watching = asyncio.create_task(events_of(first))
    await asyncio.sleep(1)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    await first.cleanup()
    left = dict(clients._shared)

    cloud.emulator.control.set_scale(400)
    _, kwargs = first.serialize()
    (event,) = await events_of(AzureImageTemplateRunTrigger(**kwargs))

    assert left == {}
    assert event["status"] == "over"
    assert cloud.count("POST", "/cancel") == 0


@pytest.mark.parametrize(
    ("state", "is_cancelled"),
    [
        ("failed", True),
        ("success", True),
        ("skipped", True),
        ("deferred", False),
        ("restarting", False),
        ("scheduled", False),
        ("queued", False),
        ("running", False),
        ("up_for_retry", False),
        (None, False),
    ],
)
async def test_only_a_task_that_is_over_cancels_its_run(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch, state: str | None, *, is_cancelled: bool
) -> None:
    """`on_kill` asks for the task instance's state: a clear, a retry or another triggerer keeps the run."""
    cloud.emulator.control.set_scale(10)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", FakeSupervisor(state), raising=False)
    trigger = run_trigger(cloud, handle)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    last_run = await in_thread(cloud.last_run)
    assert (last_run.run_state == "Canceling") is is_cancelled
    assert cloud.count("POST", "/cancel") == int(is_cancelled)


async def test_a_mapped_task_is_asked_for_by_its_index(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of one mapped task instance decides about its own run."""
    supervisor = FakeSupervisor("failed")
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    trigger = run_trigger(cloud, handle)
    trigger.task_instance = FakeTaskInstance(map_index=3)  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    assert supervisor.asked[0].map_index == 3
    assert cloud.count("POST", "/cancel") == 1


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, half a minute at most."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - what is waited for happens in other threads and processes
            await asyncio.sleep(0.01)


async def test_a_kill_outlasts_that_airflow_asks_for_it_again(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow cancels a trigger with every sync until it has ended, also while its `on_kill` is at work."""
    cloud.emulator.control.set_scale(10)
    supervisor = FakeSupervisor("failed", may_answer=threading.Event())
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    trigger = run_trigger(cloud, handle)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    killing = asyncio.create_task(asyncio.wait_for(trigger.on_kill(), 30))
    await until(lambda: bool(supervisor.asked))
    for _ in range(3):
        killing.cancel("__airflow_user_action__")
        await asyncio.sleep(0.01)
    assert supervisor.may_answer is not None
    supervisor.may_answer.set()
    await asyncio.wait({killing})

    await until(lambda: cloud.count("POST", "/cancel") == 1)


async def test_a_kill_never_cancels_another_run(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that somebody started after ours ended is left alone."""
    await in_thread(cloud.finish_run)
    cloud.emulator.control.set_scale(10)
    await in_thread(cloud.start_run)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", FakeSupervisor("failed"), raising=False)
    trigger = run_trigger(cloud, handle)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    assert cloud.count("POST", "/cancel") == 0


async def test_a_kill_knows_the_run_that_was_watched(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that had not appeared when its trigger began is known by its start time once it has."""
    trigger = run_trigger(cloud, {**handle, "start_time": None})
    await events_of(trigger)
    cloud.emulator.control.set_scale(10)
    await in_thread(cloud.start_run)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", FakeSupervisor("failed"), raising=False)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    assert cloud.count("POST", "/cancel") == 0


@pytest.mark.parametrize("cancel_on_kill", [False, True], ids=["not wanted", "state unknown"])
async def test_without_leave_or_state_nothing_is_cancelled(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, cancel_on_kill: bool
) -> None:
    """A kill cancels nothing with `cancel_on_kill=False`, nor when Airflow cannot tell whether the task is over."""
    cloud.emulator.control.set_scale(10)
    supervisor = FakeSupervisor("failed", error=ConnectionError("no supervisor") if cancel_on_kill else None)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    trigger = run_trigger(cloud, handle, cancel_on_kill=cancel_on_kill)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    assert len(supervisor.asked) == int(cancel_on_kill)
    assert cloud.count("POST", "/cancel") == 0


async def test_triggers_share_clients(cloud: Cloud, handle: dict[str, Any]) -> None:
    """Ten triggers of one connection sign in once."""
    await in_thread(cloud.finish_run)
    await in_thread(cloud.emulator.control.forget_requests)

    events = await asyncio.gather(*(events_of(run_trigger(cloud, handle)) for _ in range(10)))

    assert [event["status"] for (event,) in events] == ["over"] * 10
    # One token for Resource Manager, one for storage.
    assert cloud.count("POST", "/oauth2/v2.0/token") <= 2


async def test_state_triggers_see_what_they_wait_for(cloud: Cloud, connection: str) -> None:
    """Provisioned, over, canceled and deleted are seen in turn."""
    del connection
    image_template_id = cloud.image_template_id

    async def wait(state: str) -> str:
        (event,) = await events_of(state_trigger(cloud, state))
        return str(event["status"])

    await in_thread(lambda: cloud.call(lambda service: service.submit(image_template_id, cloud.image_template())))
    assert await wait("provisioned") == "reached"
    await in_thread(cloud.start_run)
    assert await wait("over") == "reached"
    await in_thread(cloud.start_run)
    await in_thread(lambda: cloud.call(lambda service: service.cancel_run(image_template_id)))
    assert await wait("canceled") == "reached"
    await in_thread(lambda: cloud.call(lambda service: service.delete(image_template_id)))
    assert await wait("deleted") == "reached"


async def test_a_state_that_never_comes_is_an_event(cloud: Cloud, connection: str) -> None:
    """A wait that cannot succeed ends with an event that says why."""
    del connection

    (event,) = await events_of(state_trigger(cloud, "provisioned"))

    assert (event["status"], event["reason"]) == ("not reached", "other")
    assert "There is no image template" in event["message"]


async def test_a_state_that_is_late_is_an_event(cloud: Cloud, handle: dict[str, Any]) -> None:
    """At the deadline the wait ends, and its event says that it was the deadline."""
    del handle
    cloud.emulator.control.set_scale(1)

    (event,) = await events_of(state_trigger(cloud, "over", within=0.2))

    assert (event["status"], event["reason"]) == ("not reached", "overdue")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_state_that_may_not_be_looked_at_is_an_event(cloud: Cloud, handle: dict[str, Any], status: int) -> None:
    """A lost permission is no deadline that has passed."""
    del handle
    cloud.plan_fault(method="GET", path=TEMPLATE, status=status, count=2)

    (event,) = await events_of(state_trigger(cloud, "over"))

    assert (event["status"], event["reason"]) == ("not reached", "unwatchable")
    assert f"HTTP {status}" in event["message"]


@EITHER_TRIGGER
async def test_faults_are_borne(cloud: Cloud, handle: dict[str, Any], name: str) -> None:
    """Throttled, failing and dropped looks do not end the wait."""
    cloud.plan_fault(method="GET", path=TEMPLATE, status=429, headers={"Retry-After": "0"})
    cloud.plan_fault(method="GET", path=TEMPLATE, status=500)
    cloud.plan_fault(method="GET", path=TEMPLATE, status=504)
    cloud.plan_fault(method="GET", path=TEMPLATE, action="reset")

    (event,) = await events_of(either_trigger(name, cloud, handle))

    assert event["status"] in {"over", "reached"}
