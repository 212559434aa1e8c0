"""Watch a run until it is over: bear failed looks, relay its log, keep its deadline."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import is_transient, retry_after
from airflow_aib.hooks.log_relay import records
from airflow_aib.hooks.polling.looks import OwnLooks
from airflow_aib.hooks.waiting import JITTER
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
from airflow_aib.image_run.run_event import RunEvent, RunEventReason, RunEventStatus
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_aib.hooks.log_relay import LogRelay, RelayMark
    from airflow_aib.hooks.polling.looks import ImageTemplateReader, Looks
    from airflow_aib.image_run.run_handle import ImageRunHandle

ERROR_BUDGET = timedelta(minutes=30)
# An accepted run shows within seconds; one that never does must not be waited for until its deadline.
APPEAR_WITHIN = timedelta(minutes=15)
# So many looks in a row must miss the run: one that Azure answers from a stale place must not cost a build.
LOOKS_WITHOUT_RUN = 3
LAST_LOOKS = 3
LAST_LOOK_PAUSE = 5.0
# Seconds for the log in one look: the state of the run matters more.
RELAY_TIMEOUT = 120.0
# In this phase there is no log yet, and it would cost requests to find that out.
QUEUED = "Queued"


@dataclass(frozen=True)
class PhaseChange:
    """Say that the run has entered another state or phase.

    :param phase: as `Running/Building`
    :param last_run_status: what the service said
    :param message: for the log
    :param level: of the message
    """

    phase: str
    last_run_status: LastRunStatus
    message: str
    level: int = logging.INFO

    @property
    def messages(self) -> tuple[str, ...]:
        """What is to be logged."""
        return (self.message,)


@dataclass(frozen=True)
class LogLines:
    """Carry the lines that the customization log has gained since the last look.

    :param lines: whole lines
    :param mark: how far the log is told once these are
    :param level: of the records
    """

    lines: tuple[str, ...]
    mark: RelayMark | None = None
    level: int = logging.INFO

    @property
    def messages(self) -> tuple[str, ...]:
        """The lines as texts, several in each, for one record of the log each."""
        return tuple("\n".join(record) for record in records(self.lines))


@dataclass(frozen=True)
class WatchTrouble:
    """Say that watching has trouble, or has none any more; the run goes on either way.

    :param message: for the log
    :param level: of the message
    """

    message: str
    level: int = logging.WARNING

    @property
    def messages(self) -> tuple[str, ...]:
        """What is to be logged."""
        return (self.message,)


WatchUpdate = PhaseChange | LogLines | WatchTrouble | RunEvent


async def watch_run(
    reader: ImageTemplateReader,
    handle: ImageRunHandle,
    *,
    deadline: datetime,
    poll_interval: float = DEFAULT_POLL_INTERVAL,
    relay: LogRelay | None = None,
    looks: Looks | None = None,
    error_budget: timedelta = ERROR_BUDGET,
    clock: Clock = SYSTEM_CLOCK,
    spread: Callable[[float, float], float] = random.uniform,
) -> AsyncIterator[WatchUpdate]:
    """Yield what happens to a run, and as the very last thing the one `RunEvent` with which the watch ends.

    Nothing that goes wrong with watching is an exception, and nothing here cancels a run.

    :param reader: reads image templates
    :param handle: the run; its start time may still be unknown
    :param deadline: absolute moment at which the run counts as overdue, after one last look
    :param poll_interval: seconds after which there is a next look, at the latest
    :param relay: relays the customization log; None leaves it alone
    :param looks: looks that this watch shares with others; None means looks of its own, by the reader
    :param error_budget: how long looks may fail in a row
    :param clock: tells the time and waits
    :param spread: picks a number between two, to spread looks
    """
    watch = RunWatch(handle, deadline, poll_interval, error_budget, spread)
    looks = looks or OwnLooks(reader, handle.image_template_id, clock)
    while watch.event is None:
        try:
            body, seen_at = await looks.look(), clock.now()
        except ArmRequestError as error:
            seen_at = clock.now()
            updates = watch.bear(error, seen_at)
        else:
            updates = watch.see(body, seen_at)
            if relay is not None and body is not None and watch.status is not None:
                updates += await _relay(relay, body, watch.status, clock)
        for update in updates:
            yield update
        if watch.event is None:
            # The log has taken its time; knowledge ages from the look on.
            pause = watch.pause(seen_at) - (clock.now() - seen_at).total_seconds()
            await looks.rest(max(0.0, pause), in_person=watch.is_close(seen_at))
    yield watch.event


@dataclass
class RunWatch:
    """Decide what a look at a run means; no input, no output, no clock of its own.

    :param handle: the run
    :param deadline: when it counts as overdue
    :param poll_interval: seconds between two looks
    :param error_budget: how long looks may fail in a row
    :param spread: picks a number between two
    :param status: the run's, as it was last seen
    :param event: with what the watch ends, once it does
    """

    handle: ImageRunHandle
    deadline: datetime
    poll_interval: float
    error_budget: timedelta
    spread: Callable[[float, float], float]
    status: LastRunStatus | None = None
    event: RunEvent | None = None
    _first_look: datetime | None = None
    _failures: list[datetime] = field(default_factory=list)
    _asked_pause: float = 0.0
    _last_looks_left: int = LAST_LOOKS
    _looks_without_run: int = 0

    def see(self, body: Mapping[str, Any] | None, now: datetime) -> list[WatchUpdate]:
        """Take in a look that succeeded."""
        self._first_look = self._first_look or now
        status = read_last_run_status(body) if body is not None else None
        if status is not None and self.handle.follows(status):
            # An answer from a stale place tells as little as none: ours has been seen, and cannot have come undone.
            return self._bear(f"the answer is out of date, it shows a run before, of {status.start_time}", now)
        updates = self._recover()
        if status is not None and self.handle.matches(status):
            updates += self._see_run(status)
        elif body is None:
            message = f"Image template {self.handle.image_template_id} was deleted while its run was watched"
            self._miss("deleted", message)
        else:
            self._see_other_run(status, now)
        if self.event is None and now >= self.deadline:
            self._end("timeout", f"The run was not over at its deadline, {self.deadline.isoformat()}")
        return updates

    def bear(self, error: ArmRequestError, now: datetime) -> list[WatchUpdate]:
        """Take in a look that failed: bear it while it may pass, and the budget lasts."""
        if not is_transient(error):
            self._end("unwatchable", f"The run cannot be watched: {error}")
            return []
        return self._bear(str(error), now, retry_after(error) or 0.0)

    def pause(self, now: datetime) -> float:
        """Give the seconds until the next look: by the interval, or by what Azure asks.

        Never past the deadline, and, while looks fail, never past the end of the budget: both have a last look.
        """
        left = (self.deadline - now).total_seconds()
        if left <= 0:
            return LAST_LOOK_PAUSE
        interval = self.poll_interval
        if self._looks_without_run:
            interval = min(interval, LAST_LOOK_PAUSE)
        if self._failures:
            # A passing fault is over soon, as a rule: look again early, then ever later.
            interval = min(interval, 2.0 ** len(self._failures))
        # Never beyond the interval: it says how old knowledge may be.
        spread = interval * self.spread(1 - JITTER, 1)
        if self._asked_pause > spread:
            # Whoever is asked to wait is asked together with others: all later, and none at the same moment.
            spread = self._asked_pause * self.spread(1, 1 + JITTER)
        return min(spread, left, self._left_of_budget(now))

    def is_close(self, now: datetime) -> bool:
        """Whether the next look decides: the run was not seen the last time, or its deadline comes before another."""
        return bool(self._looks_without_run) or now + timedelta(seconds=self.poll_interval) >= self.deadline

    def _left_of_budget(self, now: datetime) -> float:
        if not self._failures:
            return float("inf")
        return max((self._failures[0] + self.error_budget - now).total_seconds(), LAST_LOOK_PAUSE)

    def _bear(self, trouble: str, now: datetime, asked_pause: float = 0.0) -> list[WatchUpdate]:
        is_first = not self._failures
        self._failures.append(now)
        self._asked_pause = asked_pause
        if now - self._failures[0] >= self.error_budget:
            self._end("unwatchable", f"The run could not be looked at for {self.error_budget}: {trouble}")
            return []
        if now >= self.deadline:
            self._last_looks_left -= 1
            if self._last_looks_left <= 0:
                self._end("timeout", f"The deadline {self.deadline.isoformat()} has passed, and looks fail: {trouble}")
        return [WatchTrouble(f"A look at the run failed, it is repeated: {trouble}")] if is_first else []

    def _see_run(self, status: LastRunStatus) -> list[WatchUpdate]:
        is_new = self.status is None or self.status.phase != status.phase
        self._looks_without_run = 0
        self.status = status
        self.handle = self.handle.joined_to(status)
        if status.is_over:
            words = f": {status.message}" if status.message else ""
            self._end("over", f"The run that started {status.start_time} ended {status.run_state}{words}")
        message = f"The run that started {status.start_time} is {status.phase}"
        return [PhaseChange(status.phase, status, message)] if is_new else []

    def _see_other_run(self, status: LastRunStatus | None, now: datetime) -> None:
        """Judge a look that shows no run, or another one: ours may be yet to come, or may be past finding."""
        if self.handle.start_time is not None:
            shown = f"a run that started {status.start_time}" if status else "none"
            self._miss(
                "replaced",
                f"The run that started {self.handle.start_time} is no longer shown by image template "
                f"{self.handle.image_template_id}; it shows {shown}, so how ours ended is unknown",
            )
        elif self._first_look is not None and now - self._first_look >= APPEAR_WITHIN:
            message = f"No run has appeared within {APPEAR_WITHIN}, though one was asked for"
            self._end("gone", message, "never appeared")

    def _miss(self, reason: RunEventReason, message: str) -> None:
        """Count a look that does not show the run any more; a few in a row end the watch."""
        self._looks_without_run += 1
        if self._looks_without_run >= LOOKS_WITHOUT_RUN:
            self._end("gone", message, reason)

    def _recover(self) -> list[WatchUpdate]:
        failures, self._failures = len(self._failures), []
        self._asked_pause = 0.0
        if not failures:
            return []
        return [WatchTrouble(f"Looks at the run succeed again, after {failures} that failed", logging.INFO)]

    def _end(self, status: RunEventStatus, message: str, reason: RunEventReason | None = None) -> None:
        last_run_status = self.status.to_json() if self.status else None
        self.event = RunEvent(status, self.handle.image_template_id, last_run_status, message, reason)


async def _relay(relay: LogRelay, body: Mapping[str, Any], status: LastRunStatus, clock: Clock) -> list[WatchUpdate]:
    """Read what the log has gained; a log is a help, and never a reason to stop watching."""
    if status.run_sub_state == QUEUED:
        return []
    before, bound = relay.mark, asyncio.timeout(RELAY_TIMEOUT)
    try:
        async with bound:
            lines = await relay.read(body, status, clock.now())
    except Exception as error:  # noqa: BLE001 - whatever ails the log, the run is watched on
        late = f"it has taken longer than {RELAY_TIMEOUT:g} seconds"
        return _relay_trouble(relay, late if bound.expired() else str(error) or type(error).__name__)
    relay.has_trouble = False
    # Of what was read there may be nothing to show.
    return [LogLines(tuple(lines), relay.mark)] if lines or relay.mark != before else []


def _relay_trouble(relay: LogRelay, reason: str) -> list[WatchUpdate]:
    """Say once in a row that the log cannot be read."""
    had_trouble, relay.has_trouble = relay.has_trouble, True
    if had_trouble:
        return []
    return [WatchTrouble(f"The customization log cannot be read, the run is watched without it: {reason}")]
