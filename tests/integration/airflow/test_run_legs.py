"""Runs, their sensor and their cancel, leg by leg: each end, in both modes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import ExceptionRetryPolicy
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_aib.exceptions import (
    ArmRequestError,
    ImageRunCanceledError,
    ImageRunFailedError,
    ImageRunTimeoutError,
    ImageRunWatchError,
)
from tests.integration.airflow.cloud import NAME
from tests.integration.airflow.tasks import BOTH_MODES, CANCEL, RUN, SENSOR, task

if TYPE_CHECKING:
    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

TEMPLATE = f"imageTemplates/{NAME}$"


def sense(**arguments: Any) -> tuple[str, dict[str, Any]]:
    """Write down a sensor that looks often."""
    return task(SENSOR, "wait", **{"poke_interval": 0.05, "timeout": 30, **arguments})


LOOK_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "0.1"}},
    {"action": "reset"},
)


def plan_faults(cloud: Cloud, skip: int) -> None:
    """Have looks fail in a row, each in another way that passes."""
    for turn, fault in enumerate(LOOK_FAULTS):
        cloud.plan_fault(method="GET", path=TEMPLATE, skip=skip + turn, **fault)


@BOTH_MODES
def test_a_partial_success_is_none(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run of which one distributor failed has not succeeded."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.plan_failure(kind="partial")

    with pytest.raises(ImageRunFailedError, match="PartiallySucceeded"):
        legs.run(task(RUN, "run", deferrable=deferrable))

    assert len(legs.events) == int(deferrable)


@BOTH_MODES
def test_an_overdue_run_is_cancelled(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run that is past its deadline is cancelled, its real end awaited, and the error says both."""
    cloud.create()
    cloud.plan_failure(kind="hang", index=0)

    with pytest.raises(ImageRunTimeoutError, match="ended Canceled"):
        legs.run(task(RUN, "run", deferrable=deferrable, run_allowance=-86400))

    assert cloud.count("POST", "/cancel") == 1
    # Its end has been reported: another try starts another run.
    assert legs.store.values == {}


@BOTH_MODES
def test_the_sensor_says_that_a_run_was_cancelled(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run that somebody cancels is an error of its own, with the log's place."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    cloud.start_run()
    cloud.call(lambda service: service.cancel_run(cloud.image_template_id))

    with pytest.raises(ImageRunCanceledError, match="ended Canceled"):
        legs.run(sense(deferrable=deferrable))


@BOTH_MODES
def test_the_sensor_says_why_a_build_failed(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """The error names the customizer, its last output and where the whole log is, as the run operator's does."""
    cloud.create()
    cloud.plan_failure(kind="customizer", index=1, exit_code=7, output=["E: Unable to locate package chorny"])
    cloud.start_run()

    with pytest.raises(ImageRunFailedError) as caught:
        legs.run(sense(deferrable=deferrable))

    for words in ("customizer 2 of 2", "exit code 7", "Unable to locate package chorny", "customization.log"):
        assert words in str(caught.value)


@BOTH_MODES
def test_the_sensor_bears_every_fault_of_the_transport(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """Looks that fail for a while neither end the wait nor count as the run's end."""
    cloud.create()
    cloud.emulator.control.set_scale(200)
    cloud.start_run()
    plan_faults(cloud, skip=1)

    assert legs.run(sense(deferrable=deferrable))["run_state"] == "Succeeded"


def test_a_sensor_without_leave_to_look_may_try_again(cloud: Cloud, legs: Legs) -> None:
    """A permission that is lost while it is deferred, and back afterwards, is no timeout: a retry goes on waiting."""
    cloud.create()
    cloud.emulator.control.set_scale(1)
    cloud.start_run()

    with pytest.raises(ImageRunWatchError, match="HTTP 403"):
        legs.run(sense(deferrable=True), lambda: cloud.plan_fault(method="GET", path=TEMPLATE, status=403))


@BOTH_MODES
def test_the_sensor_times_out(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """Only its own timeout is one, and the run goes on."""
    cloud.create()
    cloud.emulator.control.set_scale(1)
    cloud.start_run()

    with pytest.raises(AirflowSensorTimeout):
        legs.run(sense(deferrable=deferrable, timeout=0.3))

    assert cloud.count("POST", "/cancel") == 0


def test_the_sensor_says_that_the_image_template_is_gone(cloud: Cloud, legs: Legs) -> None:
    """An image template that is deleted while the sensor is deferred has no run to wait for."""
    cloud.create()

    def delete() -> None:
        cloud.call(lambda service: service.delete(cloud.image_template_id))
        cloud.call(lambda service: service.wait_until_deleted(cloud.image_template_id, poll_interval=0.05))

    with pytest.raises(ArmRequestError, match="There is no image template"):
        legs.run(sense(deferrable=True), delete)


@BOTH_MODES
def test_cancel_bears_faults(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A cancel whose answer is lost, or that is throttled, and looks that fail, end the run all the same."""
    cloud.create()
    cloud.emulator.control.set_scale(50)
    cloud.start_run()
    cloud.plan_fault(method="POST", path="/cancel$", status=429, headers={"Retry-After": "0.1"})
    cloud.plan_fault(method="POST", path="/cancel$", status=504, moment="after")
    plan_faults(cloud, skip=3)

    status = legs.run(task(CANCEL, "cancel", deferrable=deferrable))

    assert status["run_state"] == "Canceled"


@BOTH_MODES
def test_a_cancel_that_takes_too_long_is_an_error(
    cloud: Cloud, legs: Legs, monkeypatch: pytest.MonkeyPatch, *, deferrable: bool
) -> None:
    """A run that stays Canceling beyond the allowance fails the task, which says how it stands."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__CANCEL_ALLOWANCE", "0.2")
    monkeypatch.setattr("airflow_aib.operators.run_cancel.LAST_LOOKS", timedelta(seconds=0.1))
    cloud.create()
    cloud.emulator.control.set_scale(1)
    cloud.start_run()

    with pytest.raises(ImageRunTimeoutError, match="it is Canceling"):
        legs.run(task(CANCEL, "cancel", deferrable=deferrable))


@BOTH_MODES
def test_cancel_leaves_another_run_alone(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """With `image_run`, only that run is cancelled: one that has begun since goes on."""
    cloud.create()
    own = cloud.start_run()
    cloud.finish_run()
    cloud.emulator.control.set_scale(5)
    other = cloud.start_run()

    status = legs.run(task(CANCEL, "cancel", deferrable=deferrable, image_run=own))

    assert cloud.count("POST", "/cancel") == 0
    assert (status["start_time"], status["run_state"]) == (other["start_time"], "Running")


@BOTH_MODES
def test_a_success_that_airflow_never_heard_of_is_reported_again(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A worker dies between its last look and the end of the task: the next try reports that run and starts none."""
    cloud.create()
    written = task(RUN, "run", deferrable=deferrable)
    first = legs.run(written)

    legs.task_instance.try_number += 1
    assert legs.run(written) == first
    assert cloud.count("POST", "/run") == 1


@BOTH_MODES
def test_a_final_failure_that_airflow_never_heard_of_is_reported_again(
    cloud: Cloud, legs: Legs, *, deferrable: bool
) -> None:
    """A script that fails is never tried again: a try that comes all the same reports the same run and starts none."""
    cloud.create()
    cloud.plan_failure(kind="catalogue", name="script-failed", count=1)
    written = task(RUN, "run", deferrable=deferrable)
    for legs.task_instance.try_number in (1, 2):
        with pytest.raises(ImageRunFailedError, match="exit"):
            legs.run(written)

    assert cloud.count("POST", "/run") == 1


def test_a_failure_that_somebody_wants_to_try_again_starts_another_run(cloud: Cloud, legs: Legs) -> None:
    """With a policy of the DAG's own nobody can say that a failure is final: the next try builds anew."""
    cloud.create()
    cloud.plan_failure(kind="catalogue", name="script-failed", count=1)
    written = task(RUN, "run", deferrable=False, retry_policy=ExceptionRetryPolicy(rules=[]))
    with pytest.raises(ImageRunFailedError):
        legs.run(written)

    assert legs.run(written)["run_state"] == "Succeeded"
    assert cloud.count("POST", "/run") == 2


def test_a_clear_of_a_success_starts_another_run(cloud: Cloud, legs: Legs) -> None:
    """Who clears a task that has succeeded wants the image built anew."""
    cloud.create()
    written = task(RUN, "run", deferrable=False)
    first = legs.run(written)

    legs.task_instance.try_number += 1
    legs.task_instance.max_tries += 1
    assert legs.run(written)["start_time"] != first["start_time"]
    assert cloud.count("POST", "/run") == 2
