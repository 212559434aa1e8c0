from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_aib.hooks.polling.pace import SMALL_FLEET, RunHistory, paced
from tests.fakes import image_template, run_status

START = datetime(2026, 1, 5, 3, 0, 42, tzinfo=UTC)
HOUR = 3600.0


def pace(sub_state: str, age: float, usual: float | None = None, waits: int = 1, seconds: float = 60) -> float:
    """Give the pause after a look at a run of this age."""
    body = image_template(run_status("Running", sub_state))
    return paced(seconds, body, usual, START + timedelta(seconds=age), waits)


@pytest.mark.parametrize(
    ("sub_state", "age", "usual", "expected"),
    [
        ("Building", 600, None, 60),
        ("Distributing", 600, None, 15),
        ("Optimizing", 600, None, 15),
        ("Building", 600, HOUR, 60),
        ("Distributing", 600, HOUR, 60),
        ("Building", 0.95 * HOUR, HOUR, 15),
        ("Distributing", 1.2 * HOUR, HOUR, 15),
        ("Distributing", 2 * HOUR, HOUR, 60),
    ],
)
def test_a_run_near_its_end_is_looked_at_more_often(
    sub_state: str, age: float, usual: float | None, expected: float
) -> None:
    """The last run's duration tells when that is, and without one the phase does."""
    assert pace(sub_state, age, usual) == expected


def test_no_pause_is_longer_than_asked_for_or_too_short() -> None:
    """Five seconds is the shortest that we choose, and a shorter one that was asked for stays."""
    assert pace("Distributing", 600, seconds=12) == 5
    assert pace("Distributing", 600, seconds=0.05) == 0.05


def test_a_fleet_keeps_to_the_interval() -> None:
    """Many waits would pay in requests for seconds."""
    assert pace("Distributing", 600, waits=SMALL_FLEET) == 15
    assert pace("Distributing", 600, waits=SMALL_FLEET + 1) == 60


@pytest.mark.parametrize("body", [None, image_template(), image_template(run_status("Succeeded", None))])
def test_no_run_and_a_run_that_is_over_have_no_pace(body: dict[str, object] | None) -> None:
    """The pause is the asked one."""
    assert paced(60, body, None, START, 1) == 60


def test_history_is_of_runs_that_went_well() -> None:
    """A run that failed early says nothing about how long a good one takes."""
    history = RunHistory()

    history.note("t", image_template(run_status("Failed", None)))
    history.note("t", image_template())
    assert history.usual_duration("t") is None

    history.note("t", image_template(run_status("PartiallySucceeded", None)))
    assert history.usual_duration("t") is None

    history.note("t", image_template(run_status("Succeeded", None)))
    assert history.usual_duration("t") == pytest.approx(3558.33, abs=0.01)


class Sealed(dict[str, Any]):
    """Be a status of which nothing but the state may be read."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give the state."""
        assert key == "runState"
        return super().get(key, default)


def test_of_a_run_that_goes_on_only_the_state_is_read() -> None:
    """Each wait reads and masks the whole status for itself: doing so here as well would double what a look costs."""
    history = RunHistory()

    history.note("t", image_template(Sealed(run_status("Running", "Building"))))

    assert history.usual_duration("t") is None
