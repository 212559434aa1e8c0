from __future__ import annotations

import ast
from pathlib import Path

import pytest

from airflow_aib.image_template.rules import PARTS, RULES
from tests.rule_examples import examples

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = examples()


def rules_in_code() -> set[str]:
    """Return every rule that the code names where it makes a finding."""
    found: set[str] = set()
    for file in (ROOT / "airflow_aib" / "image_template").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.IfExp) and len(node.args) >= 3:
                names = {name.id for name in ast.walk(node.func) if isinstance(name, ast.Name)}
                rule = node.args[1]
                if names & {"error", "warning"} and isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                    found.add(rule.value)
    return found


def test_every_rule_has_an_example() -> None:
    """No rule is without an example, and no example without a rule."""
    assert set(EXAMPLES) == set(RULES)


def test_every_rule_in_code_is_in_the_table() -> None:
    """No finding names a rule that the table lacks."""
    assert rules_in_code() - set(RULES) == set()


def test_every_rule_is_in_one_part() -> None:
    """No rule stands twice."""
    assert sum(len(part) for part in PARTS.values()) == len(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_wrong(rule: str) -> None:
    """What is wrong by a rule is found by that rule alone, as badly as the table says."""
    example = EXAMPLES[rule]
    found = {(finding.rule, finding.severity) for finding in example.findings_in_wrong()}

    assert found == {(rule, RULES[rule].severity)}


@pytest.mark.parametrize("rule", RULES)
def test_right(rule: str) -> None:
    """What is right has no finding at all."""
    example = EXAMPLES[rule]

    assert example.findings_in_right() == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.startswith("document-")])
def test_findings_are_located(rule: str) -> None:
    """Each finding says its file, and where it is about a place its line."""
    example = EXAMPLES[rule]

    for finding in example.findings_in_wrong():
        assert finding.file.startswith("example.")
        assert finding.line is not None


@pytest.mark.parametrize("rule", RULES)
def test_findings_say_what_to_do(rule: str) -> None:
    """Each finding has a hint, which is a sentence."""
    hints = [finding.hint for finding in EXAMPLES[rule].findings_in_wrong()]

    assert [hint for hint in hints if not hint.rstrip(")").endswith((".", "?", ">"))] == []
