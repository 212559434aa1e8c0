"""Work in a trigger's `on_kill` that outlasts Airflow's impatience.

Tried with Airflow 3.3: until a trigger that is to be cancelled has ended, the supervisor names it again with every
sync, about once a second, and each time the triggerer cancels whatever the trigger awaits. An `on_kill` that takes
longer than that is cancelled itself, without a word, whatever `[triggerer] on_kill_timeout` says.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

# The event loop holds tasks only weakly.
_under_way: set[asyncio.Task[None]] = set()


async def outlast_cancellation(work: Coroutine[Any, Any, None]) -> None:
    """Do the work to its end, however often the caller is cancelled; the work must bound itself in time.

    Should even the caller's caller give up, the work goes on as a task of its own.
    """
    task = asyncio.get_running_loop().create_task(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            # Asked for again what is being done already.
            continue
    await task
