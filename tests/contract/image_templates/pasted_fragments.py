"""The fragments of tests/image_templates/pasted, which are sloppy as what users paste is, repaired and completed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.text.source_text import parse_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).resolve().parents[2] / "image_templates" / "pasted" / "fragments.md"

_FENCED = re.compile(r"^```json *\n(?P<json>.*?)^```", re.MULTILINE | re.DOTALL)
# Indented by four or more, and it begins with a quote or a brace.
_INDENTED = re.compile(r'^(?P<json> {4,}["{[].*\n(?: {4,}.*\n|\s*\n)*)', re.MULTILINE)


@dataclass(frozen=True)
class Fragment:
    """Hold one fragment as it stands in the page.

    :param line: of the page, from 1
    :param text: as it stands there
    """

    line: int
    text: str

    def __str__(self) -> str:
        """Name the fragment in test ids."""
        return f"line{self.line}"


def fragments() -> Iterator[Fragment]:
    """Find every fenced and every indented piece of JSON."""
    page = PAGE.read_text(encoding="utf-8")
    # Emptied, the lines keep their numbers.
    prose = _FENCED.sub(lambda match: re.sub(r"[^\n]", "", match[0]), page)
    for match in (*_FENCED.finditer(page), *_INDENTED.finditer(prose)):
        yield Fragment(match.string.count("\n", 0, match.start()) + 1, match["json"])


# What is wrong with the fragments, each repaired by a pattern and what comes in its place.
REPAIRS: dict[str, tuple[str, str]] = {
    "a tag stands twice": (r'"<tag>": "<text>",(\s*)"<tag>":', r'"<first>": "<text>",\1"<tag>":'),
    "a key's bracket is outside its quotes": (r'"<tag":', '"<first>":'),
    "quotes are typographic": ("[“”]", '"'),
    "a number is a placeholder without quotes": (r": (<\w+>)", r': "\1"'),
    "a comma is missing after a closed object": (r'\}(\s*)(?=")', r"},\1"),
    "a brace of the profile is missing": (r'(\}\s*),(\s*)(?="buildTimeoutInMinutes": )', r"\1},\2"),
    "a list stands twice": (r'\],\s*"customize": \[', ""),
    "a brace is inside a key": (r'"type\{ ":', '{"type":'),
    "an id has a hole": (r"/p +roviders/", "/providers/"),
    "a placeholder is not closed": (r"<imageDefinitionName/", "<imageDefinitionName>/"),
    "the source has a name of 2018": (r'"build": \{\}', '"source": {}'),
    "the time is a key": (r'"<limit in minutes>": \{\}', '"buildTimeoutInMinutes": "<limit>"'),
    "an empty list is an empty object": (r'"(customize|distribute)": \{\}', r'"\1": []'),
    "customizers share a name": (r'"name":\s*"<name>"', '"name": "<name {number}>"'),
}


def repaired(text: str, *, without: str | None = None) -> str:
    """Give a fragment that JSON can be read from, in braces.

    :param without: a row of the table that is left out
    """
    for reason, (pattern, instead) in REPAIRS.items():
        if reason != without:
            text = _replaced(text, pattern, instead)
    text = text.strip().rstrip(",")
    return text if text.startswith("{") else f"{{{text}}}"


def _replaced(text: str, pattern: str, instead: str) -> str:
    numbers = count(1)
    return re.sub(pattern, lambda match: match.expand(instead).replace("{number}", str(next(numbers))), text)


# Where a fragment belongs, told by one of its members. The first row that knows it counts.
BELONGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "properties": lambda content: content,
    "vmSize": lambda content: {"properties": {"vmProfile": content}},
    "osDiskSizeGB": lambda content: {"properties": {"vmProfile": content}},
    "vnetConfig": lambda content: {"properties": {"vmProfile": content}},
    "source": lambda content: {"properties": content},
    "customize": lambda content: {"properties": content},
    "distribute": lambda content: {"properties": content},
    "runOutputName": lambda content: {"properties": {"distribute": [content]}},
    "apiVersion": lambda content: content,
    "location": lambda content: content,
    "identity": lambda content: content,
    "dependsOn": lambda content: content,
}


def completed(fragment: Fragment, complete: dict[str, Any]) -> dict[str, Any]:
    """Put a fragment into a complete document, in place of what stands there.

    :param complete: an image template with everything that the service requires
    """
    content, _ = parse_text(repaired(fragment.text), f"{fragment}.json")
    for told_by, place in BELONGS.items():
        if told_by in content:
            part = place(content)
            given = {name: value for name, value in part.get("properties", {}).items() if value not in ({}, [])}
            kept = {name: value for name, value in part.items() if value != {}}
            return {**complete, **kept, "properties": {**complete["properties"], **given}}
    raise LookupError(f"no row says where {fragment} belongs: {sorted(content)}")


def is_answer(fragment: Fragment) -> bool:
    """Whether a fragment is what Azure answers, and no part of an image template."""
    return '"provisioningState"' in fragment.text
