from __future__ import annotations

from dataclasses import replace

from tests.chaos.recovery import Recovery, Snapshot, TaskLook, recovery, table

RUNNING = TaskLook(("one", "run"), "running", 1, "worker-1", "77")
DEFERRED = TaskLook(("two", "run"), "deferred", 1, "triggerer-2", "")
LOST = replace(RUNNING, state="up_for_retry", holder="")
MOVED = replace(DEFERRED, holder="triggerer-1")
CALM = Snapshot(9, (RUNNING, DEFERRED))
LATER = (CALM, Snapshot(11, (RUNNING, DEFERRED)), Snapshot(14, (RUNNING, MOVED)), Snapshot(52, (LOST, MOVED)))


def test_a_worker_has_recovered_when_its_tasks_have_moved_on() -> None:
    """Another task's progress comes earlier, and is told apart."""
    assert recovery("worker-1", 10, LATER) == Recovery("worker-1", progress=4, held=1, all_held=42)


def test_a_triggerer_has_recovered_when_another_one_watches() -> None:
    """A deferred task that has changed its triggerer has moved on."""
    assert recovery("triggerer-2", 10, LATER) == Recovery("triggerer-2", progress=4, held=1, all_held=4)


def test_what_holds_no_task_only_has_progress() -> None:
    """A scheduler serves all tasks and holds none."""
    assert recovery("scheduler-1", 10, LATER) == Recovery("scheduler-1", progress=4, held=0, all_held=None)


def test_without_any_progress_there_is_no_recovery() -> None:
    """Nothing has moved until the end."""
    assert recovery("worker-1", 20, LATER[:3]) == Recovery("worker-1", progress=None, held=1, all_held=None)


def test_the_table_has_a_row_for_each_kind() -> None:
    """Both workers count together, with median and longest time."""
    found = [
        Recovery("worker-1", 1, 2, 40),
        Recovery("worker-2", 3, 1, 60),
        Recovery("connections", 2, 0, None),
    ]
    assert table(found).splitlines()[2:] == [
        "| connections | 1 | 2 s | 2 s |  |  |  |",
        "| worker | 2 | 2 s | 3 s | 3 | 50 s | 60 s |",
    ]
