"""Functions on numbers and booleans, comparisons, and literals."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.functions.values import are_equal, boolean_of, integer_of, kind_of, text_of
from airflow_aib.image_template.expressions.limits import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")
# Where punctuation stands among letters, .NET decides by culture.
_COMPARABLE = re.compile(r"[A-Za-z0-9. ]*")


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ExpressionError(f"int() takes a text or an integer, not {kind_of(value)}")
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ExpressionError("int() cannot take a text that is no integer")
    return integer_of(int(value))


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if text_of(value).casefold() in {"true", "1"}:
        return True
    if value.casefold() in {"false", "0"}:
        return False
    raise ExpressionError("bool() takes 'true' or 'false'")


def _booleans(values: tuple[Any, ...]) -> list[bool]:
    """Take booleans, also those behind the one that decides."""
    return [boolean_of(value) for value in values]


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _counted(calculate: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    """Make a function of two integers, whose result is one too."""
    return lambda first, second: integer_of(calculate(integer_of(first), integer_of(second)))


def _div(first: int, second: int) -> int:
    """Divide towards zero, as .NET does."""
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def _mod(first: int, second: int) -> int:
    """Give the remainder, with the sign of the first, as .NET does."""
    return first - _div(first, second) * second


def _extreme(choose: Callable[[list[int]], int]) -> Callable[..., int]:
    """Make a function that takes integers, or one array of them."""

    def chosen(*values: Any) -> int:
        numbers = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return choose([integer_of(number) for number in numbers])

    return chosen


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Make a function that compares two integers or two texts."""

    def compared(first: Any, second: Any) -> bool:
        if isinstance(first, str):
            return compare(_rank(first), _rank(text_of(second)))
        return compare(integer_of(first), integer_of(second))

    return compared


def _rank(text: str) -> tuple[str, str]:
    """Order texts as ARM does: by letters, and a small letter before its capital."""
    if not _COMPARABLE.fullmatch(text):
        raise ExpressionError("only letters, digits, dots and spaces are compared here; the order of others is .NET's")
    return text.casefold(), text.swapcase()


LOGIC_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _counted(operator.add),
    "and": lambda *values: all(_booleans(values)),
    "bool": _bool,
    "coalesce": _coalesce,
    "div": _counted(_div),
    "equals": are_equal,
    "false": lambda: False,
    "greater": _compared(operator.gt),
    "greaterorequals": _compared(operator.ge),
    "int": _int,
    "less": _compared(operator.lt),
    "lessorequals": _compared(operator.le),
    "max": _extreme(max),
    "min": _extreme(min),
    "mod": _counted(_mod),
    "mul": _counted(operator.mul),
    "not": lambda value: not boolean_of(value),
    "null": lambda: None,
    "or": lambda *values: any(_booleans(values)),
    "sub": _counted(operator.sub),
    "true": lambda: True,
}
