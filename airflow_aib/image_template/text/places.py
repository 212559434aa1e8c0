"""Where each member and item of a document stands in its text, so that a finding can name line and column.

The text has been parsed before: nothing here has to cope with a broken one. Places are made only when somebody asks.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.pointers import child, parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import yaml

# What YAML's anchors can make of a small file ends here.
MOST_PLACES = 200_000

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True)
class Span:
    """Mark a stretch of a text.

    :param start: offset of the first character
    :param end: offset behind the last one
    """

    start: int
    end: int


@dataclass(frozen=True)
class Place:
    """Say where a member or an item stands.

    :param value: its value
    :param key: its key with quotes, for a member
    :param is_scalar: whether the value is neither an object nor a list
    """

    value: Span
    key: Span | None = None
    is_scalar: bool = True

    @property
    def start(self) -> int:
        """Offset at which a reader looks: the key, else the value."""
        return (self.key or self.value).start


@dataclass(frozen=True)
class Places:
    """Hold the places of a document by JSON pointer.

    :param text: the document's text
    :param by_pointer: places; of a key that stands twice, the last one
    :param twice: pointer and earlier place of each key that stands twice
    """

    text: str
    by_pointer: Mapping[str, Place]
    twice: tuple[tuple[str, Place], ...] = ()
    _line_starts: list[int] = field(default_factory=list)

    def nearest(self, pointer: str) -> Place:
        """Give the place of a pointer, or of the nearest thing around it that stands in the text."""
        while pointer not in self.by_pointer:
            pointer = parent(pointer)
        return self.by_pointer[pointer]

    def position(self, offset: int) -> tuple[int, int]:
        """Give line and column of an offset, both from 1."""
        if not self._line_starts:
            self._line_starts.extend([0, *(match.end() for match in re.finditer("\n", self.text))])
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1


def token_offset(plain: str, token: str) -> int:
    """Give where a token first stands in JSON, and not only as a part of a text.

    :param token: a bare word or a number
    """
    return next(match.start() for match in _TOKEN.finditer(plain) if match[0] == token)


def json_places(text: str, plain: str) -> Places:
    """Find the places of JSON.

    :param text: the document's text
    :param plain: the same with comments and trailing commas blanked out, so that all offsets are equal
    """
    walk = _JsonWalk()
    for match in _TOKEN.finditer(plain):
        walk.take(match[0], Span(*match.span()))
    walk.found.setdefault("", Place(Span(0, len(text))))
    return Places(text, walk.found, tuple(walk.twice))


@dataclass
class _Container:
    """Remember an object or a list that is not yet closed."""

    pointer: str
    start: int
    is_list: bool
    key: Span | None = None
    at: str = ""
    at_key: Span | None = None
    index: int = 0


class _JsonWalk:
    """Follow the pieces of JSON without recursion: a document may be nested deeply."""

    def __init__(self) -> None:
        self.found: dict[str, Place] = {}
        self.twice: list[tuple[str, Place]] = []
        self._open: list[_Container] = []

    def take(self, piece: str, span: Span) -> None:
        """Take the next piece."""
        inside = self._open[-1] if self._open else None
        if piece in "}]" and inside:
            self._open.pop()
            self._record(inside.pointer, Place(Span(inside.start, span.end), inside.key, is_scalar=False))
        elif piece == "," and inside:
            inside.index, inside.at_key = inside.index + 1, None
        elif inside and not inside.is_list and inside.at_key is None and piece.startswith('"'):
            inside.at, inside.at_key = json.loads(piece, strict=False), span
        elif piece != ":":
            self._value(piece, span, inside)

    def _value(self, piece: str, span: Span, inside: _Container | None) -> None:
        pointer, key = "", None
        if inside:
            pointer = child(inside.pointer, inside.index if inside.is_list else inside.at)
            key = inside.at_key
        if piece in "{[":
            self._open.append(_Container(pointer, span.start, is_list=piece == "[", key=key))
        else:
            self._record(pointer, Place(span, key))

    def _record(self, pointer: str, place: Place) -> None:
        if pointer in self.found:
            self.twice.append((pointer, self.found[pointer]))
        self.found[pointer] = place


def yaml_places(text: str, root: yaml.Node) -> Places:
    """Find the places of YAML.

    :param text: the document's text
    :param root: what the composer has made of it
    """
    found: dict[str, Place] = {}
    left: list[tuple[str, Any, Span | None]] = [("", root, None)]
    while left and len(found) < MOST_PLACES:
        pointer, node, key = left.pop()
        # What stands in the mapping itself counts more than what a merge brings along.
        if pointer not in found:
            found[pointer] = Place(_span(node), key, is_scalar=node.id == "scalar")
            left.extend(_children(pointer, node))
    return Places(text, found)


def _children(pointer: str, node: Any) -> Iterator[tuple[str, Any, Span | None]]:
    if node.id == "sequence":
        for index, item in enumerate(node.value):
            yield child(pointer, index), item, None
    elif node.id == "mapping":
        merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
        # Last in, first out: merged members come after the mapping's own.
        for one in merged:
            for source in one.value if one.id == "sequence" else [one]:
                yield from _children(pointer, source)
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                yield child(pointer, str(key.value)), value, _span(key)


def _span(node: Any) -> Span:
    return Span(node.start_mark.index, node.end_mark.index)
