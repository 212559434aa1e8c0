"""Watch one run to its end, log what happens, and end a run that is overdue: the same on triggerer and worker."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.arguments import require_interval, require_seconds
from airflow_aib.exceptions import ImageBuilderError, ImageRunStuckError
from airflow_aib.hooks.byte_budget import shared_budget, turn_patience
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.late_images import LateImages
from airflow_aib.hooks.log_channel import shared_channel
from airflow_aib.hooks.log_relay import LogRelay
from airflow_aib.hooks.polling.poller import fleet_looks
from airflow_aib.hooks.run_watch import LogLines, PhaseChange, watch_run
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.waiting import Patience
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
from airflow_aib.image_run.late_success import DISTRIBUTING, may_come_late
from airflow_aib.image_run.log_summary import LogSummary
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.hooks.log_channel import LogChannel
    from airflow_aib.hooks.log_relay import RelayMark
    from airflow_aib.hooks.run_watch import WatchTrouble
    from airflow_aib.hooks.staging_account import StagingAccounts
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.choices import OnPartialSuccess, RelayLevel
    from airflow_aib.image_run.deadline import TimeLimit
    from airflow_aib.image_run.run_event import RunEventReason
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.triggers.relay_memory import RelayMemory


@dataclass(frozen=True)
class WatchOrder:
    """Say which run to watch and how; it is what a trigger is made of, so it holds no secrets.

    :param handle: the run
    :param deadline: when it must be over
    :param time_limit: which limit says so
    :param poll_interval: seconds between two looks
    :param cancel_overdue: whether to cancel a run that is not over by then
    :param cancel_allowance: seconds that it may then take to end
    :param relay_log: what to log of the customization log as it grows
    :param late_allowance: seconds to wait for images after a failed distribution, from the run's end on; none to leave
        it at that
    :param late_until: the moment at which that ends in any case, as by an execution timeout
    :param on_partial_success: what may lack of a partial success, so that it is not waited for
    """

    handle: ImageRunHandle
    deadline: datetime
    time_limit: TimeLimit = "build_timeout"
    poll_interval: float = DEFAULT_POLL_INTERVAL
    cancel_overdue: bool = True
    cancel_allowance: float = 1200.0
    relay_log: RelayLevel = "full"
    late_allowance: float = 0.0
    late_until: datetime | None = None
    on_partial_success: OnPartialSuccess = "fail"

    def __post_init__(self) -> None:
        """Refuse what no wait could be made of."""
        require_interval("poll_interval", self.poll_interval)
        require_seconds("cancel_allowance", self.cancel_allowance)
        require_seconds("late_allowance", self.late_allowance)

    def to_json(self) -> dict[str, Any]:
        """Give the order as JSON."""
        return {
            "handle": self.handle.to_json(),
            "deadline": self.deadline.isoformat(),
            "time_limit": self.time_limit,
            "poll_interval": self.poll_interval,
            "cancel_overdue": self.cancel_overdue,
            "cancel_allowance": self.cancel_allowance,
            "relay_log": self.relay_log,
            "late_allowance": self.late_allowance,
            "late_until": self.late_until.isoformat() if self.late_until else None,
            "on_partial_success": self.on_partial_success,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WatchOrder:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in _PLAIN_FIELDS if name in value}
        late_until = value.get("late_until")
        return cls(
            handle=ImageRunHandle.from_json(value["handle"]),
            deadline=datetime.fromisoformat(value["deadline"]),
            late_until=datetime.fromisoformat(late_until) if late_until else None,
            **known,
        )


_PLAIN_FIELDS = (
    "time_limit",
    "poll_interval",
    "cancel_overdue",
    "cancel_allowance",
    "relay_log",
    "late_allowance",
    "on_partial_success",
)


async def watch_to_the_end(
    settings: AzureSettings,
    order: WatchOrder,
    *,
    log: TaskLog,
    clock: Clock = SYSTEM_CLOCK,
    on_phase: Callable[[LastRunStatus], None] = lambda _: None,
    memory: RelayMemory | None = None,
) -> RunEvent:
    """Watch the run until it is over, or cannot be watched, or is overdue and has been cancelled.

    After a distribution that has failed, or did not come to its end in time, its images are waited for besides.

    :param settings: how Azure is reached
    :param order: which run, and how
    :param log: the task's
    :param clock: tells the time and waits
    :param on_phase: is told when the run enters another state or phase
    :param memory: keeps how far the log was relayed; None keeps nothing
    """
    image_template_id = order.handle.image_template_id
    async with shared_clients(settings) as clients, fleet_looks(clients, image_template_id, clock=clock) as looks:
        service = ImageTemplateService(clients, clock=clock, looks=looks)
        async with _opened_relay(clients, order, clock, memory, looks.accounts) as relay:
            return await watch_with(service, order, log=log, on_phase=on_phase, relay=relay, memory=memory)


async def watch_with(
    service: ImageTemplateService,
    order: WatchOrder,
    *,
    log: TaskLog,
    on_phase: Callable[[LastRunStatus], None] = lambda _: None,
    relay: LogRelay | None = None,
    memory: RelayMemory | None = None,
) -> RunEvent:
    """Do the same with a service that is open.

    :param service: how Azure is reached
    :param relay: relays the customization log; None leaves it alone
    """
    updates = watch_run(
        service,
        order.handle,
        deadline=order.deadline,
        poll_interval=order.poll_interval,
        relay=relay,
        looks=service.looks_at(order.handle.image_template_id),
        clock=service.clock,
    )
    was_distributing, told = False, _Told(log, service.clock)
    async with _remembered(told, memory):
        async for update in updates:
            if isinstance(update, RunEvent):
                event = replace(update, time_limit=order.time_limit)
                if event.status == "timeout" and order.cancel_overdue:
                    event = await _end_overdue_run(service, order, event, log)
                event = await _with_late_images(service, order, event, log, was_distributing=was_distributing)
                await told.channel.drain(service.clock)
                return _with_log(event, relay)
            if isinstance(update, PhaseChange):
                on_phase(update.last_run_status)
                was_distributing = was_distributing or update.last_run_status.run_sub_state == DISTRIBUTING
            await told.tell(update)
            if memory is not None:
                await memory.note(told.mark, service.clock.now())
    raise RuntimeError("watch_run ended without an event")


@dataclass
class _Told:
    """Tell in a task's log what a watch has seen, and how far the relayed log was told.

    :param log: the task's
    :param clock: tells the time and waits
    :param channel: into which the log goes
    :param mark: how far the relayed log was told
    """

    log: TaskLog
    clock: Clock
    channel: LogChannel = field(default_factory=shared_channel)
    mark: RelayMark | None = None

    async def tell(self, update: PhaseChange | LogLines | WatchTrouble) -> None:
        """Log an update as there is room for it; all the rest of it at once should the wait be cancelled."""
        messages = deque(update.messages)
        try:
            while messages:
                await self.channel.make_room(messages[0], self.clock)
                self.log.log(update.level, "%s", messages.popleft())
        finally:
            for message in messages:
                self.log.log(update.level, "%s", message)
            # Whoever takes over goes on behind what was told; what was only read is told by him.
            if isinstance(update, LogLines):
                self.mark = update.mark


@asynccontextmanager
async def _remembered(told: _Told, memory: RelayMemory | None) -> AsyncIterator[None]:
    """Keep how far the log was told when this triggerer is to stop, for the one that takes over."""
    try:
        yield
    except asyncio.CancelledError:
        if memory is not None:
            await memory.keep(told.mark)
        raise


def _with_log(event: RunEvent, relay: LogRelay | None) -> RunEvent:
    """Have the event carry what the relay has read, if that is the whole log."""
    customization_log = relay.customization_log if relay is not None else None
    return replace(event, customization_log=customization_log.to_json()) if customization_log is not None else event


@asynccontextmanager
async def _opened_relay(
    clients: AzureClients,
    order: WatchOrder,
    clock: Clock,
    memory: RelayMemory | None,
    accounts: StagingAccounts | None,
) -> AsyncIterator[LogRelay | None]:
    """Give what relays the log. Where an earlier one has ended is asked meanwhile: the run is watched at once."""
    if order.relay_log == "off":
        yield None
        return
    recalling = asyncio.create_task(memory.recall()) if memory is not None else None
    try:
        yield LogRelay(
            StagingArea(clients, accounts=accounts),
            recalling=recalling,
            masker=clients.settings.masker,
            shared=shared_budget(),
            patience=turn_patience(order.poll_interval),
            summary=LogSummary() if order.relay_log == "summary" else None,
            clock=clock,
        )
    finally:
        if recalling is not None:
            recalling.cancel()
            await asyncio.wait({recalling})


async def _end_overdue_run(service: ImageTemplateService, order: WatchOrder, event: RunEvent, log: TaskLog) -> RunEvent:
    """Cancel a run whose time has passed, and wait for its real end; both within the cancel's own allowance."""
    seen = event.read_last_run_status()
    # By its start time, wherever it was seen: nothing else may be cancelled.
    handle = order.handle.joined_to(seen) if seen is not None else order.handle
    log.warning("%s. It is cancelled now.", event.message)
    within = timedelta(seconds=order.cancel_allowance)
    end = service.clock.now() + within
    try:
        await service.cancel_through_outages(
            handle.image_template_id, handle=handle, patience=Patience(order.poll_interval, within, error_budget=within)
        )
        status = await service.wait_until_over(
            handle.image_template_id,
            handle=handle,
            poll_interval=order.poll_interval,
            within=max(end - service.clock.now(), timedelta()),
        )
    except ImageRunStuckError as error:
        return _still_going_on(event, "stuck", error)
    except ImageBuilderError as error:
        return _still_going_on(event, "not cancelled", error)
    if status is None or not handle.matches(status):
        return event
    # It may have ended well while it was being cancelled: then it is what was wanted, only late.
    return RunEvent(
        status="over" if status.has_succeeded else "timeout",
        image_template_id=handle.image_template_id,
        last_run_status=status.to_json(),
        message=f"{event.message}. It was cancelled, and ended {status.run_state}",
        time_limit=event.time_limit,
        is_late=status.has_succeeded,
    )


async def _with_late_images(
    service: ImageTemplateService, order: WatchOrder, event: RunEvent, log: TaskLog, *, was_distributing: bool
) -> RunEvent:
    """Wait for the images of a run that has ended badly, where any may come."""
    status = event.read_last_run_status()
    is_end = event.status == "timeout" or (event.status == "over" and may_come_late(status))
    if status is None or not is_end or not order.late_allowance:
        return event
    late = LateImages(service, event.image_template_id, status, log, order.on_partial_success)
    if not await late.may_come(was_distributing=was_distributing):
        return event
    images = await late.come(poll_interval=order.poll_interval, within=_late_wait(order, status, service.clock.now()))
    return replace(event, late_artifacts=tuple(image.to_json() for image in images))


def _late_wait(order: WatchOrder, status: LastRunStatus, now: datetime) -> timedelta:
    """Give how long to wait yet for late images: from the run's end on, whoever has waited for them before."""
    allowance = timedelta(seconds=order.late_allowance)
    # The service's clock may be ahead of ours.
    until = min(status.ended_at or now, now) + allowance
    return max(min(until, order.late_until or until) - now, timedelta())


def _still_going_on(event: RunEvent, reason: RunEventReason, error: ImageBuilderError) -> RunEvent:
    seen = getattr(error, "last_run_status", None)
    return replace(
        event,
        last_run_status=seen.to_json() if seen is not None else event.last_run_status,
        # What helps a run that is stuck is said by the error that it becomes.
        message=f"{event.message}. Cancelling it did not end it: {error.message if reason == 'stuck' else error}",
        reason=reason,
    )
