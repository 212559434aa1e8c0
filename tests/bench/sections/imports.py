"""What a DAG file pays for its imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.imports import ROUNDS, ImportCost, measure_imports
from tests.bench.section import Section, goals, row

if TYPE_CHECKING:
    from pathlib import Path

MOST = 0.1
TEXT = """\
## What a DAG file pays for its imports

All of our operators, sensors, triggers, links and task groups, beside the official provider's
`airflow.providers.microsoft.azure.operators.compute`: what each adds once `airflow.sdk` is loaded, in a fresh
interpreter with compiled bytecode, median of {rounds}.

| | ratio | ours | peer |
| --- | ---: | ---: | ---: |
{rows}

{goals}
"""


def measured(_: Path) -> dict[str, object]:
    """Measure imports."""
    ours, peer = measure_imports()
    return {
        "rounds": ROUNDS,
        "rows": "\n".join(rows(ours, peer)),
        "goals": goals(("processor time, of the peer's", ours.seconds / peer.seconds, MOST)),
    }


def rows(ours: ImportCost, peer: ImportCost) -> list[str]:
    """Return the rows of the table."""
    return [
        row("processor time, ms", ours.seconds * 1000, peer.seconds * 1000),
        row("modules", ours.modules, peer.modules),
    ]


SECTION = Section("imports", TEXT, measured)
