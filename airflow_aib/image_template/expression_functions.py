"""The functions of ARM's expression language that need nothing but their arguments: one table."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class ExpressionError(Exception):
    """Report an expression that cannot be evaluated; the text never quotes a value, which may be secret."""


def kind_of(value: Any) -> str:
    """Name a value's kind in ARM's words."""
    for kind, name in _KIND_NAMES:
        if isinstance(value, kind):
            return name
    return "null"


# bool before int: Python's booleans are integers.
_KIND_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"a string is needed, not {kind_of(value)}")
    return value


def _shown(value: Any) -> str:
    """Write a value into a text as ARM does."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    if any(isinstance(part, list | dict) for part in parts):
        raise ExpressionError("concat() takes either texts or arrays")
    return "".join(_shown(part) for part in parts)


_FORMAT_HOLE = re.compile(r"\{\{|\}\}|\{(\d+)(:[^{}]*)?\}")


def _format(pattern: Any, *values: Any) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        if match[2]:
            raise ExpressionError(f"format() does not know the .NET format {match[2][1:]!r} here")
        return _shown(values[int(match[1])])

    return _FORMAT_HOLE.sub(fill, _text(pattern))


def _replace(text: Any, old: Any, new: Any) -> str:
    return _text(text).replace(_text(old), _text(new))


def _split(text: Any, delimiter: Any) -> list[str]:
    delimiters = delimiter if isinstance(delimiter, list) else [delimiter]
    pattern = "|".join(re.escape(_text(one)) for one in delimiters if _text(one))
    return re.split(pattern, _text(text)) if pattern else [_text(text)]


def _substring(text: Any, start: Any, length: Any = None) -> str:
    whole = _text(text)
    end = len(whole) if length is None else start + length
    if not 0 <= start <= end <= len(whole):
        raise ExpressionError(f"substring() reaches outside a text of {len(whole)} characters")
    return whole[start:end]


def _join(items: Any, delimiter: Any) -> str:
    if not isinstance(items, list):
        raise ExpressionError(f"join() takes an array, not {kind_of(items)}")
    return _text(delimiter).join(_shown(item) for item in items)


def _equals(first: Any, second: Any) -> bool:
    """Compare as ARM does: 1 is not true, and letter case counts."""
    return kind_of(first) == kind_of(second) and bool(first == second)


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ExpressionError(f"int() takes a text or an integer, not {kind_of(value)}")
    return int(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if _text(value).casefold() in {"true", "1"}:
        return True
    if value.casefold() in {"false", "0"}:
        return False
    raise ExpressionError("bool() takes 'true' or 'false'")


def _logical(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"a boolean is needed, not {kind_of(value)}")
    return value


def _contains(owner: Any, item: Any) -> bool:
    if isinstance(owner, dict):
        return _text(item).casefold() in {key.casefold() for key in owner}
    if isinstance(owner, list):
        return any(_equals(item, one) for one in owner)
    return _text(item) in _text(owner)


def _object(*pairs: Any) -> dict[str, Any]:
    return {_text(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(_logical(value) for value in values),
    "array": lambda value: value if isinstance(value, list) else [value],
    "bool": _bool,
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "empty": lambda value: value is None or len(value) == 0,
    "endswith": lambda text, end: _text(text).casefold().endswith(_text(end).casefold()),
    "equals": _equals,
    "false": lambda: False,
    "first": lambda value: value[0],
    "format": _format,
    "int": _int,
    "join": _join,
    "json": lambda text: json.loads(_text(text)),
    "last": lambda value: value[-1],
    "length": len,
    "not": lambda value: not _logical(value),
    "null": lambda: None,
    "or": lambda *values: any(_logical(value) for value in values),
    "replace": _replace,
    "split": _split,
    "startswith": lambda text, start: _text(text).casefold().startswith(_text(start).casefold()),
    "string": _shown,
    "substring": _substring,
    "tolower": lambda text: _text(text).lower(),
    "toupper": lambda text: _text(text).upper(),
    "trim": lambda text: _text(text).strip(),
    "true": lambda: True,
}

# What only Azure can answer. Every function whose name begins with `list` belongs here too.
NEEDS_AZURE = frozenset(
    {"reference", "references", "extensionresourceid", "tenantresourceid", "managementgroup", "environment",
     "deployment", "deployer", "providers", "pickzones", "tenant", "getsecret"},
)  # fmt: skip

# What has no answer that is the same in every rendering.
NEEDS_VALUE = {
    "utcnow": "another text at every moment",
    "newguid": "another text every time",
    "guid": "Azure's own hash",
    "uniquestring": "Azure's own hash",
    "copyindex": "known inside a copy loop only",
}
