"""What Airflow pays to read a fleet's DAG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.dag_parsing import DAGS, ROUNDS, ParsingCost, measure_parsing
from tests.bench.section import Section, goals, row

if TYPE_CHECKING:
    from pathlib import Path

MOST = 1.2
TEXT = """\
## Reading a DAG file that makes a fleet

`image_rebuild_dags` over a folder of {dags} documents, beside {dags} DAGs of as many EmptyOperators in the same shape:
processor time of what Airflow's DAG processor does in a process of its own, from the file to the serialized DAGs. Once
with nothing remembered of the documents, and then the median of {rounds} rounds.

| processor time, ms | ratio | ours | peer |
| --- | ---: | ---: | ---: |
{rows}

{goals}

Documents are not what costs: they are read once, and remembered by their content. What all DAGs of a fleet have in
common is found out once, the timetable of their schedule and what Airflow's configuration gives them, which saves some
0.15 ms of each DAG; the peer's are as anybody writes them. What ours takes more is nearly all Airflow's own work on
what EmptyOperators do not have. In ms of each DAG: 0.2 for the constructors of operators with base classes, which
Airflow wraps one by one; 0.2 for what it writes down of them, as links, and six filled template fields, for each of
which it asks its configuration how long it may be; 0.1 for the imports and for reading the folder.
"""


def measured(_: Path) -> dict[str, object]:
    """Measure the reading of DAG files."""
    ours, peer = measure_parsing()
    return {
        "dags": DAGS,
        "rounds": ROUNDS,
        "rows": "\n".join(rows(ours, peer)),
        "goals": goals(("processor time again, of the peer's", ours.again / peer.again, MOST)),
    }


def rows(ours: ParsingCost, peer: ParsingCost) -> list[str]:
    """Return the rows of the table."""
    return [
        row("the first time", ours.first * 1000, peer.first * 1000),
        row("again", ours.again * 1000, peer.again * 1000),
    ]


SECTION = Section("dag_parsing", TEXT, measured)
