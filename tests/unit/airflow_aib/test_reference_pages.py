from __future__ import annotations

import ast
import re
from pathlib import Path

from airflow_aib import exceptions
from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.image_run import diagnosis
from airflow_aib.image_run.failure_signatures import SIGNATURES, Signature
from airflow_aib.image_template.expression_functions import FUNCTIONS
from airflow_aib.image_template.kinds import API_VERSION
from airflow_aib.image_template.rules import RULES

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = (ROOT / "docs" / "reference" / "image_templates.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")


def rules_in_code() -> set[tuple[str, str]]:
    """Return the rule of every finding that the code can make, with its severity."""
    found: set[tuple[str, str]] = set()
    for file in (ROOT / "airflow_aib" / "image_template").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.IfExp) and len(node.args) >= 3:
                rule = node.args[1]
                names = {name.id for name in ast.walk(node.func) if isinstance(name, ast.Name)}
                if isinstance(rule, ast.Constant) and isinstance(rule.value, str):
                    found |= {(rule.value, name) for name in names & {"error", "warning"}}
    return found


def rows(page: str, heading: str) -> dict[str, str]:
    """Return the first two columns of the table below a heading."""
    section = page.split(heading, 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"(?m)^\| `([\w-]+)` \| ([^|]*?) \|", section))


def test_every_rule_is_described() -> None:
    """Each rule has a row, with the worst severity that it can have, and no row is left over."""
    in_code = rules_in_code()
    worst = {rule: "error" if (rule, "error") in in_code else "warning" for rule, _ in in_code}

    assert rows(TEMPLATES, "## What is checked") == worst
    assert set(RULES) == set(worst)


def test_every_function_is_listed() -> None:
    """Each function of the expression language that is evaluated is listed."""
    listed = {
        name.casefold() for name in re.findall(r"`(\w+)`", TEMPLATES.split("### Functions")[1].split("What only")[0])
    }

    assert set(FUNCTIONS) - listed == set()


def test_the_api_version_is_named() -> None:
    """The page names the api-version that the tables describe."""
    assert f"The current api-version, {API_VERSION}," in TEMPLATES


def test_every_error_is_described() -> None:
    """Each class of the tree has a row."""
    tree = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, ImageBuilderError)
    }

    assert set(rows(ERRORS, "# Errors")) & tree == tree


def test_every_failure_class_is_described() -> None:
    """Each class of failure has a row that says whether running again may help."""
    signatures = [*SIGNATURES, *(value for value in vars(diagnosis).values() if isinstance(value, Signature))]
    again = dict(re.findall(r"(?m)^\| `([\w-]+)` \| [^|]* \| (yes|no) \|", ERRORS))

    assert again == {signature.failure_class: "yes" if signature.may_retry else "no" for signature in signatures}
