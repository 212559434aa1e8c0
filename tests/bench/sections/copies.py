"""What it takes to copy a VHD."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aib_emulator.settings import MEBIBYTE
from tests.bench.section import Section
from tests.bench.vhd_copies import (
    ALLOCATED,
    INSIDE_ALLOCATED,
    INSIDE_SIZE,
    VHD_SIZE,
    CopyCost,
    measure_copies,
    measure_inside,
)

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
## Copying a VHD to another account

A VHD of {size:,} MiB with {allocated:,} MiB allocated in fragments, from one account of the emulator to another, once
each. A blob bears 500 requests and 60 MiB in a second, as documented for page blobs of standard accounts, and is busy
beyond that. Ours (`airflow_aib.hooks.vhd_copy.copy_vhd`, by pieces) also verifies; the peers do not: AzCopy 10.32
compares lengths, Copy Blob (the SDK's `start_copy_from_url`) is the service's own, and the SDK's download and upload
(`azure.storage.blob.aio`) passes through a file. The ratio is that of ours to AzCopy.

| | ours | AzCopy | Copy Blob | SDK | ratio |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows}

| | wanted | reached |
| --- | ---: | ---: |
| bytes moved, of those allocated | 1.01 | {moved:.3f} |
| wall time, of AzCopy's | 0.90 | {wall:.2f} |
| memory, MiB | 150 | {memory:.0f} |

Wanted is what this project has set itself. What ours reads it reads once, to verify. AzCopy asks for windows of 4 MiB,
with all that is empty in them. The emulator's Copy Blob moves no bytes at all, since both blobs share them; the service
has no such shortcut between accounts, and promises no time.

Wall times are those of two processors on which emulator, Azurite and client take turns, with a load of {load:.1f} when
measuring began; they say little about Azure. Two things are known to tell here: ours asks for the allocated pages
alone to be written, and has every byte pass through these processors once more than AzCopy, which verifies none. How
much either weighs was not measured apart. Bytes and requests depend on the machine only by what was refused and sent
again.

### Inside one account

A VHD of {inside_size:,} MiB with {inside_allocated:,} MiB allocated, copied to another container of its account, once
each: ours as it chooses by itself (`method="auto"`), by pieces (`method="pages"`), and AzCopy, which knows pieces only.
Ours verifies either way. The ratio is that of what ours chooses to its pieces.

| | ours, chosen | ours, pages | AzCopy | ratio |
| --- | ---: | ---: | ---: | ---: |
{inside_rows}

What ours chooses is Copy Blob, one request in place of one for each piece, and no byte is asked to be written. But
nothing vouches for what Copy Blob has written, so both sides are read, where pieces are read once, on their way.

The emulator's Copy Blob is done when it is answered: both blobs share their bytes. The service promises no time inside
an account either, so this wall time is that of the verification, and a lower bound.
{verdict}

"""


def measured(_: Path) -> dict[str, object]:
    """Measure copies of VHDs."""
    load = os.getloadavg()[0]
    costs = measure_copies()
    ours, azcopy = costs["ours"], costs["azcopy"]
    inside = measure_inside()
    return {
        "size": VHD_SIZE // MEBIBYTE,
        "allocated": ALLOCATED // MEBIBYTE,
        "rows": "\n".join(rows(costs)),
        "moved": ours.moved / ALLOCATED,
        "wall": ours.seconds / azcopy.seconds,
        "load": load,
        "memory": ours.memory / MEBIBYTE,
        "inside_size": INSIDE_SIZE // MEBIBYTE,
        "inside_allocated": INSIDE_ALLOCATED // MEBIBYTE,
        "inside_rows": "\n".join(rows(inside)),
        "verdict": verdict(inside["chosen"].seconds, inside["ours"].seconds),
    }


def verdict(chosen: float, pages: float) -> str:
    """Say how long Copy Blob may take before pieces are quicker.

    :param chosen: seconds with a Copy Blob that takes none
    :param pages: seconds by pieces
    """
    if chosen >= pages:
        return f"Here pieces were quicker, by {chosen - pages:.1f} s, even so."
    return f"Here pieces would be quicker if Copy Blob took longer than {pages - chosen:.1f} s."


def rows(costs: dict[str, CopyCost]) -> list[str]:
    """Return the rows of the table."""
    return [
        row("wall time, s", [cost.seconds for cost in costs.values()], places=1),
        row("requests to storage", [cost.requests for cost in costs.values()]),
        row("asked to be written into the copy, MiB", [cost.moved / MEBIBYTE for cost in costs.values()]),
        row("read by the worker, MiB", [cost.read / MEBIBYTE for cost in costs.values()]),
        row("sent by the worker, MiB", [cost.sent / MEBIBYTE for cost in costs.values()]),
        row("memory beyond the interpreter's, MiB", [cost.memory / MEBIBYTE for cost in costs.values()]),
    ]


def row(name: str, values: list[float], *, places: int = 0) -> str:
    """Return one row: the values, and the ratio of the first to the second."""
    ours, azcopy, *_ = values
    ratio = f"**{ours / azcopy:.2f}**" if azcopy else "-"
    return f"| {name} | {' | '.join(f'{value:,.{places}f}' for value in values)} | {ratio} |"


SECTION = Section("copies", TEXT, measured)
