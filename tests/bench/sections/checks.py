"""What it costs to check image templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.checks import FILES, ROUNDS, CheckCost, measure_checks, peer_version
from tests.bench.section import Section, row

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
## Checking image templates

`airflow-aib check` on `dags/image_templates/windows.json`, beside `{checker}` on `tests/bench/image_pipeline.json`:
CloudFormation of the same size that asks EC2 Image Builder for much the same image. Processor time of the whole
program, its start included: for one file, median of {rounds}; and for {files:,} copies in one call. Neither
finds anything wrong; the peer knows all of CloudFormation, ours one service.

| processor time, ms | ratio | ours | peer |
| --- | ---: | ---: | ---: |
{rows}

"""


def measured(peers: Path) -> dict[str, object]:
    """Measure checks of image templates."""
    found = "\n".join(rows(*measure_checks(peers)))
    return {"checker": peer_version(peers), "rounds": ROUNDS, "files": FILES, "rows": found}


def rows(ours: CheckCost, peer: CheckCost) -> list[str]:
    """Return the rows of the table."""
    return [
        row("one file", ours.one * 1000, peer.one * 1000),
        row(f"{FILES:,} files", ours.many * 1000, peer.many * 1000),
    ]


SECTION = Section("checks", TEXT, measured)
