from __future__ import annotations

import asyncio
import inspect
import threading
from contextvars import ContextVar

import pytest
from airflow.sdk.execution_time.supervisor import ActivitySubprocess

from airflow_aib.hooks.run_async import CLOSING_TIME, run_async, run_async_bounded
from airflow_aib.operators import image_run, vhd

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


async def identify() -> tuple[str, str]:
    """Tell where and in which context this runs."""
    await asyncio.sleep(0)
    return threading.current_thread().name, VARIABLE.get()


async def fail() -> None:
    """Fail."""
    raise KeyError("x")


def test_it_runs_in_this_thread_where_no_loop_runs() -> None:
    """A task on a worker needs no thread."""
    assert run_async(identify())[0] == threading.current_thread().name


async def test_it_runs_in_a_thread_of_its_own_where_a_loop_runs() -> None:
    """Inside a loop the coroutine still runs to its end, with the caller's context."""
    VARIABLE.set("set")

    assert run_async(identify()) == ("airflow-aib", "set")


def test_errors_come_back() -> None:
    """Who runs it gets its error, in both ways."""

    async def in_a_loop() -> None:
        run_async(fail())

    with pytest.raises(KeyError):
        run_async(fail())
    with pytest.raises(KeyError):
        asyncio.run(in_a_loop())


def test_an_error_has_no_context_of_ours() -> None:
    """An error stands alone in the task's log: what was found out about loops is no part of it."""
    with pytest.raises(KeyError) as raised:
        run_async(fail())

    assert raised.value.__context__ is None


async def test_a_bounded_run_says_whether_it_ended() -> None:
    """What takes too long is ended, and reported rather than awaited."""
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert run_async_bounded(identify, seconds=5) is True
    assert run_async_bounded(forever, seconds=0.01) is False
    assert ended.is_set()


def test_a_bounded_run_gives_its_error() -> None:
    """An error within the time is raised."""
    with pytest.raises(KeyError):
        run_async_bounded(fail, seconds=5)


def test_who_does_not_end_when_told_is_not_waited_for() -> None:
    """A signal handler comes back in time even from a call that will not be ended."""
    may_end, ended = threading.Event(), threading.Event()

    async def stubborn() -> None:
        may_end.wait(10)
        ended.set()

    assert run_async_bounded(stubborn, seconds=0.01) is False
    assert not ended.is_set()
    may_end.set()


@pytest.mark.parametrize("seconds", [image_run.ON_KILL_TIME, vhd.ON_KILL_TIME], ids=["run", "copy"])
def test_a_kill_is_over_before_airflow_kills_for_good(seconds: float) -> None:
    """The supervisor gives a worker that is told to stop some seconds, and closing the clients is a part of them."""
    patience = inspect.signature(ActivitySubprocess.kill).parameters["escalation_delay"].default

    assert seconds + CLOSING_TIME < patience
