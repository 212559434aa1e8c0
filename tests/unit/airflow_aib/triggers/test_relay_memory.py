from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.execution_time import xcom

from airflow_aib.hooks.log_relay import RelayMark
from airflow_aib.triggers.relay_memory import AT_ONCE, BETWEEN_MARKS, KEY, RECALL_PATIENCE, RelayMemory, _threads
from tests.fakes import START, settle

MARK, LATER = RelayMark("g/customization.log", 4), RelayMark("g/customization.log", 9)


@dataclass
class TaskInstance:
    """Identify a task instance."""

    dag_id: str = "d"
    task_id: str = "t"
    run_id: str = "r"
    map_index: int | None = -1


class FakeXCom:
    """Be Airflow's XComs; a question may fail."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Any, ...], Any] = {}
        self.writes = 0
        self.error: Exception | None = None

    def set(self, *, key: str, value: Any, **where: Any) -> None:
        """Keep a value."""
        self._fail()
        self.writes += 1
        self.kept[(key, *where.values())] = value

    def get_one(self, *, key: str, **where: Any) -> Any:
        """Give a value."""
        self._fail()
        return self.kept.get((key, *where.values()))

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def xcoms(monkeypatch: pytest.MonkeyPatch) -> FakeXCom:
    """Put a fake in the place of Airflow's XComs: the real ones answer in a triggerer only."""
    fake = FakeXCom()
    monkeypatch.setattr(xcom, "XCom", fake)
    return fake


def memory(process: str, map_index: int | None = -1) -> RelayMemory:
    """Make the memory of a trigger on some triggerer."""
    return RelayMemory(TaskInstance(map_index=map_index), process)


async def test_another_triggerer_goes_on(xcoms: FakeXCom) -> None:
    """What one has kept, the next one recalls, of the same map index."""
    await memory("first", map_index=2).keep(MARK)

    assert await memory("second", map_index=2).recall() == MARK
    assert await memory("second", map_index=3).recall() is None
    assert list(xcoms.kept) == [(KEY, "d", "t", "r", 2)]


async def test_the_same_triggerer_begins_anew(xcoms: FakeXCom) -> None:
    """Airflow empties the log file of a trigger that comes back to it."""
    await memory("first").keep(MARK)

    assert xcoms.writes == 1
    assert await memory("first").recall() is None


async def test_marks_are_kept_now_and_then(xcoms: FakeXCom) -> None:
    """A mark for every look would cost the triggerer more than the log itself."""
    kept = memory("first")
    for seconds in range(0, 130, 10):
        await kept.note(RelayMark("g/customization.log", seconds), START + timedelta(seconds=seconds))

    assert xcoms.writes == 130 // BETWEEN_MARKS.seconds


async def test_what_is_kept_already_is_not_kept_again(xcoms: FakeXCom) -> None:
    """A log that does not grow needs no new mark, and no log needs none."""
    kept = memory("first")
    for mark in (None, MARK, MARK, LATER):
        await kept.keep(mark)

    assert xcoms.writes == 2


async def test_a_mark_whose_keeping_was_cancelled_is_kept_again(xcoms: FakeXCom) -> None:
    """A watch that is cancelled while it keeps its mark keeps the same one at its end."""
    kept, busy = memory("first"), [threading.Event() for _ in range(AT_ONCE)]
    for event in busy:
        _threads().submit(event.wait, 30)
    keeping = asyncio.create_task(kept.keep(MARK))
    await settle()
    keeping.cancel()
    await asyncio.wait({keeping})
    for event in busy:
        event.set()

    await kept.keep(MARK)

    assert xcoms.writes == 1


@pytest.mark.parametrize("value", [None, "text", {}, {"process": "x"}, {"process": "x", "mark": {"log": "g"}}])
async def test_a_mark_that_is_none_is_not_recalled(xcoms: FakeXCom, value: Any) -> None:
    """What somebody else has put there does no harm."""
    xcoms.kept[(KEY, "d", "t", "r", None)] = value

    assert await memory("second").recall() is None


async def test_marks_are_kept_while_other_threads_are_busy(xcoms: FakeXCom) -> None:
    """The threads that a triggerer's tasks share may hash a VHD for long: marks have threads of their own."""
    may_end = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = asyncio.create_task(asyncio.to_thread(may_end.wait, 30))
    await settle()

    await memory("first").keep(MARK)
    recalled = await memory("second").recall()
    may_end.set()
    await busy

    assert recalled == MARK
    assert xcoms.writes == 1


async def test_trouble_with_airflow_is_no_trouble_of_the_watch(xcoms: FakeXCom) -> None:
    """A mark is a help: without it lines are told twice, and the run is watched all the same."""
    xcoms.error = RuntimeError("no supervisor")

    await memory("first").keep(MARK)

    assert await memory("first").recall() is None


def test_a_thousand_that_begin_together_are_all_answered() -> None:
    """Airflow may take a fifth of a second for each, and answers a few at a time."""
    assert 1000 * 0.2 / AT_ONCE <= RECALL_PATIENCE
