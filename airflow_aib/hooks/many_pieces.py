"""Work on many pieces of a blob at once: bounded, in order where that matters, each piece tried again by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeVar

import tenacity

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import CONFLICT, is_transient, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from airflow_aib.hooks.clock import Clock
    from airflow_aib.vhd.copy_plan import Piece

T = TypeVar("T")

PIECE_ATTEMPTS = 8
LONGEST_PAUSE = 60.0


async def for_each(pieces: Iterable[Piece], work: Callable[[Piece], Awaitable[None]], *, concurrency: int) -> None:
    """Work on all pieces, some at a time; the first error ends the rest."""
    waiting = iter(pieces)

    async def take() -> None:
        for piece in waiting:
            await work(piece)

    tasks = [asyncio.create_task(take()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def in_order(
    pieces: Iterable[Piece], read: Callable[[Piece], Awaitable[T]], *, concurrency: int
) -> AsyncIterator[tuple[Piece, T]]:
    """Read pieces ahead of their use, a bounded number of them, and give them in their order."""
    ahead: deque[tuple[Piece, asyncio.Task[T]]] = deque()

    async def start(piece: Piece) -> T:
        return await read(piece)

    try:
        for piece in pieces:
            ahead.append((piece, asyncio.create_task(start(piece))))
            if len(ahead) >= concurrency:
                first, task = ahead.popleft()
                yield first, await task
        while ahead:
            first, task = ahead.popleft()
            yield first, await task
    finally:
        await _end([task for _, task in ahead])


async def patiently(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Try a call again while its error may pass, with growing pauses, or those that Azure asks for."""
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(PIECE_ATTEMPTS),
        wait=_pause,
        sleep=clock.sleep,
        reraise=True,
    )

    async def attempt() -> T:
        # A function of our own: tenacity does not await what a lambda gives.
        return await call()

    return await attempts(attempt)


def _may_pass(error: BaseException) -> bool:
    # Resource Manager's conflicts pass; those of storage (it exists, it is immutable, of another type) do not.
    return isinstance(error, ArmRequestError) and is_transient(error) and error.status != CONFLICT


_growing = tenacity.wait_exponential_jitter(multiplier=0.5, max=30)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = retry_after(error) if isinstance(error, ArmRequestError) else None
    return min(max(_growing(state), asked or 0.0), LONGEST_PAUSE)


async def _end(tasks: Iterable[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
