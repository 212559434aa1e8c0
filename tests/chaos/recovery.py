"""How long it took after each kill until tasks moved on: plain data in, a table out."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HELD_WHILE = {"worker": "running", "triggerer": "deferred"}
"""In which state a task is held by which kind of program; the others hold none, they serve all."""


@dataclass(frozen=True)
class TaskLook:
    """Describe one task instance at an instant.

    :param key: build and task.
    :param state: Airflow's word; empty before there is one.
    :param try_number: which try.
    :param holder: the program that has it: a worker while it runs, a triggerer while it is deferred, else empty.
    :param process: which process on a worker.
    """

    key: tuple[str, str]
    state: str
    try_number: int
    holder: str
    process: str


@dataclass(frozen=True)
class Snapshot:
    """Hold all task instances at an instant.

    :param at: seconds since the builds were asked for.
    """

    at: float
    tasks: tuple[TaskLook, ...]


@dataclass(frozen=True)
class Recovery:
    """Say how long it took after a kill; None is never.

    :param target: what was killed.
    :param progress: seconds until any task moved on.
    :param held: how many tasks the killed program had at that moment.
    :param all_held: seconds until each of them had moved on; None also when there were none.
    """

    target: str
    progress: float | None
    held: int
    all_held: float | None


def recovery(target: str, at: float, snapshots: Sequence[Snapshot]) -> Recovery:
    """Return how long it took after one kill.

    :param snapshots: in the order of time, some of them before the kill.
    """
    before = [snapshot for snapshot in snapshots if snapshot.at <= at]
    later = [snapshot for snapshot in snapshots if snapshot.at > at]
    known = {task.key: task for task in before[-1].tasks} if before else {}
    held = {key: task for key, task in known.items() if _holds(target, task)}
    moved = next((seen.at - at for seen in later if _moved(known, seen.tasks)), None)
    return Recovery(target, moved, len(held), _until_all(held, later, at))


HEAD = """\
| killed | times | next progress, median | longest | tasks it held | all of them went on, median | longest |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def count_successes(snapshot: Snapshot) -> int:
    """Return how many tasks had succeeded."""
    return sum(task.state == "success" for task in snapshot.tasks)


def table(recoveries: Iterable[Recovery]) -> str:
    """Return the recoveries as a table, a row for each kind of target."""
    by_kind: dict[str, list[Recovery]] = {}
    for found in recoveries:
        by_kind.setdefault(_kind(found.target), []).append(found)
    return "\n".join([HEAD, *(_row(kind, found) for kind, found in sorted(by_kind.items()))])


def _row(kind: str, found: list[Recovery]) -> str:
    progress = [each.progress for each in found if each.progress is not None]
    all_held = [each.all_held for each in found if each.all_held is not None]
    held = sum(each.held for each in found)
    cells = (kind, len(found), *_median_and_most(progress), held or "", *_median_and_most(all_held))
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _median_and_most(seconds: list[float]) -> tuple[str, str]:
    return (f"{median(seconds):.0f} s", f"{max(seconds):.0f} s") if seconds else ("", "")


def _until_all(held: dict[tuple[str, str], TaskLook], later: Sequence[Snapshot], at: float) -> float | None:
    left = dict(held)
    for seen in later:
        for task in seen.tasks:
            if task.key in left and task != left[task.key]:
                del left[task.key]
        if held and not left:
            return seen.at - at
    return None


def _moved(known: dict[tuple[str, str], TaskLook], tasks: Iterable[TaskLook]) -> bool:
    return any(known.get(task.key) != task for task in tasks)


def _holds(target: str, task: TaskLook) -> bool:
    return task.holder == target and task.state == HELD_WHILE.get(_kind(target))


def _kind(target: str) -> str:
    return target.rpartition("-")[0] if target[-1:].isdigit() else target
