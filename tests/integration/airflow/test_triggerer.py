"""Our trigger in Airflow's own triggerer: what its runner does with it, for one triggerer and for two."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from airflow.executors.workloads.task import TaskInstanceDTO
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import GetTaskStates

from airflow_aib.triggers.image_template import AzureImageTemplateRunTrigger
from tests.fakes import FakeSupervisor
from tests.integration.airflow.test_triggers import handle, in_thread, run_trigger, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.airflow.cloud import Cloud

__all__ = ["handle"]

TRIGGER_ID = 1
TASK_INSTANCE = TaskInstanceDTO(
    id=UUID(int=1),
    dag_version_id=UUID(int=2),
    dag_id="dag",
    task_id="run",
    run_id="manual",
    try_number=1,
    pool_slots=1,
    priority_weight=1,
)


class Triggerer:
    """Run one trigger as a triggerer does, without a database.

    :param trigger: as it was made of what Airflow stores
    """

    def __init__(self, trigger: AzureImageTemplateRunTrigger) -> None:
        trigger.task_instance = TASK_INSTANCE  # type: ignore[assignment]  # Airflow's type lags behind its DTO
        self.runner = TriggerRunner()  # type: ignore[no-untyped-call]  # Airflow's own
        self.runner.triggers[TRIGGER_ID] = {"name": "run", "events": 0}  # type: ignore[typeddict-item]  # what it reads
        self.task = asyncio.create_task(self.runner.run_trigger(TRIGGER_ID, trigger))
        self.runner.triggers[TRIGGER_ID]["task"] = self.task

    async def drop(self) -> None:
        """Learn that the trigger is no longer this triggerer's, and be told so with every sync until it has ended."""
        while not self.task.done():
            self.runner.to_cancel.append(TRIGGER_ID)
            await self.runner.cancel_triggers()  # type: ignore[no-untyped-call]  # Airflow's own
            await asyncio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError):
            await self.task

    def events(self) -> list[dict[str, Any]]:
        """Give what it has to tell the database."""
        return [entry.event.payload for entry in self.runner.events]


def questions(supervisor: FakeSupervisor) -> list[GetTaskStates]:
    """Give what was asked about the task instance's state."""
    return [asked for asked in supervisor.asked if isinstance(asked, GetTaskStates)]


def has_looked(cloud: Cloud) -> Callable[[], bool]:
    """Give the condition that some more looks have been made than until now."""
    before = cloud.count("GET", "imageTemplates/base")
    return lambda: cloud.count("GET", "imageTemplates/base") > before + 1


async def test_a_stalled_triggerer_that_wakes_up_leaves_the_run_to_the_other(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `on_kill` is called although nobody has ended the task: the other one watches the run to its good end."""
    cloud.emulator.control.set_scale(20)
    supervisor = FakeSupervisor("deferred")
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    trigger = run_trigger(cloud, handle)
    stalled = Triggerer(trigger)
    await until(has_looked(cloud))
    other = Triggerer(AzureImageTemplateRunTrigger(**trigger.serialize()[1]))
    await until(has_looked(cloud))

    await stalled.drop()
    await in_thread(lambda: cloud.emulator.control.set_scale(1000))
    await other.task

    assert len(questions(supervisor)) == 1
    assert stalled.events() == []
    (event,) = other.events()
    assert (event["status"], event["last_run_status"]["run_state"]) == ("over", "Succeeded")
    assert cloud.count("POST", "/cancel") == 0


async def test_a_task_that_a_person_ends_ends_its_run(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner calls `on_kill` and cancels it with every sync; the run is cancelled all the same, and once."""
    cloud.emulator.control.set_scale(10)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", FakeSupervisor("failed"), raising=False)
    triggerer = Triggerer(run_trigger(cloud, handle))
    await until(has_looked(cloud))

    await triggerer.drop()

    assert triggerer.events() == []
    assert cloud.count("POST", "/cancel") == 1


async def test_a_triggerer_that_shuts_down_cancels_nothing(
    cloud: Cloud, handle: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shutting down cancels the trigger without a word: nobody is asked, and the run goes on."""
    cloud.emulator.control.set_scale(10)
    supervisor = FakeSupervisor("failed")
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    triggerer = Triggerer(run_trigger(cloud, handle))
    await until(has_looked(cloud))

    triggerer.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await triggerer.task

    assert questions(supervisor) == []
    assert cloud.count("POST", "/cancel") == 0
