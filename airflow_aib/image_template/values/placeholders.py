"""The `<placeholders>` of Microsoft's samples, as `<subscriptionId>`, filled wherever they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.values.parameters import Values

_ANGLE = re.compile(r"<([A-Za-z][A-Za-z0-9 _.-]*)>")
# Some samples write {name} inside resource ids, where a brace can never stand.
_BRACE = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")

_FREE_MEMBERS = frozenset({"inline", "restartcommand", "restartcheckcommand", "searchcriteria", "filters"})
# One as samples misspell it.
_TAG_MAPS = frozenset({"tags", "artifacttags", "aritfacttags", "managedresourcetags"})


def is_free_text(path: str) -> bool:
    """Whether angle brackets may belong to the text itself at this place, as in a script or in a tag's value."""
    segments = [segment.casefold() for segment in path.split("/")]
    return not _FREE_MEMBERS.isdisjoint(segments) or not _TAG_MAPS.isdisjoint(segments[:-1])


def placeholders_in(text: str) -> Iterator[str]:
    """Give the names of all placeholders in a text."""
    yield from _ANGLE.findall(text)
    if _is_resource_id(text):
        yield from _BRACE.findall(text)


def placeholder_of(text: str) -> str | None:
    """Give the name of the placeholder that is the whole text."""
    whole = _ANGLE.fullmatch(text)
    return whole[1] if whole else None


def fill_placeholders(text: str, values: Values, *, is_free: bool) -> Any:
    """Fill in every placeholder that has a value.

    A text that is nothing but one placeholder takes the value as it is, be it a number, a list or an object.

    :param is_free: whether a placeholder without value belongs to the text; elsewhere it may be an unknown
    """

    def is_filled(name: str) -> bool:
        return values.is_known(name) or (values.allow_unknown and not is_free)

    def value_or_same(match: re.Match[str]) -> str:
        return str(values.placeholder(match[1])) if is_filled(match[1]) else match[0]

    whole = placeholder_of(text)
    if whole and is_filled(whole):
        return values.placeholder(whole)
    filled = _ANGLE.sub(value_or_same, text)
    return _BRACE.sub(value_or_same, filled) if _is_resource_id(text) else filled


def _is_resource_id(text: str) -> bool:
    return text.casefold().startswith("/subscriptions/")
