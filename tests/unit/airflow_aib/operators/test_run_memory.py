from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.operators.run_memory import FORMER_KEY, KEY, RETENTION, TURN_KEY, RunMemory
from tests.fakes import FakeStore

IMAGE_TEMPLATE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
BEFORE = "2026-01-04T03:00:00.5Z"
STARTED = "2026-01-05T03:00:01.123456789Z"
HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, "2026-01-05T03:00:00+00:00", None, STARTED)


def status(run_state: str, start_time: str = STARTED) -> LastRunStatus:
    """Write a status."""
    return LastRunStatus(run_state, None, start_time, None, "")


@pytest.fixture
def store() -> FakeStore:
    """Keep a run that a first try has asked for, of a task with two retries."""
    store = FakeStore()
    RunMemory(store, max_tries=2).keep(HANDLE)
    return store


@pytest.mark.parametrize("run_state", ["Running", "Canceling", "Succeeded", "Failed"])
def test_a_retry_joins_the_run_over_or_not(store: FakeStore, run_state: str) -> None:
    """The next try goes on with the run of the one before: its end has not been reported."""
    assert RunMemory(store, max_tries=2).recall(IMAGE_TEMPLATE_ID, status(run_state)) == HANDLE


def test_a_retry_joins_a_run_that_has_not_appeared_yet(store: FakeStore) -> None:
    """A run that was asked for, but never seen, is looked for before another one is asked for."""
    unseen = ImageRunHandle(IMAGE_TEMPLATE_ID, HANDLE.submit_time, "2026-01-01T00:00:00Z")
    RunMemory(store, max_tries=2).keep(unseen)

    assert RunMemory(store, max_tries=2).recall(IMAGE_TEMPLATE_ID, None) == unseen


OVER = status("Succeeded")


@pytest.mark.parametrize(
    ("before", "now", "is_joined"),
    [
        # By (max_tries, try_number, retries). With as many retries as before a clear cannot look like a retry.
        ((3, 1, 3), (3, 2, 3), True),
        ((3, 1, 3), (4, 2, 3), False),
        # Fewer retries: a clear of the first try comes to the same three, and reporting an old run again is worse.
        ((3, 1, 3), (3, 2, 2), False),
        ((3, 1, 3), (3, 3, 1), False),
        ((3, 1, 3), (3, 2, 1), True),
        # More retries: a clear would have come to more.
        ((3, 1, 3), (3, 2, 5), True),
        # A retry after a clear keeps what the clear has set.
        ((5, 3, 3), (5, 4, 3), True),
        ((5, 3, 3), (6, 4, 3), False),
    ],
)
def test_a_clear_is_told_from_a_retry_also_where_the_dag_has_changed(
    before: tuple[int, int, int], now: tuple[int, int, int], *, is_joined: bool
) -> None:
    """A clear sets `max_tries` by the retries that the DAG has then; a retry leaves it alone."""
    store = FakeStore()
    RunMemory(store, *before).keep(HANDLE)

    assert (RunMemory(store, *now).recall(IMAGE_TEMPLATE_ID, OVER) is not None) is is_joined


def test_what_is_remembered_outlives_a_deployments_own_retention(store: FakeStore) -> None:
    """A clean-up of task states while a build or the pause before a retry lasts must not lose the build."""
    memory = RunMemory(store, max_tries=2)
    memory.turn_deadline(datetime(2026, 1, 5, tzinfo=UTC))
    memory.retire()
    memory.keep(HANDLE)

    assert store.retentions == dict.fromkeys((KEY, FORMER_KEY, TURN_KEY), RETENTION)


def test_a_cleared_task_joins_a_run_that_goes_on(store: FakeStore) -> None:
    """A clear raises `max_tries`; a build that is under way is not thrown away for it."""
    assert RunMemory(store, max_tries=3).recall(IMAGE_TEMPLATE_ID, status("Running")) == HANDLE


def test_a_cleared_task_waits_for_its_run_that_is_being_cancelled(store: FakeStore) -> None:
    """Who ends a task by hand and clears it wants another run, and meets the old one while that is being cancelled."""
    memory = RunMemory(store, max_tries=3)

    assert memory.recall(IMAGE_TEMPLATE_ID, status("Canceling")) is None
    assert memory.find_former(IMAGE_TEMPLATE_ID, status("Canceling")) == HANDLE


@pytest.mark.parametrize(
    ("shown", "is_joined"), [(None, True), (BEFORE, True), ("2026-01-05T09:00:00Z", False)], ids=str
)
def test_a_cleared_task_joins_an_accepted_run_that_is_yet_to_appear(shown: str | None, *, is_joined: bool) -> None:
    """What Azure has accepted a moment ago goes on, though nothing shows it; unless a later run says otherwise."""
    accepted = ImageRunHandle(IMAGE_TEMPLATE_ID, HANDLE.submit_time, BEFORE, asked_at=HANDLE.submit_time)
    store = FakeStore()
    RunMemory(store, max_tries=2).keep(accepted)

    recalled = RunMemory(store, max_tries=3).recall(IMAGE_TEMPLATE_ID, status("Succeeded", shown) if shown else None)

    assert recalled == (accepted if is_joined else None)


@pytest.mark.parametrize(("later", "is_former"), [("Running", True), ("Canceling", True), ("Canceled", False)])
def test_a_run_that_was_given_up_is_known_until_it_is_over(store: FakeStore, later: str, *, is_former: bool) -> None:
    """The next try does not join it, and does not take it for somebody else's either."""
    memory = RunMemory(store, max_tries=2)

    memory.retire()

    assert memory.recall(IMAGE_TEMPLATE_ID, status(later)) is None
    assert memory.find_former(IMAGE_TEMPLATE_ID, status(later)) == (HANDLE if is_former else None)
    assert memory.find_former(IMAGE_TEMPLATE_ID, status("Running", "2026-01-05T09:00:00Z")) is None


@pytest.mark.parametrize(
    ("shown", "is_forgotten"),
    [
        (status("Running"), False),
        (status("Canceled"), True),
        (status("Running", "2026-01-05T09:00:00Z"), True),
        (status("Succeeded", BEFORE), False),
        (None, False),
    ],
    ids=["running", "over", "followed by another", "not shown", "no run"],
)
def test_a_run_that_was_given_up_is_forgotten_once_it_is_over(
    store: FakeStore, shown: LastRunStatus | None, *, is_forgotten: bool
) -> None:
    """Nothing later can be taken for it then."""
    memory = RunMemory(store, max_tries=2)
    memory.retire()

    memory.find_former(IMAGE_TEMPLATE_ID, shown)

    assert (FORMER_KEY not in store.values) is is_forgotten


def test_a_run_that_was_given_up_before_it_showed_is_known_by_its_start_from_then_on() -> None:
    """Another one that begins soon after it is somebody else's."""
    memory = RunMemory(FakeStore(), max_tries=2)
    memory.keep(replace(HANDLE, start_time=None, asked_at=HANDLE.submit_time))
    memory.retire()

    assert memory.find_former(IMAGE_TEMPLATE_ID, status("Running")) == replace(HANDLE, asked_at=HANDLE.submit_time)
    assert memory.find_former(IMAGE_TEMPLATE_ID, status("Running", "2026-01-05T03:00:09Z")) is None


def test_a_run_that_was_given_up_is_of_one_image_template(store: FakeStore) -> None:
    """It says nothing about another one."""
    memory = RunMemory(store, max_tries=2)
    memory.retire()

    assert memory.find_former(IMAGE_TEMPLATE_ID.replace("base", "other"), status("Running")) is None
    assert memory.find_former(IMAGE_TEMPLATE_ID.upper(), status("Running")) == HANDLE


def test_an_adopted_run_that_was_given_up_is_somebody_elses(store: FakeStore) -> None:
    """What to do about it is the user's choice again."""
    memory = RunMemory(store, max_tries=2)
    memory.keep(replace(HANDLE, ownership=RunOwnership.FOREIGN))

    memory.retire()

    assert memory.find_former(IMAGE_TEMPLATE_ID, status("Running")) is None


def test_a_turn_has_one_deadline_through_the_legs_of_a_try() -> None:
    """A task that is deferred again does not begin to wait anew; another try does."""
    store, first, second = FakeStore(), datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)

    assert RunMemory(store, 2, try_number=1).turn_deadline(first) == first
    assert RunMemory(store, 2, try_number=1).turn_deadline(second) == first
    assert RunMemory(store, 2, try_number=2).turn_deadline(second) == second
    RunMemory(store, 2, try_number=2).end_turn()
    assert store.values == {}


@pytest.mark.parametrize("run_state", ["Succeeded", "Failed", "Canceled", "PartiallySucceeded"])
def test_a_cleared_task_does_not_report_an_old_run_again(store: FakeStore, run_state: str) -> None:
    """Who clears a task whose run is over wants another run."""
    assert RunMemory(store, max_tries=3).recall(IMAGE_TEMPLATE_ID, status(run_state)) is None


def test_a_cleared_task_leaves_the_run_of_somebody_else(store: FakeStore) -> None:
    """After a clear, a run that goes on is joined only if it is the one that was asked for."""
    other = status("Running", "2026-01-05T09:00:00Z")

    assert RunMemory(store, max_tries=3).recall(IMAGE_TEMPLATE_ID, other) is None


def test_another_image_template_has_another_run(store: FakeStore) -> None:
    """What is remembered of one image template says nothing about another."""
    other = IMAGE_TEMPLATE_ID.replace("base", "other")

    assert RunMemory(store, max_tries=2).recall(other, status("Running")) is None
    assert RunMemory(store, max_tries=2).recall(IMAGE_TEMPLATE_ID.upper(), status("Running")) == HANDLE


def test_a_reported_run_is_forgotten(store: FakeStore) -> None:
    """Once its end has been reported, another try starts another run."""
    memory = RunMemory(store, max_tries=2)
    memory.forget()

    assert memory.recall(IMAGE_TEMPLATE_ID, status("Failed")) is None


@pytest.mark.parametrize("kept", ["text", {}, {"handle": None}, {"handle": "text"}, None])
def test_unreadable_memory_is_none(kept: Any) -> None:
    """A value that a person or another version has left there does no harm."""
    assert RunMemory(FakeStore({KEY: kept}), max_tries=2).recall(IMAGE_TEMPLATE_ID, None) is None
