from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.log_channel import ADDED_TO_RECORD, MOST_INSIDE, shared_channel
from airflow_aib.hooks.log_relay import LogRelay, RelayMark
from airflow_aib.hooks.staging import StagedBlob
from airflow_aib.hooks.staging_account import StorageAccount
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.triggers.relay_memory import RelayMemory
from airflow_aib.triggers.watching import WatchOrder, watch_with
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    FakeLog,
    SteppedClock,
    fake_clients,
    image_template,
    run_status,
    settle,
    start_time,
)

HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))
FAILED = run_status("Failed", message="Failed in distributing 1 images out of total 1")
ENDED = datetime(2026, 1, 5, 4, 0, 0, 500_000, tzinfo=UTC)
ALLOWANCE = timedelta(minutes=30)
LOG_FILE = StagedBlob(StorageAccount("/a", "https://s"), "packerlogs", "g/customization.log", 0)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (ENDED + timedelta(minutes=20), ENDED + ALLOWANCE),
        (ENDED + timedelta(hours=3), ENDED + timedelta(hours=3)),
        (ENDED - timedelta(minutes=5), ENDED - timedelta(minutes=5) + ALLOWANCE),
    ],
    ids=["moved to another triggerer", "retried hours later", "a clock that is behind"],
)
async def test_late_images_are_waited_for_from_the_runs_end_on(now: datetime, until: datetime) -> None:
    """Whoever takes over does not begin anew, and looks once at least."""
    clock = FakeClock(now)
    azure = FakeImageBuilder(image_template(FAILED, distribute=[{"type": "VHD", "runOutputName": "late"}]))
    service = ImageTemplateService(fake_clients(azure), clock=clock)
    order = WatchOrder(HANDLE, now + timedelta(days=1), late_allowance=ALLOWANCE.total_seconds())

    event = await watch_with(service, order, log=logging.getLogger(__name__))

    assert (event.status, event.late_artifacts) == ("over", ())
    assert azure.calls.count("outputs") >= 1
    # What was logged takes a moment to be carried away.
    assert timedelta() <= clock.now() - until < timedelta(seconds=0.1)


class KeptMarks(RelayMemory):
    """Keep marks here."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # Airflow is not asked
        self.marks: list[RelayMark | None] = []

    async def note(self, mark: RelayMark | None, now: datetime) -> None:
        """Keep nothing on the way."""
        del mark, now

    async def keep(self, mark: RelayMark | None) -> None:
        """Keep a mark."""
        self.marks.append(mark)


class ToldLog:
    """Be a task's log, and count its lines."""

    lines = 0

    def log(self, level: int, event: str, /, *args: str) -> None:
        """Count them."""
        del level
        self.lines += (event % args).count("line")

    def info(self, event: str, /, *args: str) -> None:
        """Count them."""
        self.log(logging.INFO, event, *args)

    warning = info


async def test_a_watch_that_is_cancelled_has_told_what_it_has_read() -> None:
    """What waits for room in the channel is logged at once: the next triggerer goes on behind it, no line is lost."""
    clock, log, memory = SteppedClock(), ToldLog(), KeptMarks()
    content = (b"line".ljust(999) + b"\n") * 200
    relay = LogRelay(FakeLog(content, LOG_FILE), clock=clock)
    service = ImageTemplateService(fake_clients(FakeImageBuilder(image_template(run_status()))), clock=clock)
    order = WatchOrder(HANDLE, START + timedelta(days=1))
    task = asyncio.create_task(watch_with(service, order, log=log, relay=relay, memory=memory))
    await settle()
    at_once = log.lines
    task.cancel()
    await asyncio.wait({task})

    assert 0 < at_once <= MOST_INSIDE // 1000
    assert (log.lines, memory.marks) == (200, [RelayMark(LOG_FILE.name, len(content))])


async def test_a_watch_that_is_cancelled_before_its_lines_are_told_leaves_them_to_the_next() -> None:
    """While the phase waits for room, the lines of the same look are not told: no mark may stand behind them."""
    clock, log, memory = SteppedClock(), ToldLog(), KeptMarks()
    relay = LogRelay(FakeLog(b"line\n" * 200, LOG_FILE), clock=clock)
    service = ImageTemplateService(fake_clients(FakeImageBuilder(image_template(run_status()))), clock=clock)
    order = WatchOrder(HANDLE, START + timedelta(days=1))
    await shared_channel().make_room("x" * (MOST_INSIDE - ADDED_TO_RECORD), clock)
    task = asyncio.create_task(watch_with(service, order, log=log, relay=relay, memory=memory))
    await settle()
    read = relay.mark
    task.cancel()
    await asyncio.wait({task})

    assert read == RelayMark(LOG_FILE.name, 1000)
    assert (log.lines, memory.marks) == (0, [None])


class SlowMarks(KeptMarks):
    """Take forever to note a mark."""

    async def note(self, mark: RelayMark | None, now: datetime) -> None:
        """Wait for what does not come."""
        del mark, now
        await asyncio.Event().wait()


async def test_a_watch_that_is_cancelled_while_a_mark_is_noted_leaves_no_line_out() -> None:
    """The mark is noted after each of a look's updates, and the phase comes before the lines."""
    clock, log, memory = SteppedClock(), ToldLog(), SlowMarks()
    relay = LogRelay(FakeLog(b"line\n" * 200, LOG_FILE), clock=clock)
    service = ImageTemplateService(fake_clients(FakeImageBuilder(image_template(run_status()))), clock=clock)
    order = WatchOrder(HANDLE, START + timedelta(days=1))
    task = asyncio.create_task(watch_with(service, order, log=log, relay=relay, memory=memory))
    await settle()
    task.cancel()
    await asyncio.wait({task})

    assert (log.lines, memory.marks) == (0, [None])


async def test_the_end_is_told_when_the_log_has_been_carried_away() -> None:
    """Airflow closes a task's log when it hears of the trigger's end: what is on its way then is missing there."""
    clock, log = FakeClock(), ToldLog()
    relay = LogRelay(FakeLog((b"line".ljust(999) + b"\n") * 50, LOG_FILE), clock=clock)
    service = ImageTemplateService(fake_clients(FakeImageBuilder(image_template(FAILED))), clock=clock)

    await watch_with(service, WatchOrder(HANDLE, START + timedelta(days=1)), log=log, relay=relay)
    ended = clock.now()
    await shared_channel().drain(clock)

    assert log.lines == 50
    assert clock.now() == ended > START
