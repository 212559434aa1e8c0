from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
PROMISES = re.findall(r"(?m)^\| (?!promise |---)(.+?) \| (.+?) \|$", PAGE)
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(file: Path) -> set[str]:
    """Return the names of the tests and rule-based machines in a file, also those in classes."""
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)} | {
        target.id
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def begun_twice(entries: list[str]) -> list[str]:
    """Return the first clauses that several entries have in common: two versions of one entry, most likely."""
    clauses = Counter(re.split(r"[:;,.(]", entry)[0] for entry in entries)
    return [clause for clause, times in clauses.items() if times > 1]


def test_there_are_promises() -> None:
    """The page's table is read."""
    assert len(PROMISES) > 10


def test_two_versions_of_one_entry_are_noticed() -> None:
    """What begins with the same clause is told, however it goes on."""
    assert begun_twice(["Looks end: soon.", "Looks end, late.", "Looks end not."]) == ["Looks end"]


def test_no_promise_stands_twice() -> None:
    """A promise has one row, which holds all its tests."""
    assert begun_twice([promise for promise, _ in PROMISES]) == []


def test_no_change_is_told_twice() -> None:
    """The changelog tells of a change in one entry."""
    changes = re.findall(r"(?m)^- (.+)$", (ROOT / "CHANGELOG.md").read_text())
    assert len(changes) > 10
    assert begun_twice(changes) == []


@pytest.mark.parametrize(("promise", "held_by"), PROMISES, ids=[promise[:60] for promise, _ in PROMISES])
def test_every_promise_is_held_by_a_test(promise: str, held_by: str) -> None:
    """A promise is one sentence, and names at least one test, which exists."""
    references = REFERENCE.findall(held_by)

    assert promise.endswith(".")
    assert references
    assert [(file, name) for file, name in references if not name.startswith("test_") and "Test" not in name] == []
    assert [f"{file}::{name}" for file, name in references if name not in names_in(ROOT / file)] == []
