from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aib_emulator.clock import ManualClock
from aib_emulator.schedule import AT_ONCE, Schedule

if TYPE_CHECKING:
    import pytest

START = datetime(2025, 1, 1, tzinfo=UTC)


class FakeProcess:
    """Have effects at the given seconds; the effect numbered `breaks_at` fails."""

    def __init__(self, *seconds: float, breaks_at: int | None = None) -> None:
        self.due = [START + timedelta(seconds=second) for second in seconds]
        self.done: list[datetime] = []
        self.is_done = asyncio.Event()
        self.errors: list[Exception] = []
        self._breaks_at = breaks_at

    def next_due(self) -> datetime | None:
        """Return when the next effect is due."""
        return self.due[0] if self.due else None

    async def perform_next(self) -> None:
        """Note that an effect happened, or fail."""
        if len(self.done) == self._breaks_at:
            raise OSError("the effect failed")
        await asyncio.sleep(0)
        self.done.append(self.due.pop(0))
        self.is_done.set()

    def break_off(self, error: Exception) -> None:
        """Note the error."""
        self.errors.append(error)
        self.due.clear()


async def test_only_what_is_due_is_done() -> None:
    """An effect is carried out once its instant has come, not before, and only once."""
    clock = ManualClock(START)
    schedule, process = Schedule(clock), FakeProcess(1, 2, 3)
    schedule.add(process)
    clock.advance(2)
    await schedule.settle()
    await schedule.settle()
    assert [instant.second for instant in process.done] == [1, 2]


async def test_the_ticker_wakes_when_the_clock_moves() -> None:
    """Without anybody asking, effects happen when the clock is put forward."""
    clock = ManualClock(START)
    schedule, process = Schedule(clock), FakeProcess(3600)
    schedule.add(process)
    await schedule.start()
    clock.advance(3600)
    await asyncio.wait_for(process.is_done.wait(), 5)
    await schedule.stop()
    assert process.next_due() is None


async def test_one_broken_process_does_not_stop_the_others() -> None:
    """A failing effect ends its own process, which is told why, and no other."""
    clock = ManualClock(START)
    schedule, broken, sound = Schedule(clock), FakeProcess(1, 2, breaks_at=0), FakeProcess(1, 2)
    schedule.add(broken)
    schedule.add(sound)
    clock.advance(5)
    await schedule.settle()
    assert [str(error) for error in broken.errors] == ["the effect failed"]
    assert len(sound.done) == 2


async def test_effects_that_cannot_be_noted_are_effects(caplog: pytest.LogCaptureFixture) -> None:
    """When nobody can be told, as with a full disk, processes go on, and the log says so."""

    def fail() -> None:
        raise OSError("no space left")

    clock = ManualClock(START)
    schedule, sound, broken = Schedule(clock, fail), FakeProcess(1, 2), FakeProcess(1, breaks_at=0)
    schedule.add(sound)
    schedule.add(broken)
    clock.advance(1)
    await schedule.settle()
    clock.advance(1)
    await schedule.settle()
    assert (len(sound.done), sound.errors) == (2, [])
    assert [str(error) for error in broken.errors] == ["the effect failed"]
    assert "no space left" in caplog.text


async def test_a_dropped_process_leaves_nothing_more() -> None:
    """Nothing is carried out for a process that was dropped."""
    clock = ManualClock(START)
    schedule, process = Schedule(clock), FakeProcess(1)
    schedule.add(process)
    schedule.drop(process)
    clock.advance(5)
    await schedule.settle()
    assert process.done == []


class FakeSlowProcess(FakeProcess):
    """Take until `gate` is opened for each effect."""

    def __init__(self, *seconds: float) -> None:
        super().__init__(*seconds)
        self.gate = asyncio.Event()

    async def perform_next(self) -> None:
        """Wait for the gate, then be done."""
        due = self.due.pop(0)
        await self.gate.wait()
        self.done.append(due)


async def test_ending_waits_for_what_is_being_carried_out() -> None:
    """What a process leaves is not taken away under its hands; an effect that ends its own process does not wait."""
    clock = ManualClock(START)
    schedule, slow = Schedule(clock), FakeSlowProcess(1, 2)
    schedule.add(slow)
    await schedule.start()
    clock.advance(1)
    await asyncio.sleep(0)
    ended = asyncio.create_task(schedule.end(slow))
    await asyncio.sleep(0)
    assert not ended.done()
    slow.gate.set()
    await asyncio.wait_for(ended, 5)
    clock.advance(5)
    await schedule.settle()
    assert len(slow.done) == 1
    await schedule.stop()


class FakeStarter(FakeSlowProcess):
    """Set another process going once the gate is opened."""

    def __init__(self, schedule: Schedule, other: FakeProcess) -> None:
        super().__init__(1)
        self._schedule = schedule
        self._other = other

    async def perform_next(self) -> None:
        """Wait for the gate, then start the other process."""
        await super().perform_next()
        self._schedule.add(self._other)


async def test_clearing_forgets_what_is_set_going_meanwhile() -> None:
    """A process that an effect starts while everything is being forgotten is forgotten too."""
    clock = ManualClock(START)
    schedule, other = Schedule(clock), FakeProcess(2)
    starter = FakeStarter(schedule, other)
    schedule.add(starter)
    await schedule.start()
    clock.advance(1)
    cleared = asyncio.create_task(schedule.clear())
    await asyncio.sleep(0)
    starter.gate.set()
    await asyncio.wait_for(cleared, 5)
    clock.advance(5)
    await schedule.settle()
    assert other.done == []
    await schedule.stop()


async def test_a_slow_process_does_not_hold_up_the_others() -> None:
    """While one effect takes its time, those of other processes are carried out."""
    clock = ManualClock(START)
    schedule, slow, quick = Schedule(clock), FakeSlowProcess(1), FakeProcess(1, 2)
    schedule.add(slow)
    schedule.add(quick)
    await schedule.start()
    clock.advance(1)
    await asyncio.wait_for(quick.is_done.wait(), 5)
    quick.is_done.clear()
    clock.advance(1)
    await asyncio.wait_for(quick.is_done.wait(), 5)
    assert (len(quick.done), slow.done) == (2, [])
    settled = asyncio.create_task(schedule.settle())
    await asyncio.sleep(0)
    assert not settled.done()
    slow.gate.set()
    await asyncio.wait_for(settled, 5)
    assert len(slow.done) == 1
    await schedule.stop()


async def test_only_so_many_effects_are_carried_out_at_once() -> None:
    """However many are due, a few are carried out side by side, and the others after them: calls come in between."""
    clock = ManualClock(START)
    schedule, counts = Schedule(clock), list[int]()
    at_work: set[FakeProcess] = set()

    class Slow(FakeProcess):
        async def perform_next(self) -> None:
            at_work.add(self)
            counts.append(len(at_work))
            await asyncio.sleep(0)
            await super().perform_next()
            at_work.remove(self)

    processes = [Slow(1, 2) for _ in range(5 * AT_ONCE)]
    for process in processes:
        schedule.add(process)
    clock.advance(2)
    await schedule.settle()
    assert max(counts) == AT_ONCE
    assert [len(process.done) for process in processes] == [2] * len(processes)


async def test_an_effect_that_comes_earlier_is_not_waited_past() -> None:
    """A process that is added once more because it is due earlier by now is carried out then."""
    clock = ManualClock(START)
    schedule, process = Schedule(clock), FakeProcess(3600)
    schedule.add(process)
    process.due.insert(0, START + timedelta(seconds=5))
    schedule.add(process)
    clock.advance(10)
    await schedule.settle()
    assert [instant.second for instant in process.done] == [5]
