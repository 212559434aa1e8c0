"""The functions of expressions that need nothing but their arguments, in one table."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin

from aib_emulator.services.resources.deployments.hashes import guid, unique_string
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?::[^}]*)?\}")
LARGEST_LIST = 800
"""How many copies, or numbers of a range, there may be."""


def text_of(value: Any) -> str:
    """Write a value as `string` and `concat` do."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"))


def _concat(*parts: Any) -> Any:
    if parts and isinstance(parts[0], list):
        return [item for part in parts for item in part]
    return "".join(map(text_of, parts))


def _format(pattern: str, *values: Any) -> str:
    def fill(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else text_of(values[int(match[1])])

    return PLACEHOLDER.sub(fill, pattern)


def _split(text: str, separators: str | list[str]) -> list[str]:
    marks = [separators] if isinstance(separators, str) else separators
    return re.split("|".join(map(re.escape, marks)), text)


def _equals(first: Any, second: Any) -> bool:
    return type(first) is type(second) and bool(first == second)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, dict):
        return str(part).lower() in {key.lower() for key in whole}
    return part in whole


def _union(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        merged = dict(first)
        for other in others:
            merged.update(other)
        return merged
    return [item for at, item in enumerate(_concat(first, *others)) if item not in _concat(first, *others)[:at]]


def _intersection(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
    return [item for item in first if all(item in other for other in others)]


def _create_object(*parts: Any) -> dict[str, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _substring(text: str, start: int, length: int | None = None) -> str:
    end = len(text) if length is None else start + length
    if start < 0 or end > len(text):
        raise ExpressionError(f"The index and length must refer to a location within the string '{text}'.")
    return text[start:end]


def _range(start: int, count: int) -> list[int]:
    if not 0 <= count <= LARGEST_LIST:
        raise ExpressionError(f"The count of the function 'range' must lie between 0 and {LARGEST_LIST}.")
    return list(range(start, start + count))


def _bool(value: Any) -> bool:
    return value.lower() in {"true", "1"} if isinstance(value, str) else bool(value)


def _xor(*values: bool) -> bool:
    return sum(values) % 2 == 1


def _items(whole: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": whole[key]} for key in sorted(whole, key=str.lower)]


def _try_get(whole: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(whole, dict):
            whole = next((value for name, value in whole.items() if name.lower() == str(key).lower()), None)
        else:
            whole = whole[key] if isinstance(whole, list) and 0 <= key < len(whole) else None
    return whole


def _spread(values: tuple[Any, ...]) -> list[int]:
    return list(values[0]) if isinstance(values[0], list) else list(values)


def _quotient(first: int, second: int) -> int:
    return int(first / second)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda first, second: first + second,
    "and": lambda *values: all(values),
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64tostring": lambda text: base64.b64decode(text).decode(),
    "bool": _bool,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "div": _quotient,
    "empty": lambda value: not value,
    "endswith": lambda text, end: text.lower().endswith(end.lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": lambda value: value[0] if value else ("" if isinstance(value, str) else None),
    "flatten": lambda lists: [item for part in lists for item in part],
    "format": _format,
    "greater": lambda first, second: first > second,
    "greaterorequals": lambda first, second: first >= second,
    "guid": guid,
    "indexof": lambda text, part: text.lower().find(part.lower()),
    "int": int,
    "intersection": _intersection,
    "items": _items,
    "join": lambda parts, mark: mark.join(map(text_of, parts)),
    "json": json.loads,
    "last": lambda value: value[-1] if value else ("" if isinstance(value, str) else None),
    "lastindexof": lambda text, part: text.lower().rfind(part.lower()),
    "length": len,
    "less": lambda first, second: first < second,
    "lessorequals": lambda first, second: first <= second,
    "max": lambda *values: max(_spread(values)),
    "min": lambda *values: min(_spread(values)),
    "mod": lambda first, second: first - second * _quotient(first, second),
    "mul": lambda first, second: first * second,
    "not": lambda value: not value,
    "null": lambda: None,
    "objectkeys": lambda whole: sorted(whole, key=str.lower),
    "or": lambda *values: any(values),
    "padleft": lambda text, width, mark=" ": text_of(text).rjust(width, mark),
    "range": _range,
    "replace": lambda text, old, new: text.replace(old, new),
    "skip": lambda value, count: value[max(count, 0) :],
    "split": _split,
    "startswith": lambda text, start: text.lower().startswith(start.lower()),
    "string": text_of,
    "sub": lambda first, second: first - second,
    "substring": _substring,
    "take": lambda value, count: value[: max(count, 0)],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "true": lambda: True,
    "union": _union,
    "tryget": _try_get,
    "uniquestring": unique_string,
    "uri": urljoin,
    "uricomponent": lambda text: quote(text, safe=""),
    "uricomponenttostring": unquote,
    "xor": _xor,
}
"""By lower-case name."""
