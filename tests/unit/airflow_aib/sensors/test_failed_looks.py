from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageRunWatchError
from airflow_aib.sensors.failed_looks import KEY, FailedLooks
from tests.fakes import FakeClock, FakeStore, look_error

BUDGET = timedelta(minutes=10)


def looks(clock: FakeClock, store: FakeStore | None = None, try_number: int = 1) -> FailedLooks:
    """Make the memory of a sensor's process."""
    return FailedLooks(try_number, store, clock=clock)


def test_failed_looks_are_borne_for_ten_minutes() -> None:
    """What may pass is borne; when it has not passed for the whole budget, an error tells since when."""
    clock = FakeClock()
    failed = looks(clock)
    failed.bear(look_error(500))
    clock.time += BUDGET - timedelta(seconds=1)
    failed.bear(look_error(503))
    clock.time += timedelta(seconds=1)

    with pytest.raises(ImageRunWatchError, match=r"since 2026-01-05T03:00:00\+00:00.*Could not look"):
        failed.bear(look_error(500))


def test_a_good_look_starts_the_budget_anew() -> None:
    """Only looks that fail in a row count."""
    clock = FakeClock()
    failed = looks(clock)
    failed.bear(look_error(500))
    failed.forget()
    clock.time += BUDGET

    failed.bear(look_error(500))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_cannot_pass_is_not_borne(status: int) -> None:
    """A missing permission or image template is an error at once."""
    with pytest.raises(ArmRequestError):
        looks(FakeClock()).bear(look_error(status))


def test_a_rescheduled_sensor_remembers() -> None:
    """Each poke of a rescheduled sensor is a new process: the budget goes on through the task's state."""
    clock, store = FakeClock(), FakeStore()
    looks(clock, store).bear(look_error(500))
    clock.time += BUDGET

    with pytest.raises(ImageRunWatchError):
        looks(clock, store).bear(look_error(500))


def test_another_try_has_a_budget_of_its_own() -> None:
    """What an earlier try has left there does not count, nor what cannot be read."""
    clock, store = FakeClock(), FakeStore()
    looks(clock, store).bear(look_error(500))
    clock.time += BUDGET

    looks(clock, store, try_number=2).bear(look_error(500))
    store.set(KEY, "text")
    looks(clock, store, try_number=2).bear(look_error(500))


def test_a_good_look_clears_the_tasks_state() -> None:
    """Nothing is left in the task's state once Azure answers again."""
    store = FakeStore()
    looks(FakeClock(), store).bear(look_error(500))

    looks(FakeClock(), store).forget()

    assert store.values == {}
