from __future__ import annotations

import json

import pytest

from tests.bench.relay_logs import DONE_BEFORE, LINE_BYTES, LogCourse, Relayed, line, lines_of, relayed

NOTE = "[... {bytes} bytes are left out here; the whole log is https://s/packerlogs/g/customization.log ...]"


def lines(*indexes: int) -> list[str]:
    """Give lines of one build's log."""
    return [line(7, index) for index in indexes]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (["The run is Running/Building", *lines(0, 1, 2)], Relayed(told=3, end=3)),
        (lines(0, 1, 1, 2), Relayed(told=3, doubled=1, end=3)),
        (lines(0, 3), Relayed(told=2, lost=2, end=4)),
        ([*lines(0), NOTE.format(bytes=2 * LINE_BYTES), *lines(3)], Relayed(told=2, left_out=2, end=4)),
        ([*lines(0), NOTE.format(bytes=LINE_BYTES), *lines(9)], Relayed(told=2, left_out=3, lost=5, end=10)),
        ([*lines(0), line(8, 1)], Relayed(told=1, strange=1, end=1)),
        ([*lines(0), line(7, 1)[:50]], Relayed(told=1, strange=1, end=1)),
    ],
    ids=["whole", "doubled", "lost", "left out", "left out and lost", "of another build", "cut"],
)
def test_what_is_amiss_with_a_relayed_log_is_counted(told: list[str], found: Relayed) -> None:
    """Every line says whose it is and which one."""
    assert relayed(7, told) == found


def test_a_missing_end_counts_as_lost() -> None:
    """Nothing comes after it that would show it."""
    assert Relayed(told=3, lost=1, end=4).missing_of(written=6) == 3


def test_lines_are_taken_out_of_airflows_records() -> None:
    """A record has several lines, and some have none of the build's log."""
    records = [{"event": "\n".join(lines(0, 1)), "level": "info"}, {"event": "trigger starting"}]

    assert list(lines_of("\n".join(map(json.dumps, records)))) == [*lines(0, 1), "trigger starting"]


def test_a_log_grows_until_shortly_before_its_end() -> None:
    """The service has written it before it calls the run over."""
    course = LogCourse(7, begins=1000.0, ends=1100.0)

    assert len(course.text(0, 2)) == 2 * LINE_BYTES
    assert [course.lines_at(moment) for moment in (900, 1000, 1050)] == [0, 0, 60]
    assert course.lines_at(1100 - DONE_BEFORE) == course.lines_at(2000)
    assert course.is_done(1100 - DONE_BEFORE)
    assert LogCourse(50, begins=1000.0, ends=1100.0).lines_at(1001) == 120
