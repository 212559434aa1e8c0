"""What it takes to copy a VHD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.settings import MEBIBYTE
from tests.bench.section import Section, row
from tests.bench.vhd_copies import ALLOCATED, ROUNDS, VHD_SIZE, CopyCost, measure_copies

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
## Copying a VHD to another container

A VHD of {size:,} MiB with {allocated} MiB allocated in fragments, from one container of the emulator to another, with
{rounds} rounds each, of which the quickest counts. Ours (`airflow_aib.hooks.vhd_copy.copy_vhd`) lets the destination
read from the source, and then verifies: both sides are read once, and their digests compared. The peer downloads to
a file and uploads that with the SDK (`azure.storage.blob.aio`, which leaves out empty pages by itself); it does not
verify.

| | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{rows}

All that ours reads is for the verification; the copying itself moves nothing through the worker. Emulator, Azurite and
client share the machine, so that wall times say little about Azure; bytes and calls are what they would be there.

"""


def measured(_: Path) -> dict[str, object]:
    """Measure copies of VHDs."""
    return {
        "size": VHD_SIZE // MEBIBYTE,
        "allocated": ALLOCATED // MEBIBYTE,
        "rounds": ROUNDS,
        "rows": "\n".join(rows(*measure_copies())),
    }


def rows(ours: CopyCost, peer: CopyCost) -> list[str]:
    """Return the rows of the table."""
    return [
        row("wall time, s", ours.seconds, peer.seconds, places=1),
        row("read by the worker, MiB", ours.read / MEBIBYTE, peer.read / MEBIBYTE),
        row("written by the worker, MiB", ours.written / MEBIBYTE, peer.written / MEBIBYTE),
        row("disk of the worker, MiB", 0, VHD_SIZE / MEBIBYTE),
        row("calls", ours.calls, peer.calls),
    ]


SECTION = Section("copies", TEXT, measured)
