"""Each fact that is known of the service has tests, a choice, or a sentence of the page on how the emulator differs."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aib_emulator.choices import CHOICES

FOLDER = Path(__file__).parent
TESTS = FOLDER.parents[1]
PAGE = (TESTS.parent / "docs" / "emulator.md").read_text(encoding="utf-8")
SECTIONS: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "facts.toml").read_text(encoding="utf-8"))
FACTS: dict[str, dict[str, Any]] = {
    f"{section}.{number}": fact
    for section, facts in SECTIONS.items()
    for number, fact in facts.items()
    if number != "title"
}
SEEN = {"recorded", "reported", "documented", "general", "inferred", "unknown"}
OF_NO_SECTION = {"partial-run-operation", "second-delete", "second-trigger"}
"""Choices between answers to calls that no source describes at all."""


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


def test_facts_are_numbered_without_a_gap() -> None:
    """Sections count from 1, and so do the facts in each."""
    assert list(SECTIONS) == [str(number) for number in range(1, len(SECTIONS) + 1)]
    for facts in SECTIONS.values():
        assert list(facts) == ["title", *(str(number) for number in range(1, len(facts)))]


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_every_fact_is_held(fact: dict[str, Any]) -> None:
    """It says how it is known, and has tests, choices, or a sentence of the page that tells the difference."""
    assert fact["seen"] in SEEN
    assert fact.get("tests") or fact.get("choices") or fact.get("unlike")
    for test in fact.get("tests", []):
        path, _, name = test.partition("::")
        assert stated_in(TESTS / path).get(name), f"there is no test {test}"
    assert set(fact.get("choices", [])) <= set(CHOICES)
    assert fact.get("unlike", "") in PAGE


def test_what_nobody_knows_can_be_chosen_or_is_told() -> None:
    """Where no source shows what the service answers, there is a choice, or the page says what is answered here."""
    unknown = {number: fact for number, fact in FACTS.items() if fact["seen"] == "unknown"}
    assert [number for number, fact in unknown.items() if not fact.get("choices") and not fact.get("unlike")] == []
    assert unknown


def test_every_choice_is_about_a_fact() -> None:
    """No choice is about something that is known, or that nobody has asked about."""
    named = {choice for fact in FACTS.values() for choice in fact.get("choices", [])}
    assert named >= set(CHOICES) - OF_NO_SECTION
    assert named & OF_NO_SECTION == set()


@pytest.mark.parametrize("file", sorted(FOLDER.glob("test_section_*.py")), ids=lambda file: file.stem)
def test_every_test_of_a_section_is_of_a_fact(file: Path) -> None:
    """No test beside this file is missing from the facts."""
    held = {test for fact in FACTS.values() for test in fact.get("tests", [])}
    path = file.relative_to(TESTS).as_posix()
    assert {f"{path}::{name}" for name in stated_in(file)} <= held
