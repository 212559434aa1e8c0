"""A task of the model: the real operator, leg by leg, of which nothing outlives a leg but what Airflow keeps."""

from __future__ import annotations

import copy
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferred

from airflow_aib.exceptions import ImageBuilderError, ImageRunError
from airflow_aib.hooks.run_async import run_async
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import RunState
from airflow_aib.operators.image_run import AzureImageTemplateRunOperator
from airflow_aib.operators.retry import is_final
from airflow_aib.operators.run_memory import KEY
from airflow_aib.triggers.image_template import AzureImageTemplateRunTrigger
from airflow_aib.triggers.state_event import StateEvent
from airflow_aib.triggers.task_state import OVER_STATES
from airflow_aib.triggers.wanted_run import WantedRun
from airflow_aib.triggers.watching import watch_with
from tests.fakes import FakeTask
from tests.model.azure import is_followed
from tests.model.crashes import CrashError, Interruption, MortalStore, MortalTaskInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_aib.image_run.choices import IfRunning
    from airflow_aib.image_run.run_event import RunEvent
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.triggers.watching import WatchOrder
    from tests.fakes import FakeSupervisor
    from tests.model.azure import ModelAzure

LOG = logging.getLogger("airflow_aib.tests.model")
# Emulated seconds: few looks in a build.
POLL_INTERVAL = 120.0
# Emulated seconds beyond the build timeout: negative, since the service itself would end a run by then.
RUN_ALLOWANCE = -1800.0
KILL = "kill"
SHUTDOWN = "shutdown"
BAD_ENDS = {RunState.FAILED, RunState.CANCELED}
RETRIES = 100


class ModelOperator(AzureImageTemplateRunOperator):
    """Be the real operator, on the model's Azure and in the model's time."""

    azure: ModelAzure
    name: str
    interruption: Interruption

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[Any]:
        """Lend what may be interrupted."""
        async with self.azure.open_service(self.name, self.interruption) as service:
            yield service

    def _watch_here(self, order: WatchOrder) -> RunEvent:
        return run_async(self.watch(order))

    async def watch(self, order: WatchOrder, on_phase: Callable[[LastRunStatus], None] = lambda _: None) -> RunEvent:
        """Watch as worker and triggerer do."""
        async with self.azure.open_service(self.name, self.interruption, is_watch=True) as service:
            return await watch_with(service, order, log=LOG, on_phase=on_phase)


@dataclass
class ModelTask:
    """Run one task through tries, deferrals, clears and kills.

    :param name: of the task
    :param azure: where it builds
    :param if_running: what it does about others
    :param deferrable: whether it waits on the triggerer
    :param supervisor: tells its state
    :param begun: by intent: the runs that it has begun; an intent ends with a reported end, a kill or a clear
    :param reported: start times of the runs whose end it has reported
    :param given_up: intents that a person or the execution timeout has ended
    :param unknown: by intent of which it has said that nobody knows what became of it: which runs there were by then
    :param timed_out: start times of the runs that it has given up at its execution timeout
    :param unsure: intents of which it has said that the run it tells of is not certainly its own
    :param results: what it has returned, and how sure it was of the run
    :param is_done: whether there is no leg to run
    :param has_begun: whether it has run a leg
    :param is_settled: whether Airflow has no reason either to try it again
    """

    name: str
    azure: ModelAzure
    if_running: IfRunning
    deferrable: bool
    supervisor: FakeSupervisor
    store: MortalStore = field(default_factory=MortalStore)
    task_instance: MortalTaskInstance = field(
        default_factory=lambda: MortalTaskInstance(max_tries=RETRIES, task=FakeTask(retries=RETRIES))
    )
    deferral: tuple[dict[str, Any], str] | None = None
    intent: int = 1
    begun: dict[int, list[str]] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)
    unknown: dict[int, set[str]] = field(default_factory=dict)
    timed_out: set[str] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)
    results: list[tuple[str, str]] = field(default_factory=list)
    is_done: bool = False
    has_begun: bool = False
    is_settled: bool = False
    _operator: ModelOperator | None = None
    _trigger: AzureImageTemplateRunTrigger | None = None

    @property
    def context(self) -> Any:
        """What Airflow hands to it."""
        return {"ti": self.task_instance, "task_state_store": self.store}

    @property
    def remembered(self) -> ImageRunHandle | None:
        """The run that it remembers."""
        kept = self.store.values.get("image_run")
        return ImageRunHandle.from_json(kept["handle"]) if kept else None

    def run_leg(self, interruption: Interruption) -> str:
        """Run the next leg: to a deferral, an end, or a death; say which."""
        self.has_begun = True
        self.store.interruption = self.task_instance.interruption = interruption
        operator = self._operator = self._make(interruption)
        known = set(self.azure.run_states())
        try:
            self._end_well(self._go_on(operator))
        except TaskDeferred as deferred:
            _, kwargs = deferred.trigger.serialize()
            self.deferral = copy.deepcopy(kwargs), str(deferred.method_name)
            return "deferred"
        except CrashError:
            self._note_begun(known)
            if f"after {KEY} is forgotten" in interruption.points and self.remembered is None:
                self._end_untold()
            if self.deferral is None:
                self._try_again()
            # Else a triggerer died: another one makes the trigger again, within the same try.
            return "died"
        except AirflowTaskTimeout:
            self._note_begun(known)
            self._time_out(operator)
            return "timed out"
        except ImageBuilderError as error:
            self._end_badly(error, is_final=is_final(operator.retry_policy, error))
            return type(error).__name__
        finally:
            self.store.interruption = self.task_instance.interruption = Interruption()
            self._trigger = None
            self._note_begun(known)
        return "succeeded"

    def clear(self) -> None:
        """Let a person clear it, whatever it does."""
        self.intent += 1
        self.given_up.add(self.intent - 1)
        self.task_instance.max_tries = self.task_instance.try_number + RETRIES
        self.is_done = self.is_settled = False
        self._try_again()

    def kill(self) -> None:
        """Let a person mark it failed while it is deferred, before a triggerer has looked."""
        if self.deferral is None:
            return
        if "order" in self.deferral[0]:
            self._trigger = self._make_trigger()
            self.be_told_to_stop("failed")
        self.end_by_hand("failed")

    def be_told_to_stop(self, state: str) -> None:
        """Do what Airflow calls when the process that runs the leg is told to stop.

        :param state: of the task instance by then
        """
        self.supervisor.state = state
        with self.azure.noting_cancels(f"{KILL} {self.name}" if state in OVER_STATES else SHUTDOWN):
            if self._trigger is not None:
                run_async(self._trigger.on_kill())
            elif self._operator is not None and self.deferral is None:
                self._operator.on_kill()

    def end_by_hand(self, state: str) -> None:
        """Be what a person has made of the task instance.

        :param state: `failed` or `success`: it is over; `restarting`: it was cleared; else only a process has ended
        """
        self._trigger = None
        if state in OVER_STATES:
            self.given_up.add(self.intent)
            self.deferral = None
            self.is_done = self.is_settled = True
        elif state == "restarting":
            self.clear()

    def _make(self, interruption: Interruption) -> ModelOperator:
        operator = ModelOperator(
            task_id=self.name,
            image_template_id=self.azure.cloud.image_template_id,
            if_running=self.if_running,
            deferrable=self.deferrable,
            poll_interval=POLL_INTERVAL,
            run_allowance=RUN_ALLOWANCE,
            relay_log="off",
            late_success_allowance=0,
        )
        operator.azure, operator.name, operator.interruption = self.azure, self.name, interruption
        operator.hook.__dict__["settings"] = self.azure.cloud.settings
        return operator

    def _go_on(self, operator: ModelOperator) -> dict[str, Any]:
        if self.deferral is None:
            return operator.execute(self.context)
        kwargs, method_name = self.deferral
        # A trigger that dies is made again from the very same arguments, here or on another triggerer.
        self._trigger = self._make_trigger() if "order" in kwargs else None
        event = run_async(_wait(operator, kwargs, self._trigger))
        self.deferral = self._trigger = None
        result: dict[str, Any] = getattr(operator, method_name)(self.context, event)
        return result

    def _make_trigger(self) -> AzureImageTemplateRunTrigger:
        assert self.deferral is not None
        trigger = AzureImageTemplateRunTrigger(**copy.deepcopy(self.deferral[0]))
        trigger.task_instance = self.task_instance  # type: ignore[assignment]  # has what on_kill needs
        # In place of Airflow's connection.
        trigger._settings = self.azure.cloud.settings
        return trigger

    def _time_out(self, operator: ModelOperator) -> None:
        """Do what Airflow does after an execution timeout: call `on_kill`, and try again."""
        self.supervisor.state = "running"
        with self.azure.noting_cancels(self.name):
            operator.on_kill()
        if operator._has_timed_out:
            # What was begun is given up, so that the next try begins anew.
            self.timed_out.update(self.begun.get(self.intent, []))
            self.given_up.add(self.intent)
            self.intent += 1
        self._try_again()

    def _note_begun(self, known: set[str]) -> None:
        noted = {start for begun in self.begun.values() for start in begun} | known
        new = [start for start, owner in self.azure.owners.items() if owner == self.name and start not in noted]
        self.begun.setdefault(self.intent, []).extend(new)

    def _end_well(self, result: dict[str, Any]) -> None:
        self._note_certainty()
        self.results.append((result["start_time"], self.task_instance.pushed["image_run"]["ownership"]))
        self.reported.add(result["start_time"])
        self.is_done = self.is_settled = True

    def _note_certainty(self) -> None:
        handle = self.task_instance.pushed.get("image_run") or {}
        if handle.get("ownership") == RunOwnership.UNCONFIRMED:
            self.unsure.add(self.intent)

    def _end_badly(self, error: ImageBuilderError, *, is_final: bool) -> None:
        status = error.last_run_status if isinstance(error, ImageRunError) else None
        # An end that is final is not tried again, so that it need not be forgotten.
        is_final = is_final and status is not None
        is_end = isinstance(error, ImageRunError) and (self.remembered is None or is_final)
        if status is not None:
            self.reported.add(status.to_json()["start_time"])
        elif is_end:
            # Reported as unknown.
            self.unknown[self.intent] = set(self.azure.run_states())
        self._note_certainty()
        self.is_done = is_end
        self.is_settled = is_end and is_final
        self._try_again()

    def _end_untold(self) -> None:
        """Die after the last word about a run that has ended badly or is hidden, and before Airflow hears it.

        For Airflow the try has failed, with these words or without: the next one begins anew.
        """
        states = self.azure.run_states()
        if all(states[start] in BAD_ENDS or is_followed(start, states) for start in self.begun.get(self.intent, [])):
            self.given_up.add(self.intent)
            self.intent += 1

    def retry(self) -> None:
        """Let Airflow try again, if a build has ended badly."""
        if self.is_done and not self.is_settled:
            self.intent += 1
            self.is_done = False

    def _try_again(self) -> None:
        self.deferral = None
        self.task_instance.try_number += 1


async def _wait(
    operator: ModelOperator, kwargs: Mapping[str, Any], trigger: AzureImageTemplateRunTrigger | None
) -> dict[str, Any]:
    """Do what the trigger does, from its stored arguments alone."""
    if trigger is not None:
        return (await operator.watch(trigger.order, trigger._note_start)).to_payload()
    async with operator.open_service() as service:
        await service.wait_until_idle(
            kwargs["image_template_id"],
            handle=WantedRun.from_json(kwargs["run"]).handle,
            handover=timedelta(seconds=kwargs["handover"]),
            poll_interval=kwargs["poll_interval"],
            within=timedelta(days=1),
        )
    return StateEvent("reached", kwargs["image_template_id"]).to_payload()
