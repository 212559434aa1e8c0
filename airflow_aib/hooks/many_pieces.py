"""Work on many pieces of a blob at once: as many as storage bears, each tried again by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import tenacity

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import CONFLICT, REQUEST_TIMEOUT, TOO_MANY_REQUESTS, is_transient, retry_after
from airflow_aib.vhd.pace import FIRST_LANES, Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from airflow_aib.hooks.clock import Clock
    from airflow_aib.vhd.page_ranges import Piece

T = TypeVar("T")

PIECE_ATTEMPTS = 8
BUSY_STATUSES = frozenset({REQUEST_TIMEOUT, TOO_MANY_REQUESTS, 500, 503})
LONGEST_PAUSE = 60.0
# What arrived between two storage services is not what one of them has sent: the next time it may be.
SPOILT_ON_ITS_WAY = "Md5Mismatch"


class Lanes:
    """Work on pieces, as many at once as the pace allows, which follows from how the work goes.

    :param most: the most at once
    :param clock: tells the time
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self.pace = Pace(most=most, lanes=min(FIRST_LANES, most))
        self.clock = clock

    async def for_each(self, pieces: Iterable[Piece], work: Callable[[Piece], Coroutine[Any, Any, None]]) -> None:
        """Work on all pieces; the first error ends the rest."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            for piece in pieces:
                while len(under_way) >= self.pace.allowed:
                    under_way = await _some_done(under_way)
                under_way.add(asyncio.create_task(work(piece)))
            while under_way:
                under_way = await _some_done(under_way)
        finally:
            await _end(under_way)

    async def timed(self, length: int, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call about a piece, again while its error may pass, and learn from how it goes.

        :param length: bytes of the piece
        """

        async def attempt() -> T:
            begun = self.clock.now()
            answer = await call()
            self.pace = self.pace.after_piece((self.clock.now() - begun).total_seconds(), length)
            return answer

        return await patiently(attempt, self.clock, on_trouble=self.note)

    async def untimed(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call about a piece, again while its error may pass, and learn from its refusals alone."""
        return await patiently(call, self.clock, on_trouble=self.note)

    def for_pairs(self) -> Lanes:
        """Give lanes for work on two pieces each, as many in all as here; how it goes is not to be compared."""
        return Lanes(max(1, self.pace.most // 2), self.clock)

    def note(self, error: ArmRequestError) -> None:
        """Learn from an error of a call about a piece."""
        if is_overload(error):
            self.pace = self.pace.after_refusal()


async def _some_done(under_way: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until a task is done, raise its error, and give the others."""
    done, others = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return others


async def patiently(
    call: Callable[[], Awaitable[T]], clock: Clock, *, on_trouble: Callable[[ArmRequestError], None] | None = None
) -> T:
    """Try a call again while its error may pass, with growing pauses, or those that Azure asks for.

    :param on_trouble: is told of every error, also of the last
    """
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(PIECE_ATTEMPTS),
        wait=_pause,
        sleep=clock.sleep,
        reraise=True,
    )

    async def attempt() -> T:
        # A function of our own: tenacity does not await what a lambda gives.
        try:
            return await call()
        except ArmRequestError as error:
            if on_trouble is not None:
                on_trouble(error)
            raise

    return await attempts(attempt)


def is_overload(error: ArmRequestError) -> bool:
    """Whether storage has too much to do: it says so, or does not answer in time."""
    return error.status in BUSY_STATUSES or (error.status is None and error.data.get("trouble") == "connection")


def _may_pass(error: BaseException) -> bool:
    # Resource Manager's conflicts pass; those of storage (it exists, it is immutable, of another type) do not.
    return isinstance(error, ArmRequestError) and (
        error.code == SPOILT_ON_ITS_WAY or (is_transient(error) and error.status != CONFLICT)
    )


_growing = tenacity.wait_exponential_jitter(multiplier=0.5, max=30)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = retry_after(error) if isinstance(error, ArmRequestError) else None
    return min(max(_growing(state), asked or 0.0), LONGEST_PAUSE)


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, T]) -> tuple[T, T]:
    """Do two things at once; an error of one ends the other."""
    tasks = asyncio.create_task(first), asyncio.create_task(second)
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
