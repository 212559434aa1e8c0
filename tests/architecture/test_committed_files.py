from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|Users)/|(?<![\w.~-])/home/(?!airflow\b|me\b|user\b)\w+")
# A folder beside the repository, reached by climbing out of it.
BESIDE = re.compile(r"""(?:\.parent|\]) / ["']shared["']|\.\./shared/""")
REGISTRY = re.compile(
    r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|yarnpkg|jfrog|artifactory|nexus|devpi)[\w.-]*|--(?:extra-)?index-url\s*[=\s]\s*\S+"
)
UNREADABLE = (".png", ".ico")
IGNORED = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]


def committed_files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every text file of the project that git would not ignore; git itself need not be there."""
    for path in sorted(folder.iterdir()):
        names = (path.name, str(path.relative_to(ROOT)))
        if path.name == ".git" or any(fnmatch(name, rule) for name in names for rule in IGNORED):
            continue
        if path.is_dir():
            yield from committed_files(path)
        elif path.suffix not in UNREADABLE:
            yield path


def hits(pattern: re.Pattern[str]) -> list[str]:
    """Return `file:line: text` for each line of a committed file that matches; this file, which names them, aside."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in committed_files()
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_somebodys_machine() -> None:
    """No committed file names a folder that exists on one machine only."""
    assert hits(MACHINE_PATH) == []


def test_nothing_beside_the_repository() -> None:
    """No test reads what a clone does not have, and so skips there."""
    assert hits(BESIDE) == []


def test_no_package_registry() -> None:
    """No committed file says where packages come from: that is the business of the machine that installs."""
    assert hits(REGISTRY) == []


@pytest.mark.parametrize("folder", ["aib_emulator/azurite", "tests/contract/clients/azcopy"])
def test_the_locked_node_packages_name_no_address(folder: str) -> None:
    """A lock of npm packages holds versions and digests, and no address to fetch them from."""
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda file: file.name)
def test_every_requirement_has_its_digests(lock: Path) -> None:
    """Each locked requirement is pinned to one version and carries its digests."""
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    requirements = [entry for entry in entries if not entry.startswith("#")]

    assert requirements
    assert [entry.splitlines()[0] for entry in requirements if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("script", [".ci/run"])
def test_the_ci_entry_is_one_call(script: str) -> None:
    """`.ci/run` makes the targets that test, and does nothing else."""
    lines = (ROOT / script).read_text().splitlines()

    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -eu" in lines
    assert lines[-1] == "exec make test test-az chaos"
