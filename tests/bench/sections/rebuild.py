"""What a whole rebuild costs Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.rebuild_cost import ROUNDS, RebuildCost, measure_rebuild
from tests.bench.section import Section, row

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
## What a rebuild costs Airflow

The whole rebuild, from the document to the copied VHD and the archived log, beside a DAG of the same shape made of
EmptyOperators, which the scheduler itself calls done: no worker ever sees them. A real Airflow with LocalExecutor and
SQLite, the emulator with time twenty times as fast, {rounds} rounds in turns, of which the one with the least overhead
counts.

| | ratio | ours | peer |
| --- | ---: | ---: | ---: |
{rows}

The build itself took {build:.0f} s of the emulator's quick time; a task that waits for it holds no worker slot. The
overhead holds `trigger_min_age`, 15 s: a task that is resumed sooner can be failed by Airflow's scheduler.
"""


def measured(_: Path) -> dict[str, object]:
    """Measure rebuilds."""
    ours, peer = measure_rebuild()
    return {"rounds": ROUNDS, "rows": "\n".join(rows(ours, peer)), "build": ours.build_seconds}


def rows(ours: RebuildCost, peer: RebuildCost) -> list[str]:
    """Return the rows of the table."""
    return [
        row("overhead beyond the build, s", ours.overhead, peer.overhead, places=1),
        row("worker slots, seconds held", ours.slot_seconds, peer.slot_seconds, places=1),
        row("rows in Airflow's database", ours.rows, peer.rows),
        row("task instances", ours.tasks, peer.tasks),
        row("deferrals", ours.deferrals, peer.deferrals),
    ]


SECTION = Section("rebuild", TEXT, measured)
