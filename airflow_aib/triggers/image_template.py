"""Triggers that wait for image templates and their runs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_aib.arguments import require_choice, require_interval, require_seconds
from airflow_aib.exceptions import ImageBuilderError, ImageRunTimeoutError
from airflow_aib.hooks.default_connection import DEFAULT_CONNECTION_ID
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.image_run.run_event import RunEvent
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.triggers.state_event import StateEvent

WaitedState = Literal["provisioned", "deleted", "canceled", "over", "idle"]
WAITED_STATES: tuple[WaitedState, ...] = get_args(WaitedState)

# Seconds. Airflow gives `on_kill` of a trigger thirty.
ON_KILL_TIME = 25.0


class AzureImageTemplateRunTrigger(BaseTrigger):
    """Wait for the end of an image template's run, and log what happens until then.

    It never raises: whatever goes wrong travels as an event, so that the operator can raise an error that says what it
    was. It lets Azure's clients go before its event, so that nothing is left to await after it.

    :param order: which run to watch and how, as `WatchOrder.to_json` writes it
    :param not_before: when the event may be sent at the earliest, ISO 8601; see option `trigger_min_age`
    :param azure_conn_id: id of the Airflow connection
    :param cancel_on_kill: whether to cancel the run when a person ends the task
    """

    def __init__(
        self,
        *,
        order: Mapping[str, Any],
        not_before: str,
        azure_conn_id: str = DEFAULT_CONNECTION_ID,
        cancel_on_kill: bool = True,
    ) -> None:
        from airflow_aib.triggers.watching import WatchOrder

        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.order = WatchOrder.from_json(order)
        self.not_before = not_before
        self.azure_conn_id = azure_conn_id
        self.cancel_on_kill = cancel_on_kill
        self._settings: AzureSettings | None = None
        # What `on_kill` may cancel: by its start time, as soon as that has been seen.
        self._handle = self.order.handle

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what makes the same trigger anew; Airflow stores it unencrypted."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "order": self.order.to_json(),
                "not_before": self.not_before,
                "azure_conn_id": self.azure_conn_id,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch the run, and send one event."""
        event = await self._watch()
        await hold_until(self.not_before)
        # The very last thing: Airflow calls `on_kill` when anything is awaited after the event.
        yield TriggerEvent(event.to_payload())  # type: ignore[no-untyped-call]  # Airflow's own

    async def on_kill(self) -> None:
        """Cancel the run when a person has ended the task, and only then."""
        from airflow_aib.triggers.outlasting import outlast_cancellation

        if not self.cancel_on_kill or self.task_instance is None:
            return
        await outlast_cancellation(self._cancel_in_time())

    async def _cancel_in_time(self) -> None:
        try:
            async with asyncio.timeout(ON_KILL_TIME):
                await self._cancel_if_over()
        except Exception:  # Airflow would swallow it: say at least what it was
            self.log.warning("The run was not cancelled; it goes on until its build timeout.", exc_info=True)

    async def _watch(self) -> RunEvent:
        from airflow_aib.image_run.run_event import RunEvent
        from airflow_aib.masking import mask
        from airflow_aib.triggers.relay_memory import RelayMemory
        from airflow_aib.triggers.watching import watch_to_the_end

        try:
            # `dag.test()` has no task instance for triggers.
            memory = RelayMemory(self.task_instance) if self.task_instance is not None else None
            return await watch_to_the_end(
                await self._read_settings(), self.order, log=self.log, on_phase=self._note_start, memory=memory
            )
        except Exception as error:  # a trigger that raises loses the error's type
            self.log.warning("The run cannot be watched any longer; it goes on.", exc_info=True)
            message = f"{type(error).__name__}: {mask(str(error))}"
            return RunEvent("unwatchable", self.order.handle.image_template_id, None, message)

    def _note_start(self, status: LastRunStatus) -> None:
        self._handle = self.order.handle.joined_to(status)

    async def _cancel_if_over(self) -> None:
        from airflow_aib.hooks.unwanted_run import NOT_OURS, cancel_run
        from airflow_aib.triggers.task_state import OVER_STATES, read_task_state

        state = await read_task_state(self.task_instance)  # type: ignore[arg-type]  # Airflow's type lags behind its DTO
        if state not in OVER_STATES:
            self.log.info("The task instance is %s, so the run is still wanted; it goes on.", state)
            return
        if not self._handle.is_own:
            self.log.info("The task instance is %s; %s.", state, NOT_OURS)
            return
        was_cancelled = await cancel_run(await self._read_settings(), self._handle)
        self.log.info(
            "The task instance is %s, %s.",
            state,
            "so Azure was asked to cancel its run"
            if was_cancelled
            else "and no run of it goes on that could be cancelled",
        )

    async def _read_settings(self) -> AzureSettings:
        from airflow_aib.hooks.image_builder import AzureImageBuilderHook

        if self._settings is None:
            self._settings = await AzureImageBuilderHook(self.azure_conn_id).async_settings()
        return self._settings


class AzureImageTemplateStateTrigger(BaseTrigger):
    """Wait until an image template is provisioned or deleted, or a run of it has really ended.

    It only says that it is worth looking again: the operator looks itself, and raises what is to be raised.

    :param image_template_id: resource id
    :param wait_for: `provisioned`; `deleted`; `canceled`: no run goes on; `over`: the wanted run has come and ended;
        `idle`: no run goes on, and the last one has been over for `handover`
    :param deadline: until when to wait, ISO 8601
    :param not_before: when the event may be sent at the earliest, ISO 8601; see option `trigger_min_age`
    :param run: for `canceled`, `over` and `idle`: which run, as `WantedRun.to_json` writes it; None means the last one
    :param handover: for `idle`: seconds for which the last run must be over
    :param poll_interval: seconds between two looks
    :param azure_conn_id: id of the Airflow connection
    """

    def __init__(
        self,
        *,
        image_template_id: str,
        wait_for: WaitedState,
        deadline: str,
        not_before: str,
        run: Mapping[str, Any] | None = None,
        handover: float = 0.0,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        azure_conn_id: str = DEFAULT_CONNECTION_ID,
    ) -> None:
        from airflow_aib.triggers.wanted_run import WantedRun

        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.image_template_id = image_template_id
        self.wait_for: WaitedState = require_choice("wait_for", wait_for, WAITED_STATES)
        self.deadline = deadline
        self.not_before = not_before
        self.wanted_run = WantedRun.from_json(run or {})
        self.handover = require_seconds("handover", handover)
        self.poll_interval = require_interval("poll_interval", poll_interval)
        self.azure_conn_id = azure_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what makes the same trigger anew; Airflow stores it unencrypted."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "image_template_id": self.image_template_id,
                "wait_for": self.wait_for,
                "deadline": self.deadline,
                "not_before": self.not_before,
                "run": self.wanted_run.to_json(),
                "handover": self.handover,
                "poll_interval": self.poll_interval,
                "azure_conn_id": self.azure_conn_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the state, and send one event."""
        event = await self._wait()
        await hold_until(self.not_before)
        yield TriggerEvent(event.to_payload())  # type: ignore[no-untyped-call]  # Airflow's own

    async def _wait(self) -> StateEvent:
        from airflow_aib.hooks.clients import shared_clients
        from airflow_aib.hooks.image_builder import AzureImageBuilderHook, ImageTemplateService
        from airflow_aib.hooks.polling.poller import fleet_looks
        from airflow_aib.triggers.state_event import StateEvent

        try:
            settings = await AzureImageBuilderHook(self.azure_conn_id).async_settings()
            async with shared_clients(settings) as clients, fleet_looks(clients, self.image_template_id) as looks:
                await self._wait_for_state(ImageTemplateService(clients, looks=looks))
        except Exception as error:  # a trigger that raises loses the error's type
            if not isinstance(error, ImageBuilderError):
                self.log.warning("Waiting ended early.", exc_info=True)
            return StateEvent.not_reached(self.image_template_id, error)
        return StateEvent("reached", self.image_template_id, f"{self.image_template_id} is {self.wait_for}.")

    async def _wait_for_state(self, service: ImageTemplateService) -> None:
        within = max(datetime.fromisoformat(self.deadline) - service.clock.now(), timedelta())
        image_template_id, poll_interval = self.image_template_id, self.poll_interval
        if self.wait_for == "provisioned":
            await service.wait_until_provisioned(image_template_id, poll_interval=poll_interval, within=within)
        elif self.wait_for == "deleted":
            await service.wait_until_deleted(image_template_id, poll_interval=poll_interval, within=within)
        elif self.wait_for == "canceled":
            handle = self.wanted_run.handle
            await service.wait_until_over(image_template_id, handle=handle, poll_interval=poll_interval, within=within)
        elif self.wait_for == "idle":
            await service.wait_until_idle(
                image_template_id,
                handle=self.wanted_run.handle,
                handover=timedelta(seconds=self.handover),
                poll_interval=poll_interval,
                within=within,
            )
        else:
            await self._wait_until_decided(service, within)

    async def _wait_until_decided(self, service: ImageTemplateService, within: timedelta) -> None:
        from airflow_aib.hooks.image_templates import required
        from airflow_aib.hooks.waiting import Patience, Wait
        from airflow_aib.image_run.run_status import read_last_run_status

        async def look() -> LastRunStatus | None:
            return read_last_run_status(required(self.image_template_id, await looks.look()))

        def overdue(status: LastRunStatus | None) -> ImageRunTimeoutError:
            phase = status.phase if status else "none"
            return ImageRunTimeoutError(
                f"No such run of {self.image_template_id} was over in time; the last run seen is {phase}",
                hint="Allow more time, or look why nobody has started that run.",
                image_template_id=self.image_template_id,
            )

        looks = service.looks_at(self.image_template_id)
        patience = Patience(self.poll_interval, within)
        await Wait(look, self.wanted_run.is_decided, overdue, patience, service.clock, rest=looks.rest).until_done()


async def hold_until(not_before: str) -> None:
    """Wait until an event may be sent."""
    from airflow_aib.hooks.clock import SYSTEM_CLOCK

    wait = datetime.fromisoformat(not_before) - SYSTEM_CLOCK.now()
    if wait > timedelta():
        await SYSTEM_CLOCK.sleep(wait.total_seconds())
