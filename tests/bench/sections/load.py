"""What the emulator bears."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.bench.emulator_load import (
    CLIENTS,
    IMAGE_TEMPLATE_COUNT,
    RUN_COUNT,
    TIME_SCALE,
    LoadCost,
    measure_load,
    slow,
)
from tests.bench.section import Section

if TYPE_CHECKING:
    from pathlib import Path

PAGE_SIZE = EmulatorSettings().list_page_size
TEXT = """\
## What the emulator bears

{image_templates} image templates, of which {runs} run at once; one client gets image templates and pages of their list
all the while, one after the other. The clock goes {scale} times as fast as the real one, and the runs' effects come in
bursts. Emulator, Azurite and client are a process each. There is no peer: no other emulator of the service is known.

| | |
| --- | ---: |
{rows}
"""


def measured(_: Path) -> dict[str, object]:
    """Measure the load."""
    return {
        "image_templates": f"{IMAGE_TEMPLATE_COUNT:,}",
        "runs": f"{RUN_COUNT:,}",
        "scale": TIME_SCALE,
        "rows": "\n".join(rows(measure_load())),
    }


def rows(cost: LoadCost) -> list[str]:
    """Return the rows of the table."""
    return [
        f"| image templates put each second, {CLIENTS} clients | {cost.put:,.0f} |",
        f"| GET of an image template before the runs, median and p99, ms | {_two(cost.idle_looks)} |",
        f"| GET of an image template during the runs ({len(cost.looks):,}), median and p99, ms | {_two(cost.looks)} |",
        f"| page of the list ({PAGE_SIZE} image templates) during the runs, median and p99, ms | {_two(cost.pages)} |",
        f"| all runs, from start to the last end, s | {cost.run:,.1f} |",
        f"| how they ended | {', '.join(sorted(cost.states))} |",
        f"| memory of the emulator, MiB | {cost.memory / MEBIBYTE:,.0f} |",
        f"| threads of the emulator | {cost.threads:,} |",
    ]


def _two(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:,.1f}, {slow(seconds) * 1000:,.1f}"


SECTION = Section("load", TEXT, measured)
