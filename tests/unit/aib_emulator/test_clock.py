from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from aib_emulator.clock import ManualClock, ScaledClock, date_header

START = datetime(2025, 1, 1, tzinfo=UTC)


class FakeMonotonic:
    """Be the real time that passes."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.seconds


def test_time_passes_scaled() -> None:
    """A real second is as many emulated ones as the scale says."""
    real = FakeMonotonic()
    clock = ScaledClock(60, START, real)
    real.seconds += 2
    assert clock.now() == START + timedelta(minutes=2)


def test_another_scale_goes_on_from_now() -> None:
    """Changing the scale makes no jump."""
    real = FakeMonotonic()
    clock = ScaledClock(60, START, real)
    real.seconds += 1
    clock.set_scale(0)
    real.seconds += 100
    assert clock.now() == START + timedelta(minutes=1)


def test_time_does_not_go_back() -> None:
    """The clock can only be put forward."""
    with pytest.raises(ValueError, match="Time does not go back"):
        ManualClock(START).advance(-1)


async def test_a_sleeper_wakes_when_the_clock_is_put_forward() -> None:
    """Whoever sleeps on a clock that stands still looks again once it is put forward."""
    clock = ManualClock(START)
    sleeper = asyncio.create_task(clock.sleep_until(START + timedelta(hours=1)))
    await asyncio.sleep(0)
    clock.advance(3600)
    await asyncio.wait_for(sleeper, 5)
    assert clock.now() == START + timedelta(hours=1)


async def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    """Sleeping until the past returns at once."""
    await asyncio.wait_for(ManualClock(START).sleep_until(START), 5)


async def test_a_scaled_sleep_is_short() -> None:
    """An emulated hour at a high scale takes no time."""
    clock = ScaledClock(1_000_000, START)
    await asyncio.wait_for(clock.sleep_until(START + timedelta(hours=1)), 5)
    assert clock.now() >= START + timedelta(hours=1)


def test_a_clock_may_be_ahead() -> None:
    """With a skew every instant is later by it, at any speed, until it is taken away or the clock starts anew."""
    clock = ManualClock(START)
    clock.set_skew(timedelta(minutes=5))
    clock.advance(60)
    clock.set_scale(0)
    assert clock.now() == START + timedelta(minutes=6)
    clock.set_skew(timedelta(minutes=-5))
    assert clock.now() == START - timedelta(minutes=4)
    clock.restart(0)
    assert clock.skew == timedelta()


def test_a_date_header_tells_the_servers_time() -> None:
    """It is in the form of HTTP."""
    assert parsedate_to_datetime(date_header(START)) == START.replace(microsecond=0)
    assert date_header(START).endswith(" GMT")
