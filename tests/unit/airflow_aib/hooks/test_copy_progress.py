from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_aib.hooks.copy_progress import INTERVAL, CopyProgress, ProgressMeter, readable_bytes
from tests.fakes import FakeClock

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (4096, "4 KiB"), (5 * MEBIBYTE, "5 MiB"), (3 << 30, "3.0 GiB")],
)
def test_bytes_are_written_as_people_read_them(count: int, text: str) -> None:
    """A number of bytes gets the unit that suits it."""
    assert readable_bytes(count) == text


def test_a_word_about_progress_has_rate_and_time_left() -> None:
    """Share, rate and seconds left are told; the rate is that of this try alone."""
    progress = CopyProgress(6 * MEBIBYTE, 10 * MEBIBYTE, travelled_bytes=4 * MEBIBYTE, seconds=2)

    assert progress.message == "6 MiB of 10 MiB copied (60%), 2 MiB/s, 2 s left"


def test_no_rate_is_told_before_there_is_one() -> None:
    """Nothing is divided by zero, neither at the start nor for an empty disk."""
    assert CopyProgress(0, 10, 0, 0).message == "0 bytes of 10 bytes copied (0%)"
    assert CopyProgress(0, 0, 0, 0).message == "0 bytes of 0 bytes copied (100%)"


def test_progress_is_told_at_start_now_and_then_and_at_the_end() -> None:
    """A copy of many pieces does not flood the log."""
    clock = FakeClock()
    told: list[int] = []
    meter = ProgressMeter(lambda progress: told.append(progress.copied_bytes), 100, 10, clock)

    for _ in range(9):
        clock.time += timedelta(seconds=INTERVAL / 2)
        meter.add(10)

    assert told == [10, 30, 50, 70, 90, 100]
