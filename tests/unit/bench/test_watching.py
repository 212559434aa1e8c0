from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.bench.fleet import Figures, blocked_in
from tests.bench.fleet_marks import BEGINS, BLOCKED
from tests.bench.sections.watching import TEXT, verdict

PEER = Figures(
    requests=3600,
    lists=0,
    tokens=1000,
    handshakes=4600,
    cpu=12.0,
    memory_per_wait=400_000,
    delay=0.8,
    latency=(19.0, 33.0),
    blocked=100,
    blocked_before=5,
    missed=0,
)
OURS = replace(PEER, requests=60, tokens=1, handshakes=1, cpu=1.1, memory_per_wait=26_000, latency=(16.0, 27.0))
ALONE = replace(OURS, requests=180, cpu=3.0, blocked=0)


def test_what_was_reached_is_said() -> None:
    """Where every figure is as good as it was to be, the page says so."""
    assert verdict(OURS, PEER, ALONE) == "All of it was reached."


@pytest.mark.parametrize(
    ("ours", "alone", "words"),
    [
        ({"requests": 90}, {}, "requests (0.025 of the peer's instead of 0.02)"),
        ({"cpu": 1.3}, {}, "CPU, seconds (0.1083 of the peer's instead of 0.1)"),
        ({"latency": (16.0, 34.0)}, {}, "end to event p95, seconds (1.03 of the peer's instead of 1)"),
        ({"latency": (16.0, float("nan"))}, {}, "end to event p95, seconds (nan of the peer's instead of 1)"),
        ({}, {"blocked": 2}, "warnings of a blocked loop (2 at 3,000)"),
        ({}, {"requests": 690}, "requests at 3,000 (11.50 times those at 1,000)"),
    ],
)
def test_what_was_not_reached_is_said(ours: dict[str, Any], alone: dict[str, Any], words: str) -> None:
    """Each figure that is missed is named, with by how much."""
    assert verdict(replace(OURS, **ours), PEER, replace(ALONE, **alone)) == f"Not reached: {words}."


def test_no_verdict_stands_in_the_text_beforehand() -> None:
    """What came out is put in when it is known."""
    assert "{verdict}" in TEXT
    assert not any(word in TEXT for word in ("missed", "Other programs"))


def test_warnings_of_the_start_are_counted_apart() -> None:
    """What Airflow warned of before the measured time is not the waits' doing."""
    assert blocked_in(f"{BLOCKED}\n{BLOCKED}\n{BEGINS}\n{BLOCKED}\n") == (2, 1)
    assert blocked_in(f"{BLOCKED}\n{BLOCKED}\n") == (0, 2)
