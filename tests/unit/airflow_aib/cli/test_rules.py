from __future__ import annotations

import pytest

from airflow_aib.image_template.rules import RULES
from tests.unit.airflow_aib.cli.calling import call


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule has a line with its severity, its basis and what it demands."""
    outcome = call(capsys, "rules")

    assert outcome.code == 0
    assert [line.split()[:3] for line in outcome.stdout.splitlines()] == [
        [key, rule.severity, rule.basis] for key, rule in RULES.items()
    ]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_explained(capsys: pytest.CaptureFixture[str], rule: str) -> None:
    """An explanation says what, why, where it is known from, and how to switch the rule off."""
    outcome = call(capsys, "rules", rule)
    text = " ".join(outcome.stdout.split())

    assert outcome.code == 0
    assert RULES[rule].what in text
    assert RULES[rule].why in text
    assert RULES[rule].source in text
    assert (f"airflow-aib: disable={rule} -- the reason" in text) is RULES[rule].can_be_switched_off
    assert ("It cannot be switched off." in text) is not RULES[rule].can_be_switched_off


@pytest.mark.parametrize(("name", "said"), [("key-twise", "Did you mean key-twice?"), ("zzz", "lists them")])
def test_a_rule_that_is_none(capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    """A misspelt rule gets the nearest one."""
    outcome = call(capsys, "rules", name)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr
