"""One ticker for everything that goes on: it carries out each effect when its instant has come, once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aib_emulator.clock import Clock

log = logging.getLogger(__name__)

AT_ONCE = 8
"""How many effects are carried out side by side: calls that come meanwhile must not wait for a thousand of them."""


class Process(Protocol):
    """Something that goes on and leaves effects at instants known beforehand."""

    def next_due(self) -> datetime | None:
        """Return when its next effect is due; None when it is over."""
        ...

    async def perform_next(self) -> None:
        """Carry out the next effect."""
        ...

    def break_off(self, error: Exception) -> None:
        """End badly: the effect could not be carried out."""
        ...


def _nobody() -> None:
    """Stand for nobody who wants to be told."""


class Schedule:
    """Carry out the effects of every process: those of one in their order, those of different ones side by side.

    :param clock: the time that they live in
    :param when_performed: told after each effect
    """

    def __init__(self, clock: Clock, when_performed: Callable[[], None] = _nobody) -> None:
        self._clock = clock
        self._when_performed = when_performed
        self._processes: dict[int, Process] = {}
        self._due: list[tuple[datetime, int, Process]] = []  # a heap; an entry may be out of date, none is missing
        self._order = itertools.count()
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._ticker: asyncio.Task[None] | None = None

    def add(self, process: Process) -> None:
        """Carry out the effects of `process` from now on; once more for a known one looks again.

        Whoever lets an effect be due earlier than `next_due` said must add the process once more.
        """
        self._processes[id(process)] = process
        self._expect(process)
        self._clock.wake()

    def drop(self, process: Process) -> None:
        """Begin no further effect of `process`."""
        self._processes.pop(id(process), None)

    async def end(self, process: Process) -> None:
        """Begin no further effect of `process`, and return once the one that is being carried out is done."""
        self.drop(process)
        task = self._at_work.get(id(process))
        if task is not None and task is not asyncio.current_task():  # an effect may end its own process
            await asyncio.wait({task})

    async def start(self) -> None:
        """Begin to tick."""
        self._ticker = asyncio.create_task(self._tick_for_ever(), name="emulator-ticker")

    async def stop(self) -> None:
        """Stop ticking, and whatever is being carried out."""
        tasks = [task for task in (self._ticker, *self._at_work.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._ticker = None

    async def settle(self) -> None:
        """Return once every effect that is due by now has been carried out."""
        now = self._clock.now()
        while self._begin_due(now) or self._at_work:
            await asyncio.wait(self._at_work.values(), return_when=asyncio.FIRST_COMPLETED)

    async def clear(self) -> None:
        """Forget every process, once what is being carried out is done, and what that has set going."""
        self._processes.clear()
        while self._at_work:
            await asyncio.gather(*self._at_work.values())
            self._processes.clear()
        self._due.clear()

    async def _tick_for_ever(self) -> None:
        while True:
            self._begin_due(self._clock.now())
            can_begin = self._due and len(self._at_work) < AT_ONCE
            await self._clock.sleep_until(self._due[0][0] if can_begin else None)

    def _begin_due(self, now: datetime) -> bool:
        """Set to work on processes that have something to do by `now`, as many as may; return whether there was any."""
        has_begun = False
        while self._due and self._due[0][0] <= now and len(self._at_work) < AT_ONCE:
            _, _, process = heapq.heappop(self._due)
            if id(process) not in self._processes or id(process) in self._at_work:
                continue  # dropped, or expected anew when its present effect is done
            if _is_due(process, now):
                has_begun = True
                self._at_work[id(process)] = asyncio.create_task(self._catch_up(process))
            else:
                self._expect(process)
        return has_begun

    def _expect(self, process: Process) -> None:
        due = process.next_due()
        if due is not None:
            heapq.heappush(self._due, (due, next(self._order), process))

    async def _catch_up(self, process: Process) -> None:
        try:
            while id(process) in self._processes and _is_due(process, self._clock.now()):
                await process.perform_next()
                self._tell(process)
        except Exception as error:
            # One broken process must not stop the others.
            log.exception("An effect of %s failed", process)
            process.break_off(error)
            self._tell(process)
        finally:
            del self._at_work[id(process)]
        if process.next_due() is None:
            self.drop(process)
        elif id(process) in self._processes:
            self._expect(process)
        self._clock.wake()

    def _tell(self, process: Process) -> None:
        try:
            self._when_performed()
        except Exception:
            # What was done is done; it is told again with the next effect.
            log.exception("What %s has left could not be noted", process)


def _is_due(process: Process, now: datetime) -> bool:
    due = process.next_due()
    return due is not None and due <= now
