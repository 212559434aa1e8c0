"""Measure beside named peers, in one run on this machine, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tests.bench.checks import FILES, CheckCost, measure_checks, peer_version
from tests.bench.checks import ROUNDS as CHECK_ROUNDS
from tests.bench.imports import ROUNDS as IMPORT_ROUNDS
from tests.bench.imports import ImportCost, measure_imports
from tests.bench.vhd_copies import ALLOCATED, VHD_SIZE, CopyCost, measure_copies
from tests.bench.vhd_copies import ROUNDS as COPY_ROUNDS

MEBIBYTE = 1024 * 1024
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
LIBRARIES = (
    "apache-airflow",
    "apache-airflow-providers-microsoft-azure",
    "azure-storage-blob",
    "azure-mgmt-imagebuilder",
)
HEAD = """\
# Benchmarks

<!-- Written by `make bench`. -->

Ours beside a named peer, measured in turns in one run on one machine. A ratio below 1 is in our favour.
`make bench` measures anew and writes this page.

Machine: {processors} processors, {system}, Python {python}. {libraries}.

## What a DAG file pays for its imports

All of our operators, the sensor and the task group, beside the official provider's
`airflow.providers.microsoft.azure.operators.compute`: what each adds once `airflow.sdk` is loaded, in a fresh
interpreter with compiled bytecode, median of {import_rounds}.

| | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{import_rows}

## Checking image templates

`airflow-aib check` on `dags/image_templates/windows.json`, beside `{checker}` on `tests/bench/image_pipeline.json`:
CloudFormation of the same size that asks EC2 Image Builder for much the same image. Processor time of the whole
program, its start included: for one file, median of {check_rounds}; and for {files:,} copies in one call. Neither
finds anything wrong; the peer knows all of CloudFormation, ours one service.

| processor time, ms | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{check_rows}

## Copying a VHD to another container

A VHD of {size:,} MiB with {allocated} MiB allocated in fragments, from one container of the emulator to another, with
{rounds} rounds each, of which the quickest counts. Ours (`airflow_aib.hooks.vhd_copy.copy_vhd`) lets the destination
read from the source, and then verifies: both sides are read once, and their digests compared. The peer downloads to
a file and uploads that with the SDK (`azure.storage.blob.aio`, which leaves out empty pages by itself); it does not
verify.

| | ours | peer | ratio |
| --- | ---: | ---: | ---: |
{copy_rows}

All that ours reads is for the verification; the copying itself moves nothing through the worker. Emulator, Azurite and
client share the machine, so that wall times say little about Azure; bytes and calls are what they would be there.
"""


def main() -> int:
    """Measure everything, print the page, and write it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--peers", type=Path, required=True, help="the environment in which peers are installed")
    peers: Path = arguments.parse_args().peers
    text = page(measure_imports(), measure_checks(peers), measure_copies(), checker=peer_version(peers))
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def page(
    imports: tuple[ImportCost, ImportCost],
    checks: tuple[CheckCost, CheckCost],
    copies: tuple[CopyCost, CopyCost],
    *,
    checker: str,
) -> str:
    """Return the whole page.

    :param checker: name and version of the peer that checks
    """
    return HEAD.format(
        processors=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        import_rounds=IMPORT_ROUNDS,
        import_rows="\n".join(import_rows(*imports)),
        checker=checker,
        check_rounds=CHECK_ROUNDS,
        files=FILES,
        check_rows="\n".join(check_rows(*checks)),
        size=VHD_SIZE // MEBIBYTE,
        allocated=ALLOCATED // MEBIBYTE,
        rounds=COPY_ROUNDS,
        copy_rows="\n".join(copy_rows(*copies)),
    )


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


def row(name: str, ours: float, peer: float, *, places: int = 0) -> str:
    """Return one row of a table."""
    return f"| {name} | {ours:,.{places}f} | {peer:,.{places}f} | **{ours / peer:.2f}** |"


if __name__ == "__main__":
    sys.exit(main())
