"""What the emulator's blob front costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.settings import MEBIBYTE
from tests.bench.blob_front import ROUNDS, measure_front
from tests.bench.blob_load import CONCURRENCY, PIECE, PIECES, SMALL_REQUESTS
from tests.bench.section import Section, row

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {
    "write_blocks": "write a block blob",
    "read_blocks": "read it",
    "write_pages": "write a page blob",
    "read_pages": "read it",
    "copy_pages": "copy it to another one",
    "small_requests": f"{SMALL_REQUESTS:,} requests for properties",
}
TEXT = """\
## What the emulator's blob front costs

The same loads on the emulator's blob endpoint, over TLS and with a bearer token, and on the Azurite behind it, over
plain HTTP and with the account's key: {concurrency} requests at a time, {rounds} rounds each, of which the quickest
counts. Content goes in pieces of {piece} MiB, {size} MiB in all. Azurite cannot copy pages from an address, so there
the client reads and writes them.

| seconds | ratio | front | plain Azurite |
| --- | ---: | ---: | ---: |
{rows}

Azurite is one process and the front another, so on two processors the client, the front and Azurite take turns.
"""


def measured(_: Path) -> dict[str, object]:
    """Measure the blob front."""
    return {
        "concurrency": CONCURRENCY,
        "rounds": ROUNDS,
        "piece": PIECE // MEBIBYTE,
        "size": PIECE * PIECES // MEBIBYTE,
        "rows": "\n".join(rows(*measure_front())),
    }


def rows(ours: dict[str, float], peer: dict[str, float]) -> list[str]:
    """Return the rows of the table."""
    return [row(label, ours[load], peer[load], places=2) for load, label in LABELS.items()]


SECTION = Section("front", TEXT, measured)
