"""Unknown values: what stands in a rendered document for a value that nobody passed, or that only Azure has.

An unknown is a text with two marks of Unicode's private use around a name. It may stand inside another text, as in a
resource id, which keeps its form so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
# What cannot stand in a segment of a resource id.
_NOT_IN_SEGMENT = re.compile(rf"[/\s<>{{}}{_OPEN}{_CLOSE}]")


def unknown(name: str) -> str:
    """Give the text that stands for an unknown value."""
    return f"{_OPEN}{_NOT_IN_SEGMENT.sub('_', name)}{_CLOSE}"


def holds_unknown(value: Any) -> bool:
    """Whether an unknown value stands anywhere in a value, in its keys too."""
    return first_unknown(value) is not None


def first_unknown(value: Any) -> str | None:
    """Give the first unknown in a value, as the text that stands for it."""
    return next((match[0] for text in _texts(value) for match in _MARKED.finditer(text)), None)


def is_unknown(value: Any) -> bool:
    """Whether a value is nothing but one unknown."""
    return isinstance(value, str) and _MARKED.fullmatch(value) is not None


def mentions_unknown(text: str) -> bool:
    """Whether a message quotes an unknown, as it is or escaped."""
    return _OPEN in text or repr(_OPEN)[1:-1] in text


def shown(text: str) -> str:
    """Write a text for people: `<name>` where an unknown stands."""
    return _MARKED.sub(r"<\1>", text)


class Unknowns:
    """Remember each unknown, and where it was first asked for."""

    def __init__(self) -> None:
        self._missing: dict[str, tuple[str, str]] = {}
        self._of_azure: dict[str, Finding] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One warning for all that nobody passed, where the first is asked for, and one for each that Azure knows."""
        return (*self._all_missing(), *self._of_azure.values())

    def _all_missing(self) -> Iterator[Finding]:
        if self._missing:
            names = ", ".join(what for what, _ in self._missing.values())
            _, path = next(iter(self._missing.values()))
            yield warning(
                path,
                "parameter-missing",
                f"No value is known for {names}",
                "Pass them as `parameters`; what depends on them is not checked.",
            )

    def without_value(self, name: str, what: str, path: str) -> str:
        """Note what nobody passed.

        :param name: stands in the text
        :param what: as `parameter 'x'` or `<x>`
        :param path: where it is asked for
        """
        self._missing.setdefault(name.casefold(), (what, path))
        return unknown(name)

    def from_azure(self, name: str, what: str, path: str) -> str:
        """Note what only Azure has; the arguments are those of `without_value`."""
        self._of_azure.setdefault(name.casefold(), _warned(path, "needs-azure", f"Only Azure knows {what}"))
        return unknown(name)


def _warned(path: str, rule: str, message: str) -> Finding:
    return warning(path, rule, message, "What depends on it is not checked; pass values to have it checked too.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
