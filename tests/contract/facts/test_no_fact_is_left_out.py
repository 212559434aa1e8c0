"""Each section of what is known of the service has its file, and each fact in it a test that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
TESTS = FOLDER.parents[1]
SECTIONS = range(1, 15)


def section_files() -> list[Path]:
    """Return the files of the sections, in their order."""
    return sorted(FOLDER.glob("test_section_*.py"))


@cache
def stated_in(file: Path) -> dict[str, str]:
    """Return the tests of a file with what they state; none when there is no such file."""
    if not file.is_file():
        return {}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def facts_of(file: Path) -> dict[str, str]:
    """Return the table of a section: fact and test."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    table = ast.literal_eval(assigned["FACTS"])
    assert isinstance(table, dict)
    return table


def every_fact() -> Iterator[tuple[str, str, str]]:
    """Yield file, fact and test of each fact."""
    for file in section_files():
        for fact, test in facts_of(file).items():
            yield file.name, fact, test


def test_every_section_has_a_file() -> None:
    """There is one file for each section, and none for anything else."""
    found = [int(re.findall(r"test_section_(\d\d)_", file.name)[0]) for file in section_files()]
    assert found == list(SECTIONS)


@pytest.mark.parametrize(("file", "fact", "test"), list(every_fact()))
def test_every_fact_has_a_test(file: str, fact: str, test: str) -> None:
    """The test is there, and its docstring says what it holds."""
    path, _, name = test.rpartition("::")
    place = FOLDER / file if not path else (TESTS / path if "/" in path else FOLDER / path)
    assert stated_in(place).get(name), f"{fact}: there is no test {test}"


@pytest.mark.parametrize("file", section_files(), ids=lambda file: file.stem)
def test_every_test_is_of_a_fact(file: Path) -> None:
    """No test of a section's file is missing from its table."""
    assert sorted(set(stated_in(file)) - {test.rpartition("::")[2] for test in facts_of(file).values()}) == []
