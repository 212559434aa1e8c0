"""Measure beside named peers, in one run on this machine, and write docs/benchmarks.md.

`--only front` measures one part, and leaves the other parts of the page as they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.blob_front import ROUNDS as FRONT_ROUNDS
from tests.bench.blob_front import measure_front
from tests.bench.blob_load import CONCURRENCY, PIECE, PIECES, SMALL_REQUESTS
from tests.bench.checks import FILES, CheckCost, measure_checks, peer_version
from tests.bench.checks import ROUNDS as CHECK_ROUNDS
from tests.bench.imports import ROUNDS as IMPORT_ROUNDS
from tests.bench.imports import ImportCost, measure_imports
from tests.bench.vhd_copies import ALLOCATED, VHD_SIZE, CopyCost, measure_copies
from tests.bench.vhd_copies import ROUNDS as COPY_ROUNDS

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1024 * 1024
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
LIBRARIES = (
    "apache-airflow",
    "apache-airflow-providers-microsoft-azure",
    "azure-storage-blob",
    "azure-mgmt-imagebuilder",
)
LOAD_LABELS = {
    "write_blocks": "write a block blob",
    "read_blocks": "read it",
    "write_pages": "write a page blob",
    "read_pages": "read it",
    "copy_pages": "copy it to another one",
    "small_requests": f"{SMALL_REQUESTS:,} requests for properties",
}
HEAD = """\
# Benchmarks

<!-- Written by `make bench`. -->

Ours beside a named peer, measured in turns in one run on one machine. A ratio below 1 is in our favour.
`make bench` measures anew and writes this page.

Machine: {processors} processors, {system}, Python {python}. {libraries}.

"""
IMPORTS = """\
## What a DAG file pays for its imports

All of our operators, the sensor and the task group, beside the official provider's
`airflow.providers.microsoft.azure.operators.compute`: what each adds once `airflow.sdk` is loaded, in a fresh
interpreter with compiled bytecode, median of {rounds}.

| | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{rows}

"""
CHECKS = """\
## Checking image templates

`airflow-aib check` on `dags/image_templates/windows.json`, beside `{checker}` on `tests/bench/image_pipeline.json`:
CloudFormation of the same size that asks EC2 Image Builder for much the same image. Processor time of the whole
program, its start included: for one file, median of {rounds}; and for {files:,} copies in one call. Neither
finds anything wrong; the peer knows all of CloudFormation, ours one service.

| processor time, ms | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{rows}

"""
COPIES = """\
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
FRONT = """\
## What the emulator's blob front costs

The same loads on the emulator's blob endpoint, over TLS and with a bearer token, and on the Azurite behind it, over
plain HTTP and with the account's key: {concurrency} requests at a time, {rounds} rounds each, of which the quickest
counts. Content goes in pieces of {piece} MiB, {size} MiB in all. Azurite cannot copy pages from an address, so there
the client reads and writes them.

| seconds | front | plain Azurite | ratio |
| --- | ---: | ---: | ---: |
{rows}

Azurite is one process and the front another, so on two processors the client, the front and Azurite take turns.
"""


def main() -> int:
    """Measure everything, or what is asked for; print the page, and write it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--peers", type=Path, required=True, help="the environment in which peers are installed")
    arguments.add_argument("--only", action="append", choices=PARTS, help="a part to measure; the others stay")
    asked = arguments.parse_args()
    wanted = asked.only or list(PARTS)
    known = PAGE.read_text(encoding="utf-8")
    parts = [measure(asked.peers) if name in wanted else part_of(known, name) for name, measure in PARTS.items()]
    text = head() + "".join(parts)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def head() -> str:
    """Return how the page begins."""
    return HEAD.format(
        processors=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    )


def part_of(page: str, name: str) -> str:
    """Return a part of the page as it stands there."""
    heading = HEADINGS[name]
    return heading + page.partition(heading)[2].partition("\n## ")[0].rstrip("\n") + ENDS[name]


def imports_part(_: Path) -> str:
    """Measure imports."""
    return IMPORTS.format(rounds=IMPORT_ROUNDS, rows="\n".join(import_rows(*measure_imports())))


def checks_part(peers: Path) -> str:
    """Measure checks of image templates."""
    rows = "\n".join(check_rows(*measure_checks(peers)))
    return CHECKS.format(checker=peer_version(peers), rounds=CHECK_ROUNDS, files=FILES, rows=rows)


def copies_part(_: Path) -> str:
    """Measure copies of VHDs."""
    return COPIES.format(
        size=VHD_SIZE // MEBIBYTE,
        allocated=ALLOCATED // MEBIBYTE,
        rounds=COPY_ROUNDS,
        rows="\n".join(copy_rows(*measure_copies())),
    )


def front_part(_: Path) -> str:
    """Measure the blob front."""
    return FRONT.format(
        concurrency=CONCURRENCY,
        rounds=FRONT_ROUNDS,
        piece=PIECE // MEBIBYTE,
        size=PIECE * PIECES // MEBIBYTE,
        rows="\n".join(front_rows(*measure_front())),
    )


PARTS: dict[str, Callable[[Path], str]] = {
    "imports": imports_part,
    "checks": checks_part,
    "copies": copies_part,
    "front": front_part,
}
TEXTS = {"imports": IMPORTS, "checks": CHECKS, "copies": COPIES, "front": FRONT}
HEADINGS = {name: text.partition("\n")[0] for name, text in TEXTS.items()}
ENDS = {name: text[len(text.rstrip("\n")) :] for name, text in TEXTS.items()}


def import_rows(ours: ImportCost, peer: ImportCost) -> list[str]:
    """Return the table on imports."""
    return [
        row("processor time, ms", ours.seconds * 1000, peer.seconds * 1000),
        row("modules", ours.modules, peer.modules),
    ]


def check_rows(ours: CheckCost, peer: CheckCost) -> list[str]:
    """Return the table on checks."""
    return [
        row("one file", ours.one * 1000, peer.one * 1000),
        row(f"{FILES:,} files", ours.many * 1000, peer.many * 1000),
    ]


def copy_rows(ours: CopyCost, peer: CopyCost) -> list[str]:
    """Return the table on copies."""
    return [
        row("wall time, s", ours.seconds, peer.seconds, places=1),
        row("read by the worker, MiB", ours.read / MEBIBYTE, peer.read / MEBIBYTE),
        row("written by the worker, MiB", ours.written / MEBIBYTE, peer.written / MEBIBYTE),
        row("disk of the worker, MiB", 0, VHD_SIZE / MEBIBYTE),
        row("calls", ours.calls, peer.calls),
    ]


def front_rows(ours: dict[str, float], peer: dict[str, float]) -> list[str]:
    """Return the table on the blob front."""
    return [row(label, ours[load], peer[load], places=2) for load, label in LOAD_LABELS.items()]


def row(name: str, ours: float, peer: float, *, places: int = 0) -> str:
    """Return one row of a table."""
    return f"| {name} | {ours:,.{places}f} | {peer:,.{places}f} | **{ours / peer:.2f}** |"


if __name__ == "__main__":
    sys.exit(main())
