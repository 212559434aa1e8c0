"""Run the asynchronous core from synchronous code: once per task, also where a loop is running already."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

# Seconds that a bounded call has besides, in which its clients are closed.
CLOSING_TIME = 0.5


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in this thread where no loop runs in it, else in a thread of its own."""
    if not _is_loop_running():
        return asyncio.run(main)
    results: list[T] = []
    worker = _Worker(lambda: results.append(asyncio.run(main)))
    worker.start()
    worker.join()
    worker.raise_error()
    return results[0]


def run_async_bounded(make: Callable[[], Coroutine[Any, Any, object]], *, seconds: float) -> bool:
    """Run a coroutine in a thread of its own for some seconds and `CLOSING_TIME`; say whether it came to its end.

    Made for `on_kill`, which Airflow calls in a signal handler: this thread may be in the midst of anything, a loop of
    ours among it, and has little time left.

    :param make: makes the coroutine, in the new thread
    """
    worker = _Worker(lambda: asyncio.run(_within(make(), seconds)))
    worker.start()
    worker.join(seconds + CLOSING_TIME)
    if worker.is_alive() or isinstance(worker.error, TimeoutError):
        return False
    worker.raise_error()
    return True


def _is_loop_running() -> bool:
    # Nothing else may happen while this error is handled: it would become the context of whatever is raised.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _within(main: Coroutine[Any, Any, object], seconds: float) -> None:
    await asyncio.wait_for(main, seconds)


class _Worker(threading.Thread):
    """Run a call in a daemon thread, with the caller's context, and keep its error."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(name="airflow-aib", daemon=True)
        self._call = call
        self._context = contextvars.copy_context()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._context.run(self._call)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self.error = error

    def raise_error(self) -> None:
        if self.error is not None:
            raise self.error
