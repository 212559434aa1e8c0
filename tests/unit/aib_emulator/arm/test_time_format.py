from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.arm.time_format import nanoseconds_text, offset_text, stamp_text, ticks_text

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(INSTANTS)
def test_last_run_status_times_have_no_trailing_zeros(instant: datetime) -> None:
    """Up to nine digits, trailing zeros trimmed, as Go writes them."""
    text = nanoseconds_text(instant)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z", text)
    assert text.startswith(f"{instant:%Y-%m-%dT%H:%M:%S}")


@given(INSTANTS)
def test_operation_times_have_seven_digits(instant: datetime) -> None:
    """Always seven digits, zeros included."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", ticks_text(instant))


@given(INSTANTS)
def test_one_instant_is_always_written_alike(instant: datetime) -> None:
    """The digits that Python does not keep are made up, but not anew each time: clients compare the text."""
    same = instant.astimezone(UTC)
    assert nanoseconds_text(instant) == nanoseconds_text(same)


def test_other_zones_are_written_in_utc() -> None:
    """An instant of another zone is written in UTC."""
    instant = datetime(2025, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert stamp_text(instant) == "20250101T000000Z"
    assert offset_text(instant).startswith("2025-01-01T00:00:00")
