"""Each error of the provider says what to do next."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from airflow_aib import exceptions

ROOT = Path(__file__).resolve().parents[2]
OUR_ERRORS = {
    name
    for name, value in vars(exceptions).items()
    if isinstance(value, type) and issubclass(value, exceptions.ImageBuilderError)
}
MODULES = sorted((ROOT / "airflow_aib").rglob("*.py"))


def errors_without_hint(tree: ast.AST) -> list[int]:
    """Return the lines in which an error is made without a hint."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in OUR_ERRORS
        and not {"hint", None} & {keyword.arg for keyword in node.keywords}
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_every_error_says_what_to_do_next(module: Path) -> None:
    """Who makes an error gives the hint along: a person reads it at three in the morning."""
    assert errors_without_hint(ast.parse(module.read_text())) == []


def test_an_error_without_hint_would_be_found() -> None:
    """The search itself finds what it looks for."""
    assert errors_without_hint(ast.parse("raise ArmRequestError('no', code='X')")) == [1]
    assert errors_without_hint(ast.parse("raise ArmRequestError('no', hint='Wait.')")) == []
