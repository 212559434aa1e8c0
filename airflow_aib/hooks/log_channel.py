"""The channel that carries what all tasks of a triggerer log: filled no faster than it is emptied.

Tried with Airflow 3.3: whoever logs while the channel is full waits inside of that call, and the event loop with him,
for a third of a second at least. And Airflow closes a task's log when it hears of its trigger's end, which comes
another way and may come first: what is still in the channel then is missing in the task's log.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_aib.hooks.byte_budget import ByteBudget

if TYPE_CHECKING:
    from airflow_aib.hooks.clock import Clock

# It carries about 430 kB a second, and holds about 200 kB: others log as well.
CARRIED_PER_SECOND = 256 * 1024
MOST_INSIDE = 64 * 1024
# Bytes that Airflow adds to a record: who has logged it, and where.
ADDED_TO_RECORD = 512


class LogChannel:
    """Let records into the channel when there is room for them."""

    def __init__(self) -> None:
        self._room = ByteBudget(CARRIED_PER_SECOND, MOST_INSIDE)

    async def make_room(self, message: str, clock: Clock) -> None:
        """Wait until a record may be logged without holding up anybody."""
        pause = self._room.book(len(message.encode()) + ADDED_TO_RECORD, clock.now())
        if pause:
            await clock.sleep(pause)

    async def drain(self, clock: Clock) -> None:
        """Wait until what was logged by now has been carried away."""
        pause = self._room.until_full(clock.now())
        if pause:
            await clock.sleep(pause)


_channels: WeakKeyDictionary[asyncio.AbstractEventLoop, LogChannel] = WeakKeyDictionary()


def shared_channel() -> LogChannel:
    """Give the channel that all waits of this event loop share: on a triggerer those of all tasks."""
    return _channels.setdefault(asyncio.get_running_loop(), LogChannel())
