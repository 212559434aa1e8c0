from __future__ import annotations

import re
from pathlib import Path

from airflow_aib import exceptions
from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.image_run.diagnosis import Diagnosis
from airflow_aib.image_template.expressions.function_table import FUNCTIONS
from airflow_aib.image_template.members.kinds import API_VERSION
from airflow_aib.image_template.rules import RULES

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = (ROOT / "docs" / "reference" / "image_templates.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> dict[str, str]:
    """Return the first two columns of the table below a heading."""
    section = page.split(heading, 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"(?m)^\| `([\w-]+)` \| ([^|]*?) \|", section))


def test_the_rules_are_linked() -> None:
    """The page leads to the rules instead of listing them."""
    section = TEMPLATES.split("## What is checked", 1)[1].split("\n## ", 1)[0]

    assert "(rules/README.md)" in section
    assert [rule for rule in RULES if f"| `{rule}`" in section] == []


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


def test_every_member_of_a_diagnosis_is_described() -> None:
    """Each member stands in the table."""
    section = ERRORS.split("| member | meaning |", 1)[1].split("\n\n", 1)[0]
    listed = {name for row in re.findall(r"(?m)^\| ([^|]*) \|", section) for name in re.findall(r"`(\w+)`", row)}

    assert listed == set(Diagnosis.__dataclass_fields__)
