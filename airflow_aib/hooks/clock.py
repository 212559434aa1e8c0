"""The clock that everything which waits is handed; the only reader of the wall clock in the hooks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time and wait."""

    def now(self) -> datetime:
        """Give the present moment with its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up anybody else."""
        ...


class SystemClock:
    """Tell the machine's time."""

    def now(self) -> datetime:
        """Give the present moment in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that is handed in

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up anybody else."""
        await asyncio.sleep(max(0.0, seconds))


SYSTEM_CLOCK = SystemClock()
