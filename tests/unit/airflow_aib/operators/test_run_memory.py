from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.operators.run_memory import KEY, RunMemory
from tests.fakes import FakeStore

IMAGE_TEMPLATE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
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


@pytest.mark.parametrize("run_state", ["Running", "Canceling"])
def test_a_cleared_task_joins_a_run_that_goes_on(store: FakeStore, run_state: str) -> None:
    """A clear raises `max_tries`; a build that is under way is not thrown away for it."""
    assert RunMemory(store, max_tries=3).recall(IMAGE_TEMPLATE_ID, status(run_state)) == HANDLE


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
