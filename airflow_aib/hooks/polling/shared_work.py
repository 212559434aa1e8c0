"""Work that goes on for all waits of a process, in tasks of its own."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class SharedWork:
    """Do work for all who wait, and tell them when some of it dies: nobody else would notice.

    It may die of a mistake of ours, or of what a signal handler raises wherever the process just is: on a worker
    Airflow's execution timeout strikes at the very moment at which a watch has its last look.

    :param on_death: is told what the work has died of
    """

    def __init__(self, on_death: Callable[[BaseException], None]) -> None:
        self._on_death = on_death
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done, and do not wait for it."""
        # In a context of its own: what it logs must not land in the log of whichever task came first.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._note_end)

    async def close(self) -> None:
        """End all that is under way."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_death(error)
