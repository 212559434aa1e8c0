"""Kills of a task that runs on a worker: `on_kill`, as Airflow calls it there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time import task_runner

from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.operators import image_run
from airflow_aib.operators.run_memory import FORMER_KEY
from tests.fakes import FakeSupervisor
from tests.integration.airflow.tasks import RUN, task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import BaseOperator

    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs


@dataclass
class SilentSupervisor:
    """Never answer, until the test is over."""

    is_over: threading.Event = field(default_factory=threading.Event)

    def send(self, msg: Any) -> Any:
        """Keep whoever asks waiting."""
        del msg
        self.is_over.wait()
        raise ConnectionError("the test is over")


@pytest.fixture
def silent_supervisor() -> Iterator[SilentSupervisor]:
    """Give a supervisor that never answers."""
    supervisor = SilentSupervisor()
    yield supervisor
    supervisor.is_over.set()


def kill(operator: BaseOperator, supervisor: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a task, as its worker does."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    operator.on_kill()


@pytest.fixture
def start(cloud: Cloud, legs: Legs) -> Any:
    """Give what makes a task that has just started a run which takes a while."""

    def start(**arguments: Any) -> BaseOperator:
        cloud.create()
        cloud.emulator.control.set_scale(10)
        operator = legs.make(task(RUN, "run", wait_for_completion=False, **arguments))
        operator.execute(legs.context)
        return operator

    return start


@pytest.mark.parametrize(
    ("state", "is_cancelled"),
    [
        ("failed", True),
        ("success", True),
        ("running", False),
        ("restarting", False),
        ("scheduled", False),
        ("deferred", False),
        (None, False),
    ],
)
def test_a_persons_kill_cancels_the_run(
    cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch, state: str | None, *, is_cancelled: bool
) -> None:
    """Marked failed or successful: the run is cancelled. Cleared, or the worker told to stop: it goes on."""
    kill(start(), FakeSupervisor(state), monkeypatch)

    last_run = cloud.last_run()
    assert last_run is not None
    assert (last_run.run_state == "Canceling") is is_cancelled
    assert cloud.count("POST", "/cancel") == int(is_cancelled)


def test_a_kill_never_cancels_a_later_run(cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that somebody has started since ours ended is left alone, also when ours was the very first."""
    operator = start()
    cloud.emulator.control.advance(2000)
    cloud.start_run()

    kill(operator, FakeSupervisor("failed"), monkeypatch)

    assert cloud.count("POST", "/cancel") == 0


def test_a_state_that_cannot_be_told_keeps_the_run(cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Airflow cannot be asked, the run goes on, and the kill is no error."""
    supervisor = FakeSupervisor(error=ConnectionError("no supervisor"))

    kill(start(), supervisor, monkeypatch)

    assert len(supervisor.asked) == 1
    assert cloud.count("POST", "/cancel") == 0


def test_a_kill_does_not_wait_for_ever(
    cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch, silent_supervisor: SilentSupervisor
) -> None:
    """A worker has five seconds until it is killed for good: who does not answer by then is not waited for."""
    monkeypatch.setattr(image_run, "ON_KILL_TIME", 0.1)

    kill(start(), silent_supervisor, monkeypatch)

    assert cloud.count("POST", "/cancel") == 0


def test_a_kill_may_be_told_to_leave_the_run(cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `cancel_on_kill=False` nobody is asked, and nothing cancelled."""
    supervisor = FakeSupervisor("failed")

    kill(start(cancel_on_kill=False), supervisor, monkeypatch)

    assert supervisor.asked == []
    assert cloud.count("POST", "/cancel") == 0


@pytest.mark.parametrize("cancel_on_kill", [True, False], ids=["cancel on kill", "leave on kill"])
def test_an_execution_timeout_cancels_the_run_that_was_just_asked_for(
    cloud: Cloud, legs: Legs, monkeypatch: pytest.MonkeyPatch, *, cancel_on_kill: bool
) -> None:
    """The alarm may strike before the watch has begun: the run is cancelled then too, and forgotten."""
    cloud.create()
    cloud.emulator.control.set_scale(10)

    async def time_out(*_: Any) -> Any:
        raise AirflowTaskTimeout

    monkeypatch.setattr(ImageTemplateService, "see_run", time_out)
    operator = legs.make(task(RUN, "run", cancel_on_kill=cancel_on_kill))
    with pytest.raises(AirflowTaskTimeout):
        operator.execute(legs.context)
    supervisor = FakeSupervisor("running")

    kill(operator, supervisor, monkeypatch)

    assert cloud.count("POST", "/cancel") == 1
    # Known still to whoever comes next, and not joined.
    assert set(legs.store.values) == {FORMER_KEY}


def test_a_kill_before_the_run_cancels_nothing(cloud: Cloud, legs: Legs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that has not asked for a run yet leaves alone what somebody else has started."""
    cloud.create()
    cloud.emulator.control.set_scale(10)
    cloud.start_run()
    supervisor = FakeSupervisor("failed")

    kill(legs.make(task(RUN, "run")), supervisor, monkeypatch)

    assert supervisor.asked == []
    assert cloud.count("POST", "/cancel") == 0


def test_a_kill_that_azure_refuses_is_no_error(cloud: Cloud, start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that does not work is told in the log; the kill itself comes to its end."""
    operator = start()
    cloud.plan_fault(method="POST", path="/cancel$", status=403)

    kill(operator, FakeSupervisor("failed"), monkeypatch)

    assert cloud.count("POST", "/cancel") == 1
