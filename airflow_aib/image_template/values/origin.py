"""Where a value comes from that does not stand in the document as it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.expressions.evaluation import is_expression
from airflow_aib.image_template.expressions.limits import ExpressionError
from airflow_aib.image_template.expressions.syntax import calls, is_bracketed, is_escaped, parse_expression
from airflow_aib.image_template.pointers import resolve
from airflow_aib.image_template.values.placeholders import is_free_text, placeholder_of

if TYPE_CHECKING:
    from airflow_aib.image_template.document import ImageTemplateDocument

_NAMED_BY = {"parameters": "parameter", "variables": "variable"}


def origin_of(document: ImageTemplateDocument, path: str) -> str:
    """Say from which parameters and variables a value is made; nothing where it stands there as it is.

    :param path: pointer into the document's image template, to the value or to something inside it
    """
    text, _ = resolve(document.body, path)
    if not isinstance(text, str):
        return ""
    names = list(dict.fromkeys(_names_in(text, is_deployment=document.is_deployment, is_free=is_free_text(path))))
    return f"The value comes from {' and '.join(names)}." if names else ""


def _names_in(text: str, *, is_deployment: bool, is_free: bool) -> list[str]:
    if is_bracketed(text) and is_expression(text, is_deployment=is_deployment, is_free=is_free):
        return _names_called(text)
    name = None if is_free or is_escaped(text) else placeholder_of(text)
    return [f"parameter {name!r}"] if name else []


def _names_called(text: str) -> list[str]:
    try:
        called = list(calls(parse_expression(text)))
    except ExpressionError:
        return []
    return [
        f"{_NAMED_BY[kind]} {name!r}"
        for function, name in called
        if name and (kind := function.casefold()) in _NAMED_BY
    ]
