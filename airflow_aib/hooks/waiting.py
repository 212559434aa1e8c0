"""Look at something until it is so, for a bounded time, with patience for looks that fail."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_aib.arguments import require_interval
from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import is_transient, retry_after, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from datetime import datetime

    from airflow_aib.exceptions import ImageBuilderError

T = TypeVar("T")

FIRST_PAUSE = 1.0
ERROR_BUDGET = timedelta(minutes=10)
# Share of a pause by which looks are spread, so that many waits do not look at once.
JITTER = 0.1

# Seconds for one look, its sign-in included; and for a call that the SDK repeats by itself.
LOOK_TIME = 120.0
READ_TIME = 600.0


@dataclass(frozen=True)
class Patience:
    """Say how long to wait for something, and how often to look.

    :param poll_interval: seconds between two looks; the first ones come sooner
    :param within: how long in all
    :param error_budget: how long looks may fail in a row
    """

    poll_interval: float
    within: timedelta
    error_budget: timedelta = ERROR_BUDGET

    def __post_init__(self) -> None:
        """Refuse to look without a pause."""
        require_interval("poll_interval", self.poll_interval)


# For a single answer that nothing goes on without: only its error budget ever ends it.
ANSWER_PATIENCE = Patience(poll_interval=30, within=2 * ERROR_BUDGET)


def pauses(poll_interval: float) -> Iterator[float]:
    """Give growing pauses up to the poll interval: what is done soon is seen soon."""
    pause = min(FIRST_PAUSE, poll_interval)
    while True:
        yield pause
        pause = min(pause * 2, poll_interval)


@asynccontextmanager
async def bounded(seconds: float, doing: str, target: str) -> AsyncIterator[None]:
    """Bound a call in time: one that is not over by then counts as not answered.

    Nothing else does it: an answer may come byte by byte, and where the SDK repeats a call by itself, as each sign-in,
    it keeps whatever pause the other side asks for, days among them.

    :param doing: what is tried, as in "read image template"
    :param target: resource id or address that it concerns
    """
    try:
        async with asyncio.timeout(seconds) as bound:
            yield
    except TimeoutError:
        if not bound.expired():
            raise
        raise ArmRequestError(
            f"Could not {doing} {target}: there was no whole answer within {seconds:g} seconds",
            hint="Check the network and the proxy, and whether Azure or its sign-in service has trouble.",
            target=target,
            trouble="connection",
        ) from None


@asynccontextmanager
async def asked(doing: str, target: str, seconds: float | None = None) -> AsyncIterator[None]:
    """Make a call with the SDK: bounded in time, and with errors of ours.

    :param doing: what is tried, as in "read image template"
    :param target: resource id or address that it concerns
    :param seconds: how long it may take; by default as long as a call that the SDK repeats by itself
    """
    async with bounded(READ_TIME if seconds is None else seconds, doing, target):
        with translated(doing, target):
            yield


@dataclass
class Wait(Generic[T]):
    """Look until a condition holds.

    :param look: asks Azure; its `ArmRequestError`s that may pass are borne for a while
    :param is_done: whether what was seen is what is waited for; may raise when it never will be
    :param overdue: makes the error when time is up, from what was seen last
    :param patience: how long, how often
    :param clock: tells the time and waits
    :param spread: picks a number between two, to spread looks
    :param rest: waits for the next look, at the latest for so many seconds; by default by the clock
    """

    look: Callable[[], Awaitable[T]]
    is_done: Callable[[T], bool]
    overdue: Callable[[T | None], ImageBuilderError]
    patience: Patience
    clock: Clock = SYSTEM_CLOCK
    spread: Callable[[float, float], float] = random.uniform
    rest: Callable[[float], Awaitable[None]] | None = None
    _seen: T | None = field(default=None, init=False)
    _failing_since: datetime | None = field(default=None, init=False)
    _trouble: ArmRequestError | None = field(default=None, init=False)

    async def until_done(self) -> T:
        """Give what was seen when the condition held."""
        end = self.clock.now() + self.patience.within
        for pause in pauses(self.patience.poll_interval):
            asked_pause = 0.0
            try:
                seen = await self.look()
            except ArmRequestError as error:
                asked_pause = self._bear(error)
            else:
                self._seen, self._failing_since, self._trouble = seen, None, None
                if self.is_done(seen):
                    return seen
            left = (end - self.clock.now()).total_seconds()
            if left <= 0:
                break
            await (self.rest or self.clock.sleep)(min(self._spread_pause(pause, asked_pause), left))
        late = self.overdue(self._seen)
        if self._trouble is not None:
            late.message += f"; the last look failed: {self._trouble.message}"
        raise late from self._trouble

    def _bear(self, error: ArmRequestError) -> float:
        """Bear a failed look or raise it; give the pause that Azure asks for."""
        now = self.clock.now()
        self._failing_since, self._trouble = self._failing_since or now, error
        if not is_transient(error) or now - self._failing_since >= self.patience.error_budget:
            raise error
        # Never beyond the budget: with its end comes a last look.
        left = self.patience.error_budget - (now - self._failing_since)
        return min(retry_after(error) or 0.0, left.total_seconds())

    def _spread_pause(self, pause: float, asked_pause: float) -> float:
        if asked_pause > pause:
            # Whoever is asked to wait is asked together with others: all later, and none at the same moment.
            return asked_pause * self.spread(1, 1 + JITTER)
        return pause * self.spread(1 - JITTER, 1 + JITTER)


async def until_answered(
    ask: Callable[[], Awaitable[T]], clock: Clock = SYSTEM_CLOCK, patience: Patience = ANSWER_PATIENCE
) -> T:
    """Give the first good answer; faults that may pass are borne for a while.

    :param ask: asks Azure, best without repeating by itself
    :param clock: tells the time and waits
    :param patience: how often to ask, and for how long
    """

    def overdue(_: T | None) -> ArmRequestError:
        return ArmRequestError(f"There was no good answer within {patience.within}", hint="Try again later.")

    return await Wait(ask, lambda _: True, overdue, patience, clock).until_done()
