"""What it costs to check image templates, beside `cfn-lint` on CloudFormation for EC2 Image Builder."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from demo.environment import inherited_environment

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "dags" / "image_templates" / "windows.json"
PEERS = ROOT / "tests" / "bench" / "image_pipeline.json"
ROUNDS = 7
FILES = 1000
VALUES = (
    "identityName=images",
    "gallery=corp",
    "imageDefinition=windows",
    "scripts=https://scripts.example",
    "region=eastus",
)


@dataclass(frozen=True)
class CheckCost:
    """Hold what checking takes.

    :param one: processor seconds for one file, the start of the program included, the median of the rounds
    :param many: processor seconds for many files in one call
    """

    one: float
    many: float


@dataclass(frozen=True)
class Checker:
    """Describe one side.

    :param command: what checks, before the files
    :param sample: the file to check
    """

    command: tuple[str, ...]
    sample: Path


def measure_checks(peers: Path) -> tuple[CheckCost, CheckCost]:
    """Return our cost and the peer's, measured in turns.

    :param peers: the environment in which the peer is installed
    """
    values = [text for value in VALUES for text in ("--set", value)]
    ours = Checker((sys.executable, "-m", "airflow_aib.cli", "check", *values), OURS)
    peer = Checker((str(peers / "bin" / "cfn-lint"),), PEERS)
    rounds = [(_processor_seconds(ours, 1), _processor_seconds(peer, 1)) for _ in range(ROUNDS + 1)]
    warm = rounds[1:]  # the first one reads files that are not yet in the page cache
    one = [statistics.median(seconds[side] for seconds in warm) for side in (0, 1)]
    many = [_processor_seconds(checker, FILES) for checker in (ours, peer)]
    return CheckCost(one[0], many[0]), CheckCost(one[1], many[1])


def peer_version(peers: Path) -> str:
    """Return the peer's name and version."""
    return subprocess.run(
        [peers / "bin" / "cfn-lint", "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()


def _processor_seconds(checker: Checker, files: int) -> float:
    """Check copies of the sample in one call; it must find nothing wrong."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number}.json" for number in range(files)]
        for copy in copies:
            shutil.copy(checker.sample, copy)
        before = _children_seconds()
        subprocess.run(
            [*checker.command, *map(str, copies)],
            check=True,
            capture_output=True,
            env=inherited_environment(os.environ),
            cwd=ROOT,
        )
        return _children_seconds() - before


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
