"""A member's value by its row: its type, its words, its limits and its form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from airflow_aib.image_template.members.shapes import Member


def has_type(value: Any, kind: str) -> bool:
    """Whether a value has the type of a member."""
    return bool(_TYPES[kind][1](value))


def type_in_words(kind: str) -> str:
    """Name a member's type, for messages."""
    return _TYPES[kind][0]


def type_of_value(value: Any) -> str:
    """Name the type that a value has, for messages."""
    return _KINDS_OF_VALUES.get(type(value), "nothing")


def how_to_write(value: Any, kind: str) -> str:
    """Say how a value of a member's type is written, where another one stands."""
    if kind == "string" and isinstance(value, int | float):
        return "Put it between quotes."
    return _WAYS[kind]


def check_value(value: Any, member: Member, path: str) -> Iterator[Finding]:
    """Report a value of the right type that the service does not take.

    :param value: of the member's type
    """
    if member.values and value not in member.values:
        # An empty word may pass for an absent one.
        yield (error if value else warning)(
            path,
            "member-value",
            f"{member.name!r} must be one of {', '.join(member.values)}, not {value!r}",
            "Write one of them.",
        )
    if member.pattern and not re.fullmatch(member.pattern, value):
        yield error(
            path,
            "member-form",
            f"{value!r} does not have the form of {member.name!r}",
            f"Write {_in_words(member.pattern)}.",
        )
    if member.least is not None and value < member.least:
        yield error(path, "member-range", f"{member.name!r} must be at least {member.least}, not {value}", "Raise it.")
    if member.most is not None and value > member.most:
        yield error(path, "member-range", f"{member.name!r} must be at most {member.most}, not {value}", "Lower it.")


def _in_words(pattern: str) -> str:
    dots = "dots, " if "." in pattern else ""
    return f"1 to 64 letters, digits, {dots}underscores and hyphens"


def _is_map_of(kind: type) -> Any:
    return lambda value: isinstance(value, Mapping) and all(isinstance(item, kind) for item in value.values())


_KINDS_OF_VALUES = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a fraction",
    list: "a list",
    dict: "an object",
}
_WAYS = {
    "string": "Write one text.",
    "integer": "Write a whole number, without quotes.",
    "boolean": "Write true or false, without quotes.",
    "object": "Write an object: names with their values.",
    "list": "Write a list, also of a single item.",
    "texts": "Write names with texts as values, numbers between quotes too.",
    "objects": "Write names with objects as values: {} where there is nothing to say.",
}

_TYPES: dict[str, tuple[str, Any]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "object": ("an object", lambda value: isinstance(value, Mapping)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "texts": ("an object whose values are text", _is_map_of(str)),
    "objects": ("an object whose values are objects, as {}", _is_map_of(Mapping)),
}
