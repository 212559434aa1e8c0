"""What all functions share: the kinds of values in ARM's words, and how they are taken, compared and written."""

from __future__ import annotations

import json
import math
from typing import Any

from airflow_aib.image_template.expressions.limits import ExpressionError

# ARM's integers have 64 bits.
_LARGEST_INTEGER = 2**63 - 1

# bool before int: Python's booleans are integers.
_KIND_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def kind_of(value: Any) -> str:
    """Name a value's kind in ARM's words."""
    return next((name for kind, name in _KIND_NAMES if isinstance(value, kind)), "null")


def text_of(value: Any) -> str:
    """Take a text, and nothing else."""
    if not isinstance(value, str):
        raise ExpressionError(f"a string is needed, not {kind_of(value)}")
    return value


def integer_of(value: Any) -> int:
    """Take an integer that ARM can hold, and nothing else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ExpressionError(f"an integer is needed, not {kind_of(value)}")
    if not -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER:
        raise ExpressionError("an integer has 64 bits at most")
    return value


def boolean_of(value: Any) -> bool:
    """Take a boolean, and nothing else."""
    if not isinstance(value, bool):
        raise ExpressionError(f"a boolean is needed, not {kind_of(value)}")
    return value


def array_of(value: Any) -> list[Any]:
    """Take an array, and nothing else."""
    if not isinstance(value, list):
        raise ExpressionError(f"an array is needed, not {kind_of(value)}")
    return value


def object_of(value: Any) -> dict[str, Any]:
    """Take an object, and nothing else."""
    if not isinstance(value, dict):
        raise ExpressionError(f"an object is needed, not {kind_of(value)}")
    return value


def are_equal(first: Any, second: Any) -> bool:
    """Compare as ARM does: 1 is not true, and letter case counts."""
    return kind_of(first) == kind_of(second) and bool(first == second)


def written(value: Any) -> str:
    """Write a value into a text as ARM does."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def identity_of(value: Any) -> str:
    """Give a text that equal values share, so that many values are compared at once."""
    return json.dumps(value, sort_keys=True)


def parsed_json(text: str) -> Any:
    """Read a JSON text."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def spelling_in(owner: dict[str, Any], name: str) -> str | None:
    """Give a member's name as the object spells it; ARM's names ignore letter case."""
    if name in owner:
        return name
    return next((key for key in owner if key.casefold() == name.casefold()), None)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ExpressionError("json() cannot take a number that is too great")
    return number


def _refuse_constant(constant: str) -> Any:
    raise ExpressionError(f"{constant} is not JSON")
