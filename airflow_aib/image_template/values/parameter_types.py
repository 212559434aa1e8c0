"""The types and limits that a deployment file declares for its parameters."""

from __future__ import annotations

import json
import operator
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.functions.values import kind_of
from airflow_aib.image_template.expressions.limits import ExpressionError, is_too_deep
from airflow_aib.image_template.finding import warning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_aib.image_template.finding import Finding


def coerced(name: str, value: Any, declaration: Mapping[str, Any]) -> Any:
    """Bring a value to the declared type: Airflow's templates hand everything over as text."""
    declared = str(declaration.get("type", "")).casefold().removeprefix("secure")
    if isinstance(value, str) and declared in _READ_TEXT:
        try:
            value = _READ_TEXT[declared](value)
        except (ValueError, KeyError):
            raise ExpressionError(f"parameter {name!r} must be of type {declared}, which the text is not") from None
        except RecursionError:
            raise ExpressionError(f"parameter {name!r} is nested too deeply") from None
        if is_too_deep(value):
            raise ExpressionError(f"parameter {name!r} is nested too deeply")
    if declared in _TYPES and kind_of(value) != _TYPES[declared]:
        raise ExpressionError(f"parameter {name!r} must be of type {declared}, not {kind_of(value)}")
    _refuse_outside_limits(name, value, declaration)
    return value


def wrong_default(problem: str, path: str) -> Finding:
    """Report a default that its own declaration refuses.

    :param path: where it is asked for
    """
    what = f"{problem[:1].upper()}{problem[1:]}"
    return warning(
        path, "parameter-default", what, "Correct its defaultValue, or pass a value whenever it is submitted."
    )


def is_secure(declaration: Mapping[str, Any]) -> bool:
    """Whether a parameter's values must never be shown."""
    return str(declaration.get("type", "")).casefold() in {"securestring", "secureobject"}


_TYPES = {"string": "string", "int": "int", "bool": "bool", "array": "array", "object": "object"}

_READ_TEXT: dict[str, Callable[[str], Any]] = {
    "int": int,
    "bool": lambda text: {"true": True, "false": False}[text.casefold()],
    "array": json.loads,
    "object": json.loads,
}


def _refuse_outside_limits(name: str, value: Any, declaration: Mapping[str, Any]) -> None:
    allowed = declaration.get("allowedValues")
    if isinstance(allowed, list) and value not in allowed:
        choices = "its allowedValues" if is_secure(declaration) else ", ".join(map(repr, allowed))
        raise ExpressionError(f"parameter {name!r} must be one of {choices}{_said(', not {}', value, declaration)}")
    size = len(value) if isinstance(value, str | list | dict) else None
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    for limit, measured, is_outside in (
        ("minLength", size, operator.lt),
        ("maxLength", size, operator.gt),
        ("minValue", number, operator.lt),
        ("maxValue", number, operator.gt),
    ):
        bound = declaration.get(limit)
        if isinstance(bound, int) and measured is not None and is_outside(measured, bound):
            what = "its length is {}" if measured is size else "it is {}"
            raise ExpressionError(
                f"parameter {name!r} breaks its {limit} of {bound}{_said(f': {what}', measured, declaration)}"
            )


def _said(form: str, value: Any, declaration: Mapping[str, Any]) -> str:
    """Quote a short value that is not secret; one that were cut could not be masked any more."""
    is_secure = str(declaration.get("type", "")).casefold().startswith("secure")
    return "" if is_secure or len(repr(value)) > _LONGEST_QUOTE else form.format(repr(value))


_LONGEST_QUOTE = 60
