from __future__ import annotations

import asyncio
from datetime import timedelta

from airflow_aib.hooks.log_channel import (
    ADDED_TO_RECORD,
    CARRIED_PER_SECOND,
    MOST_INSIDE,
    LogChannel,
    shared_channel,
)
from tests.fakes import START, FakeClock, SteppedClock

RECORD = "x" * (8 * 1024 - ADDED_TO_RECORD)


async def test_what_there_is_room_for_is_logged_at_once() -> None:
    """A few records wait for nothing."""
    clock, channel = FakeClock(), LogChannel()

    for _ in range(MOST_INSIDE // (8 * 1024)):
        await channel.make_room(RECORD, clock)

    assert clock.pauses == []


async def test_a_thousand_who_log_at_once_do_not_fill_the_channel() -> None:
    """However many log in one moment, no more is inside than fits, and all of it is logged as soon as that allows."""
    clock, channel = SteppedClock(), LogChannel()
    logged = 0

    async def log() -> None:
        nonlocal logged
        await channel.make_room(RECORD, clock)
        logged += 8 * 1024

    tasks = [asyncio.create_task(log()) for _ in range(1000)]
    for second in range(40):
        await clock.advance(1)
        assert logged <= (second + 1) * CARRIED_PER_SECOND + MOST_INSIDE
    await asyncio.gather(*tasks)

    assert clock.now() - START >= timedelta(seconds=(logged - MOST_INSIDE) / CARRIED_PER_SECOND)


async def test_what_was_logged_is_carried_away_before_the_end() -> None:
    """The wait lasts until all that was logged so far is out, and no longer."""
    clock, channel = FakeClock(), LogChannel()
    await channel.make_room(RECORD, clock)

    await channel.drain(clock)
    await channel.drain(clock)

    assert clock.pauses == [8 * 1024 / CARRIED_PER_SECOND]


async def test_letters_count_as_what_they_are_written_with() -> None:
    """A letter of four bytes takes four."""
    clock, channel = FakeClock(), LogChannel()

    await channel.make_room("\N{PARTY POPPER}" * 1024, clock)
    await channel.drain(clock)

    assert clock.pauses == [(4 * 1024 + ADDED_TO_RECORD) / CARRIED_PER_SECOND]


async def test_all_waits_of_an_event_loop_share_one_channel() -> None:
    """A triggerer has one loop, and one channel."""
    assert shared_channel() is shared_channel()
