from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout, TaskDeferred

from airflow_aib.exceptions import (
    ArmRequestError,
    ImageRunCanceledError,
    ImageRunFailedError,
    ImageRunTimeoutError,
    ImageRunWatchError,
)
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.waiting import ERROR_BUDGET
from airflow_aib.image_run.choices import FINAL_STATES
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import FINAL_RUN_STATES
from airflow_aib.operators.base import ImageTemplateOperator
from airflow_aib.sensors.image_run import AzureImageTemplateRunSensor
from airflow_aib.triggers.state_event import StateEvent
from airflow_aib.triggers.wanted_run import WantedRun
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    FakeStore,
    FakeTaskInstance,
    azure_error,
    fake_clients,
    image_template,
    look_error,
    reset,
    run_status,
    start_time,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, "2026-01-05T03:00:00+00:00", None, start_time("B"))
REACHED = StateEvent("reached", IMAGE_TEMPLATE_ID, "It is over.").to_payload()
OVERDUE = StateEvent.not_reached(IMAGE_TEMPLATE_ID, ImageRunTimeoutError("No such run was over in time")).to_payload()
UNWATCHABLE = StateEvent.not_reached(IMAGE_TEMPLATE_ID, look_error(500)).to_payload()
BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])


class SensorOnFake(AzureImageTemplateRunSensor):
    """Watch a made-up Azure."""

    azure: FakeImageBuilder
    clock: FakeClock

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[ImageTemplateService]:
        """Lend the scripted service."""
        yield ImageTemplateService(fake_clients(self.azure), clock=self.clock)


def sensor(status: dict[str, Any] | None, **arguments: Any) -> SensorOnFake:
    """Make the sensor, for an image template that shows this run."""
    usual = {"deferrable": False, "poke_interval": 0.01, "timeout": 0}
    made = SensorOnFake(task_id="wait", image_template_id=IMAGE_TEMPLATE_ID, **{**usual, **arguments})
    made.azure, made.clock = FakeImageBuilder(image_template(status)), FakeClock()
    made.hook.__dict__["settings"] = fake_clients(made.azure).settings
    return made


def context() -> Any:
    """Give what Airflow hands to a task."""
    return {"ti": FakeTaskInstance(), "task_state_store": FakeStore()}


@BOTH_MODES
def test_the_last_run_is_meant_by_default(*, deferrable: bool) -> None:
    """A run that is over already ends the wait at once, with its status."""
    given = sensor(run_status("Succeeded"), deferrable=deferrable).execute(context())

    assert given["run_state"] == "Succeeded"
    assert given["start_time"] == start_time("A")


@pytest.mark.parametrize("accepted", ["Failed", "Canceled", "PartiallySucceeded"])
def test_other_ends_may_be_accepted(accepted: str) -> None:
    """What counts as success is up to the DAG."""
    waiting = sensor(run_status(accepted), accepted_states=["Succeeded", accepted])

    assert waiting.execute(context())["run_state"] == accepted


def test_one_accepted_state_needs_no_list() -> None:
    """A single word is one state, and not its letters."""
    waiting = sensor(run_status("Failed"), accepted_states="Failed")

    assert waiting.execute(context())["run_state"] == "Failed"


@pytest.mark.parametrize("accepted", ["Succeded", ["Succeeded", "Running"], [], 5, None])
def test_states_that_are_no_end_are_refused(accepted: Any) -> None:
    """A misspelt state would make every run fail; the DAG file says so when it is read."""
    with pytest.raises(
        ValueError,
        match=r"accepted_states is .*; it must be one or several of 'Succeeded', 'PartiallySucceeded', 'Failed'",
    ):
        sensor(run_status("Succeeded"), accepted_states=accepted)


def test_all_ends_may_be_accepted() -> None:
    """The states that a DAG may name are those with which a run ends."""
    assert set(FINAL_STATES) == FINAL_RUN_STATES


@BOTH_MODES
@pytest.mark.parametrize(
    ("run_state", "error"),
    [
        ("Failed", ImageRunFailedError),
        ("PartiallySucceeded", ImageRunFailedError),
        ("Canceled", ImageRunCanceledError),
    ],
)
def test_a_bad_end_is_the_run_operators_error(run_state: str, error: type[Exception], *, deferrable: bool) -> None:
    """The error is of the kind, and with the diagnosis, that the task which runs the image template would have."""
    waiting = sensor(run_status(run_state, message="Words of the service."), deferrable=deferrable)

    with pytest.raises(error, match=f"ended {run_state}(.|\n)*Words of the service") as caught:
        waiting.execute(context())

    assert type(caught.value) is error
    assert getattr(caught.value, "diagnosis", None) is not None


def test_an_earlier_run_does_not_count() -> None:
    """With `started_after`, the wait goes on until a later run is over."""
    with pytest.raises(AirflowSensorTimeout):
        sensor(run_status("Failed", start="A"), started_after=start_time("A")).execute(context())

    later = sensor(run_status("Succeeded", start="B"), started_after=start_time("A"))
    assert later.execute(context())["start_time"] == start_time("B")


def test_a_run_is_known_by_its_handle() -> None:
    """With `image_run`, only that very run counts."""
    with pytest.raises(AirflowSensorTimeout):
        sensor(run_status("Failed", start="A"), image_run=HANDLE.to_json()).execute(context())

    own = sensor(run_status("Succeeded", start="B"), image_run=HANDLE.to_json())
    assert own.execute(context())["start_time"] == start_time("B")


@BOTH_MODES
def test_a_later_run_hides_the_wanted_one(*, deferrable: bool) -> None:
    """When another run has begun since, nobody can tell how the wanted one ended: that is an error, and no wait."""
    waiting = sensor(run_status("Running", start="C"), image_run=HANDLE.to_json(), deferrable=deferrable)

    with pytest.raises(ImageRunFailedError, match="a later run"):
        waiting.execute(context())


def test_it_defers_with_a_deadline_of_its_own() -> None:
    """The trigger gets the wanted run and an absolute deadline, and Airflow's own limit lies behind it."""
    waiting = sensor(run_status(), deferrable=True, timeout=600, image_run=HANDLE.to_json())

    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(context())

    _, kwargs = deferred.value.trigger.serialize()
    assert kwargs["wait_for"] == "over"
    assert WantedRun.from_json(kwargs["run"]) == WantedRun(HANDLE)
    left = datetime.fromisoformat(kwargs["deadline"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert isinstance(deferred.value.timeout, timedelta)
    assert deferred.value.timeout > timedelta(minutes=10)


def test_the_execution_timeout_bounds_the_deferred_wait() -> None:
    """Airflow does not count deferred time; the trigger's deadline does."""
    waiting = sensor(run_status(), deferrable=True, timeout=600, execution_timeout=timedelta(minutes=5))

    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(context())

    _, kwargs = deferred.value.trigger.serialize()
    assert datetime.fromisoformat(kwargs["deadline"]) - datetime.now(UTC) <= timedelta(minutes=5)
    with pytest.raises(AirflowTaskTimeout):
        # Unlike the sensor's own timeout, Airflow tries that again.
        waiting.execute_complete(context(), OVERDUE)


def test_only_its_own_timeout_is_a_timeout() -> None:
    """Airflow never tries again after a timeout: it is one only when the deadline has passed."""
    with pytest.raises(AirflowSensorTimeout, match="No such run was over in time"):
        sensor(run_status(), deferrable=True).execute_complete(context(), OVERDUE)


@pytest.mark.parametrize("event", [UNWATCHABLE, REACHED], ids=["unwatchable", "reached"])
def test_a_wait_that_ended_early_may_be_tried_again(event: dict[str, Any]) -> None:
    """When the triggerer could not look, or another run has begun meanwhile, a retry goes on waiting."""
    with pytest.raises(ImageRunWatchError, match="the next try waits for it"):
        sensor(run_status(), deferrable=True).execute_complete(context(), event)


def test_the_end_is_seen_whatever_the_trigger_says() -> None:
    """A run that is over at the last look is over."""
    given = sensor(run_status("Succeeded"), deferrable=True).execute_complete(context(), UNWATCHABLE)

    assert given["run_state"] == "Succeeded"


def test_an_outage_at_the_end_does_not_lose_the_wait() -> None:
    """What the triggerer has seen, the worker sees too as soon as Azure answers."""
    waiting = sensor(run_status("Succeeded"), deferrable=True)
    waiting.azure.then("get", azure_error(503), reset(), azure_error(500))

    assert waiting.execute_complete(context(), REACHED)["run_state"] == "Succeeded"


def test_an_outage_at_the_end_is_borne_for_ten_minutes() -> None:
    """When Azure does not answer for longer, that is what the error says, and a retry goes on waiting."""
    waiting = sensor(run_status("Succeeded"), deferrable=True)
    waiting.azure.then("get", *[azure_error(503)] * 100)

    with pytest.raises(ImageRunWatchError, match=r"failed since 2026-01-05T03:00:00\+00:00.*The run goes on"):
        waiting.execute_complete(context(), REACHED)
    assert ERROR_BUDGET <= waiting.clock.now() - START < ERROR_BUDGET + timedelta(minutes=1)


@pytest.mark.parametrize("event", [UNWATCHABLE, OVERDUE], ids=["unwatchable", "overdue"])
def test_a_wait_that_has_ended_is_not_made_longer(event: dict[str, Any]) -> None:
    """Where the triggerer has borne all that is borne, or time is up, the worker looks once more."""
    waiting = sensor(run_status("Succeeded"), deferrable=True)
    waiting.azure.then("get", azure_error(503))

    with pytest.raises((ImageRunWatchError, AirflowSensorTimeout), match="The wait has ended"):
        waiting.execute_complete(context(), event)
    assert waiting.azure.calls == ["get"]


def test_a_failed_look_is_no_end() -> None:
    """A poke that Azure answers badly is not over, and the next one looks again."""
    waiting = sensor(run_status("Succeeded"))
    waiting.azure.then("get", azure_error(500))
    given = context()

    assert not waiting.poke(given).is_done
    assert waiting.poke(given).is_done


def test_a_failed_first_look_defers() -> None:
    """A deferrable sensor leaves it to the triggerer to look again."""
    waiting = sensor(run_status("Succeeded"), deferrable=True)
    waiting.azure.then("get", azure_error(503))

    with pytest.raises(TaskDeferred):
        waiting.execute(context())


def test_a_rescheduled_sensor_keeps_since_when_looks_fail() -> None:
    """Only where each poke is a process of its own the task's state is used."""
    given = context()
    for mode, is_kept in (("poke", False), ("reschedule", True)):
        waiting = sensor(run_status(), mode=mode)
        waiting.azure.then("get", azure_error(500))
        waiting.poke(given)
        assert bool(given["task_state_store"].values) is is_kept


@BOTH_MODES
def test_a_missing_image_template_is_an_error(*, deferrable: bool) -> None:
    """Nobody waits for a run of what is not there, deferred or not."""
    waiting = sensor(None, deferrable=deferrable)
    waiting.azure.body = None

    with pytest.raises(ArmRequestError, match="There is no image template"):
        waiting.execute(context())


def run_to_the_end(waiting: SensorOnFake, event: dict[str, Any]) -> Any:
    """Run the sensor as Airflow does, over its deferral too."""
    try:
        return waiting.execute(context())
    except TaskDeferred as deferred:
        return waiting.resume_execution(str(deferred.method_name), {"event": event}, context())


@BOTH_MODES
@pytest.mark.parametrize("forgiving", ["soft_fail", "never_fail"])
def test_a_timeout_is_forgiven(forgiving: str, *, deferrable: bool) -> None:
    """With `soft_fail` or `never_fail` the task skips itself at its timeout, deferred or not."""
    with pytest.raises(AirflowSkipException):
        run_to_the_end(sensor(run_status(), deferrable=deferrable, **{forgiving: True}), OVERDUE)


@BOTH_MODES
def test_a_bad_end_is_forgiven_by_never_fail_only(*, deferrable: bool) -> None:
    """`soft_fail` is about time; a run that failed is an error, unless the task may never fail."""
    failed = run_status("Failed")
    with pytest.raises(ImageRunFailedError):
        run_to_the_end(sensor(failed, deferrable=deferrable, soft_fail=True), REACHED)
    with pytest.raises(AirflowSkipException):
        run_to_the_end(sensor(failed, deferrable=deferrable, never_fail=True), REACHED)


def test_its_links_lead_to_the_image_template() -> None:
    """The sensor has the links of the operators, and they know the image template after the first look."""
    waiting = sensor(run_status("Succeeded"))
    waiting.execute(context())

    assert waiting.portal_resources.image_template_id == IMAGE_TEMPLATE_ID
    assert waiting.operator_extra_links == ImageTemplateOperator.operator_extra_links
    assert waiting.template_fields_renderers == {"image_run": "json"}
