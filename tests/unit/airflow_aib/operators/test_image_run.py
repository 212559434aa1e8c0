from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_aib.exceptions import (
    ArmRequestError,
    ImageRunFailedError,
    ImageRunTimeoutError,
    ImageRunWatchError,
    ImageTemplateInUseError,
)
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.run_requests import LookBeforeRun
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_call
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status
from airflow_aib.operators.image_run import REPORT_TIME, AzureImageTemplateRunOperator
from airflow_aib.operators.run_memory import FORMER_KEY, KEY, TURN_KEY
from airflow_aib.triggers.state_event import StateEvent
from airflow_aib.triggers.watching import WatchOrder
from tests.fakes import IMAGE_TEMPLATE_ID, FakeClock, FakeStore, FakeTaskInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SUBMITTED = datetime(2026, 1, 5, 3, tzinfo=UTC)
NEW = ImageRunHandle(
    IMAGE_TEMPLATE_ID, SUBMITTED.isoformat(), "2026-01-04T03:00:00.5Z", ownership=RunOwnership.UNCONFIRMED
)
ACCEPTED = NEW.accepted(SUBMITTED.isoformat())
STARTED = replace(ACCEPTED, start_time="2026-01-05T03:00:01.5Z")


@dataclass
class FakeService:
    """Start one run.

    :param store: looked into at the moment at which the run is asked for
    :param error: with which Azure answers the start
    :param run_state: what the image template shows afterwards
    """

    store: FakeStore
    error: ArmRequestError | None = None
    run_state: str = "Running"
    remembered: Any = None
    was_asked: bool = False
    clock: FakeClock = field(default_factory=FakeClock)

    async def require_image_template(self, image_template_id: str) -> dict[str, Any]:
        """Give the image template."""
        start_time = STARTED.start_time if self.was_asked else NEW.previous_start_time
        state = self.run_state if self.was_asked else "Succeeded"
        status = {"runState": state, "startTime": start_time, "endTime": "0001-01-01T00:00:00Z"}
        return {
            "id": image_template_id,
            "properties": {
                "buildTimeoutInMinutes": 60,
                "distribute": [{"type": "VHD", "runOutputName": "disk"}],
                "lastRunStatus": status,
            },
        }

    async def look_before_run(self, image_template_id: str, *, retries: bool) -> LookBeforeRun:
        """Look, and note the run before."""
        assert not retries
        body = await self.require_image_template(image_template_id)
        return LookBeforeRun(body, read_last_run_status(body), NEW)

    async def request_run(
        self, handle: ImageRunHandle, *, is_repeat: bool, on_refused: Callable[[], None], **_: object
    ) -> ImageRunHandle:
        """Ask for the run."""
        assert handle is NEW
        assert not is_repeat
        self.remembered = self.store.get(KEY)
        self.was_asked = True
        if self.error is not None:
            if self.error.status == 403:
                on_refused()
            raise self.error
        return ACCEPTED

    async def see_run(self, handle: ImageRunHandle) -> ImageRunHandle:
        """Give the run with its start time."""
        assert self.store.get(KEY)["handle"] == handle.to_json()
        return STARTED


class BlindService(FakeService):
    """Let nobody look."""

    async def look_before_run(self, image_template_id: str, *, retries: bool) -> LookBeforeRun:
        """Refuse to look."""
        assert not retries
        raise ArmRequestError("not allowed", status=403, target=image_template_id)


class OperatorOnFake(AzureImageTemplateRunOperator):
    """Run an image template in a made-up Azure."""

    service: FakeService

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[Any]:
        """Lend the made-up Azure."""
        yield self.service


def operator(service: FakeService, **arguments: Any) -> OperatorOnFake:
    """Make the operator with a connection that it never uses."""
    made = OperatorOnFake(task_id="run", image_template_id=IMAGE_TEMPLATE_ID, poll_interval=7, **arguments)
    made.service = service
    made.hook.__dict__["settings"] = settings_from_connection(
        conn_type="azure_image_builder", extra={"subscriptionId": "s", "auth_method": "default"}
    )
    return made


def context(store: FakeStore) -> Any:
    """Give what Airflow hands to a task."""
    return {"ti": FakeTaskInstance(), "task_state_store": store}


def test_a_run_is_remembered_before_it_is_asked_for() -> None:
    """When Azure is asked for the run, the store already holds the intent."""
    service = FakeService(FakeStore())

    operator(service, wait_for_completion=False).execute(context(service.store))

    assert service.remembered == {"handle": NEW.to_json(), "max_tries": 2, "try_number": 1}
    assert service.store.get(KEY)["handle"] == STARTED.to_json()


def test_a_refused_run_leaves_its_diagnosis() -> None:
    """Why Azure did not take the request is an XCom, as why a run failed is."""
    diagnosis = diagnose(evidence_of_call("AuthorizationFailed", "The client does not have authorization"))
    service = FakeService(FakeStore(), error=ArmRequestError("not allowed", status=403, diagnosis=diagnosis))
    given = context(service.store)

    with pytest.raises(ArmRequestError):
        operator(service).execute(given)

    assert given["ti"].pushed == {"diagnosis": diagnosis.to_json()}


def test_not_waiting_gives_the_handle() -> None:
    """A task that does not wait returns what a sensor needs to find the run."""
    service = FakeService(FakeStore())
    given = context(service.store)

    assert operator(service, wait_for_completion=False).execute(given) == STARTED.to_json()
    assert given["ti"].pushed == {"image_run": STARTED.to_json()}


def test_it_defers_with_a_deadline_of_its_own() -> None:
    """The trigger gets an absolute deadline, and Airflow's own limit lies behind it."""
    service = FakeService(FakeStore())

    with pytest.raises(TaskDeferred) as deferred:
        operator(service, deferrable=True, run_allowance=600).execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    order = WatchOrder.from_json(kwargs["order"])
    assert order.handle == STARTED
    assert order.deadline == datetime(2026, 1, 5, 4, 10, 1, 500_000, tzinfo=UTC)
    assert order.poll_interval == 7
    assert deferred.value.method_name == "execute_complete"
    assert isinstance(deferred.value.timeout, timedelta)
    assert deferred.value.timeout >= timedelta(seconds=order.cancel_allowance)


def test_both_allowances_of_the_deployment_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `run_allowance` the deadline leaves time for what comes before the build's own limit, and after."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__PROVISIONING_ALLOWANCE", "60")
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__DISTRIBUTION_ALLOWANCE", "600")
    service = FakeService(FakeStore())

    with pytest.raises(TaskDeferred) as deferred:
        operator(service, deferrable=True).execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    assert WatchOrder.from_json(kwargs["order"]).deadline == datetime(2026, 1, 5, 4, 11, 1, 500_000, tzinfo=UTC)


def test_the_execution_timeout_bounds_the_deferred_time() -> None:
    """Airflow does not count deferred time; the trigger's deadline does."""
    service = FakeService(FakeStore())
    run = operator(service, deferrable=True, execution_timeout=timedelta(minutes=5), run_allowance=10**9)

    with pytest.raises(TaskDeferred) as deferred:
        run.execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    left = WatchOrder.from_json(kwargs["order"]).deadline - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def test_on_the_worker_airflows_own_alarm_keeps_the_execution_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two alarms at one moment would leave to chance which of them is told."""
    service, orders = FakeService(FakeStore()), list[WatchOrder]()
    run = operator(service, deferrable=False, execution_timeout=timedelta(minutes=5), run_allowance=10**9)

    def watch(order: WatchOrder) -> RunEvent:
        orders.append(order)
        return RunEvent("unwatchable", IMAGE_TEMPLATE_ID)

    monkeypatch.setattr(run, "_watch_here", watch)
    with pytest.raises(ImageRunWatchError):
        run.execute(context(service.store))

    assert [order.time_limit for order in orders] == ["build_timeout"]


def test_the_wait_for_a_turn_is_a_part_of_the_execution_timeout() -> None:
    """What the wait for its turn has taken, on the triggerer, the run does not get once more."""
    service = FakeService(FakeStore(), was_asked=True)
    given = context(service.store)
    limited = {"deferrable": True, "execution_timeout": timedelta(minutes=5), "run_allowance": 10**9}
    with pytest.raises(TaskDeferred) as turn:
        operator(service, **limited).execute(given)
    assert turn.value.kwargs is not None
    began = datetime.fromisoformat(turn.value.kwargs["began"])
    service.was_asked = False

    with pytest.raises(TaskDeferred) as run:
        operator(service, **limited).execute_when_idle(
            given,
            StateEvent("reached", IMAGE_TEMPLATE_ID).to_payload(),
            began=(began - timedelta(minutes=3)).isoformat(),
        )

    _, kwargs = run.value.trigger.serialize()
    assert WatchOrder.from_json(kwargs["order"]).deadline == began + timedelta(minutes=2)


@pytest.mark.parametrize("execution_timeout", [None, timedelta(minutes=5)])
def test_the_execution_timeout_bounds_the_wait_for_late_images(execution_timeout: timedelta | None) -> None:
    """The wait for late images leaves time to report, and Airflow's limit of the deferral lies behind both."""
    service = FakeService(FakeStore())
    allowances = {"run_allowance": 10**9, "late_success_allowance": 10**6}
    run = operator(service, deferrable=True, execution_timeout=execution_timeout, **allowances)

    with pytest.raises(TaskDeferred) as deferred:
        run.execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    order = WatchOrder.from_json(kwargs["order"])
    assert order.late_allowance == 10**6
    assert order.late_until == (order.deadline - REPORT_TIME if execution_timeout else None)
    assert isinstance(deferred.value.timeout, timedelta)
    assert deferred.value.timeout >= timedelta(seconds=10**6)


@pytest.mark.parametrize("ownership", [RunOwnership.FOREIGN, RunOwnership.UNCONFIRMED])
def test_what_is_not_certainly_ours_is_not_cancelled_when_it_is_overdue(ownership: RunOwnership) -> None:
    """The order to watch somebody else's run, or one that may be, has no leave to cancel it."""
    kept = replace(STARTED, ownership=ownership)
    service = FakeService(FakeStore({KEY: {"handle": kept.to_json(), "max_tries": 2}}), was_asked=True)

    with pytest.raises(TaskDeferred) as deferred:
        operator(service, deferrable=True).execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    order = WatchOrder.from_json(kwargs["order"])
    assert (order.handle, order.cancel_overdue) == (kept, False)


def test_an_unknown_if_running_is_refused() -> None:
    """A word that says nothing is refused where the DAG is written."""
    with pytest.raises(ValueError, match="'wait', 'adopt', 'cancel', 'fail'"):
        AzureImageTemplateRunOperator(task_id="run", image_template_id=IMAGE_TEMPLATE_ID, if_running="queue")  # type: ignore[arg-type]  # that is the test


def test_a_turn_is_waited_for_a_bounded_time() -> None:
    """A task that has waited through its legs for as long as it may says for which run, and starts nothing."""
    service = FakeService(FakeStore(), was_asked=True)
    given = context(service.store)
    waiting = operator(service, deferrable=True, busy_timeout=600)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(given)
    assert deferred.value.method_name == "execute_when_idle"
    kept = service.store.values[TURN_KEY]
    service.store.set(TURN_KEY, {**kept, "deadline": SUBMITTED.isoformat()})

    with pytest.raises(ImageTemplateInUseError, match=r"has waited 0:10:00 .*2026-01-05T03:00:01.5Z still goes on"):
        waiting.execute_when_idle(given, StateEvent("reached", IMAGE_TEMPLATE_ID).to_payload())
    assert TURN_KEY not in service.store.values


def test_a_trigger_is_as_old_as_the_deployment_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event comes before the least age that option `trigger_min_age` sets."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__TRIGGER_MIN_AGE", "100")
    service = FakeService(FakeStore())

    with pytest.raises(TaskDeferred) as deferred:
        operator(service, deferrable=True).execute(context(service.store))

    _, kwargs = deferred.value.trigger.serialize()
    left = datetime.fromisoformat(kwargs["not_before"]) - datetime.now(UTC)
    assert timedelta(seconds=90) < left <= timedelta(seconds=100)


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (ArmRequestError("not allowed", status=403), False),
        (ArmRequestError("gateway timeout", status=504, trouble="answer"), True),
        (ArmRequestError("no answer", trouble="connection"), True),
    ],
    ids=["refused", "lost", "reset"],
)
def test_only_a_run_that_may_have_come_about_is_remembered(error: ArmRequestError, *, is_kept: bool) -> None:
    """After a clear refusal the next try must not take for its own what somebody else has started meanwhile."""
    service = FakeService(FakeStore(), error=error)

    with pytest.raises(type(error)):
        operator(service).execute(context(service.store))

    assert (KEY in service.store.values) is is_kept


def test_an_old_run_is_not_forgotten_for_a_refused_look() -> None:
    """When a later try cannot even look, the run of the try before is still remembered."""
    service = BlindService(FakeStore({KEY: {"handle": STARTED.to_json(), "max_tries": 2}}))

    with pytest.raises(ArmRequestError):
        operator(service).execute(context(service.store))

    assert KEY in service.store.values


@pytest.mark.parametrize(
    ("status", "error", "is_kept"), [("unwatchable", ImageRunWatchError, True), ("gone", ImageRunFailedError, False)]
)
def test_what_the_trigger_could_not_see(status: Any, error: type[Exception], *, is_kept: bool) -> None:
    """A run that cannot be watched goes on and is joined by the next try; one that is gone is not looked for again."""
    store = FakeStore({KEY: {"handle": STARTED.to_json(), "max_tries": 2}})
    event = RunEvent(status, IMAGE_TEMPLATE_ID, None, "That was it.").to_payload()

    with pytest.raises(error, match="That was it"):
        operator(FakeService(store)).execute_complete(context(store), event)

    assert (KEY in store.values) is is_kept


@pytest.mark.parametrize(
    ("handle", "is_given_up"), [(ACCEPTED, True), (STARTED, False)], ids=["never seen", "seen by another try"]
)
def test_a_run_that_never_appeared_does_not_hold_up_every_try(handle: ImageRunHandle, *, is_given_up: bool) -> None:
    """Its deadline is over for good: the next try, and who clears the task, starts another one."""
    store = FakeStore({KEY: {"handle": handle.to_json(), "max_tries": 2}})
    event = RunEvent("timeout", IMAGE_TEMPLATE_ID, None, "It was not over.").to_payload()

    with pytest.raises(ImageRunTimeoutError, match="It was not over"):
        operator(FakeService(store)).execute_complete(context(store), event)

    assert set(store.values) == {FORMER_KEY if is_given_up else KEY}


@pytest.mark.parametrize("handle", [ACCEPTED, STARTED], ids=["unseen", "seen"])
def test_the_handle_learns_when_the_run_started(handle: ImageRunHandle) -> None:
    """A run that had not appeared before the wait has its start time afterwards, for the tasks that come next."""
    store = FakeStore({KEY: {"handle": handle.to_json(), "max_tries": 2}})
    given = context(store)
    status = LastRunStatus("Running", None, str(STARTED.start_time), None, "")
    event = RunEvent("unwatchable", IMAGE_TEMPLATE_ID, status.to_json(), "That was it.").to_payload()

    with pytest.raises(ImageRunWatchError):
        operator(FakeService(store)).execute_complete(given, event)

    assert store.values[KEY]["handle"] == STARTED.to_json()
    assert given["ti"].pushed == ({"image_run": STARTED.to_json()} if handle is not STARTED else {})


@pytest.mark.parametrize("payload", [None, "success", {"status": "fine"}])
def test_an_unreadable_event_is_no_success(payload: Any) -> None:
    """What no trigger of ours has sent fails the task, and the run stays remembered."""
    store = FakeStore({KEY: {"handle": STARTED.to_json(), "max_tries": 2}})

    with pytest.raises(ImageRunWatchError):
        operator(FakeService(store)).execute_complete(context(store), payload)

    assert KEY in store.values


def test_a_name_that_no_distributor_has_is_told_when_the_build_begins(capsys: pytest.CaptureFixture[str]) -> None:
    """The log says early which names there are, and not when an image lacks after hours."""
    service = FakeService(FakeStore())

    with pytest.raises(TaskDeferred):
        operator(service, deferrable=True, on_partial_success={"dsik": "warn"}).execute(context(service.store))

    assert "on_partial_success speaks of 'dsik'" in capsys.readouterr().out
