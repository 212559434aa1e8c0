"""One ticker for everything that goes on: it carries out each effect when its instant has come, once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.clock import Clock

log = logging.getLogger(__name__)


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


class Schedule:
    """Carry out the effects of every process.

    :param clock: the time that they live in
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._processes: list[Process] = []
        self._ticker: asyncio.Task[None] | None = None
        self._one_tick = asyncio.Lock()

    def add(self, process: Process) -> None:
        """Carry out the effects of `process` from now on; once more for a known one only looks again."""
        if process not in self._processes:
            self._processes.append(process)
        self._clock.wake()

    def drop(self, process: Process) -> None:
        """Carry out no further effect of `process`."""
        if process in self._processes:
            self._processes.remove(process)

    async def start(self) -> None:
        """Begin to tick."""
        self._ticker = asyncio.create_task(self._tick_for_ever(), name="emulator-ticker")

    async def stop(self) -> None:
        """Stop ticking."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
            self._ticker = None

    async def settle(self) -> None:
        """Return once every effect that is due by now has been carried out."""
        async with self._one_tick:
            now = self._clock.now()
            await asyncio.gather(*(self._catch_up(process, now) for process in tuple(self._processes)))

    async def clear(self) -> None:
        """Forget every process, once the effect that is being carried out is done."""
        async with self._one_tick:
            self._processes.clear()

    async def _tick_for_ever(self) -> None:
        while True:
            await self.settle()
            due = (process.next_due() for process in self._processes)
            await self._clock.sleep_until(min((instant for instant in due if instant is not None), default=None))

    async def _catch_up(self, process: Process, now: datetime) -> None:
        while (due := process.next_due()) is not None and due <= now:
            try:
                await process.perform_next()
            except Exception as error:
                log.exception("An effect of %s failed", process)
                process.break_off(error)
        if process.next_due() is None:
            self.drop(process)
