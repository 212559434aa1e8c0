"""`airflow-aib rules`: list all rules, or explain one."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING

from airflow_aib.cli.running import GOOD
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.image_template.rules import RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from airflow_aib.cli.console import Console
    from airflow_aib.image_template.rules import Rule

WIDTH = 100
BASES = {
    "service": "The service demands it.",
    "advice": "Advice: the service does not demand it.",
}


def run(options: argparse.Namespace, console: Console) -> int:
    """Print all rules, each in a line, or all that is known about one."""
    for line in _explanation(rule_named(options.rule)) if options.rule else _list():
        console.say(line)
    return GOOD


def rule_named(name: str) -> Rule:
    """Find a rule; where there is none, name the nearest one."""
    if name in RULES:
        return RULES[name]
    near = difflib.get_close_matches(name, RULES, n=1)
    raise UnusableCallError(
        f"There is no rule {name!r}. " + (f"Did you mean {near[0]}?" if near else "`airflow-aib rules` lists them.")
    )


def _list() -> Iterator[str]:
    longest = max(map(len, RULES))
    for rule in RULES.values():
        yield f"{rule.rule_id:<{longest}}  {rule.severity:<7}  {rule.basis:<7}  {rule.what}"


def _explanation(rule: Rule) -> Iterator[str]:
    yield f"{rule.rule_id} ({rule.severity}, {rule.basis})"
    paragraphs = [rule.what, rule.why, BASES[rule.basis]] + ([f"Known from: {rule.source}."] if rule.source else [])
    for paragraph in paragraphs:
        yield ""
        yield from textwrap.wrap(paragraph, WIDTH)
    yield ""
    if not rule.can_be_switched_off:
        yield "It cannot be switched off."
        return
    yield f"To switch it off for a line, write in a comment: airflow-aib: disable={rule.rule_id} -- the reason"
    yield f"To switch it off for a call: --disable '{rule.rule_id}=the reason'"
