"""How a document's text is laid out: where members end, which lines they fill, and how pieces of it are replaced."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateEditError
from airflow_aib.image_template.pointers import parent
from airflow_aib.image_template.text.places import Place, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_aib.image_template.text.source_text import SourceText

_ANCHORS = re.compile(r"(?:&\S+\s+)*")
# Behind a key; its value was written where the anchor is.
_ALIAS = re.compile(r"\s*:\s*(\*[^\s,\]}]+)")
_JSON_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_YAML_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True, order=True)
class Splice:
    """Replace a stretch of a text.

    :param start: offset of the first character
    :param end: offset behind the last one
    :param new: what comes in its place
    """

    start: int
    end: int
    new: str = ""


@dataclass(frozen=True)
class Stretch(Span):
    """Mark a stretch of a text that may be replaced."""

    def replaced(self, new: str) -> Splice:
        """Put another text in its place."""
        return Splice(self.start, self.end, new)


class Layout:
    """Find one's way in a text by JSON pointers.

    :param source: the text, which has been parsed before
    """

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.is_json = source.is_json
        self.line_end = "\r\n" if "\r\n" in self.text else "\n"

    def place(self, pointer: str) -> Place:
        """Give the place of a pointer."""
        place = self.source.places.by_pointer.get(pointer)
        if place is None:
            raise cannot_edit(self.source, pointer)
        return place

    def key(self, pointer: str) -> Stretch:
        """Give the key of a member."""
        key = self.place(pointer).key
        if key is None:
            raise cannot_edit(self.source, pointer)
        return Stretch(key.start, key.end)

    def written_value(self, pointer: str) -> Stretch:
        """Give a plain value as it is written, without an anchor before it and blank lines behind it."""
        value, key = self.place(pointer).value, self.place(pointer).key
        if key and value.start < key.start and (alias := _ALIAS.match(self.text, key.end)):
            return Stretch(*alias.span(1))
        start = value.start
        if not self.is_json and (anchors := _ANCHORS.match(self.text, value.start, value.end)):
            start = anchors.end()
        return Stretch(start, start + len(self.text[start : value.end].rstrip()))

    def shown(self, span: Span) -> str:
        """Give what is written there."""
        return self.text[span.start : span.end]

    def is_braced(self, pointer: str) -> bool:
        """Whether an object or list stands in braces or brackets, as in JSON and in YAML's flow style."""
        return self.shown(self.written_value(pointer))[:1] in {"{", "["}

    def members(self, pointer: str) -> list[str]:
        """Give the members of an object in the order of the text, without what YAML's merges bring along."""
        whole = self.place(pointer).value
        inside = [
            (place.key.start, child)
            for child in self._children[pointer]
            if (place := self.place(child)).key and whole.start <= place.key.start < whole.end
        ]
        return [child for _, child in sorted(inside)]

    def content_end(self, pointer: str) -> int:
        """Give the offset behind the last character of a value; YAML itself counts what follows up to the next key."""
        value = self.written_value(pointer)
        children = self._children[pointer]
        if not children or self.is_braced(pointer):
            return value.end
        ends = [self.content_end(child) for child in children]
        # An alias was written where its anchor is.
        is_whole = all(value.start <= self.place(child).start < value.end for child in children)
        return max(ends) if is_whole else value.end

    def line_start(self, offset: int) -> int:
        """Give the offset at which a line begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def rest_of_line(self, offset: int) -> str:
        """Give what follows in a line, without its end."""
        end = self.text.find("\n", offset)
        return self.text[offset : len(self.text) if end < 0 else end].removesuffix("\r")

    def before(self, offset: int) -> str:
        """Give what stands before in the same line."""
        return self.text[self.line_start(offset) : offset]

    def without_comments(self, text: str) -> str:
        """Blank out the comments of a text that holds no strings."""
        pattern = _JSON_COMMENT if self.is_json else _YAML_COMMENT
        return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)

    def removal(self, start: int, end: int) -> Splice:
        """Remove a stretch, with its lines where nothing else stands in them; comments inside it stay."""
        before, rest = self.before(start), self.rest_of_line(end)
        kept = self._comments_between(start, end)
        spaces = len(rest) - len(rest.lstrip()) if rest.strip() else 0
        if kept:
            new_line = self.line_end + " " * len(before)
            return Splice(start, end + spaces, new_line.join([*kept, ""] if spaces or rest else kept))
        if before.strip():
            return Splice(start, end)
        if rest.strip():
            return Splice(start, end + spaces)
        line_end = self.text.find("\n", end)
        return Splice(self.line_start(start), len(self.text) if line_end < 0 else line_end + 1)

    def has_comments(self, start: int, end: int) -> bool:
        """Whether a comment begins in a stretch."""
        return bool(self._comments_between(start, end))

    def _comments_between(self, start: int, end: int) -> list[str]:
        return [
            comment.rstrip()
            for offset, comment in self.source.comments
            if start <= offset < end and self.source.is_comment(offset)
        ]

    @cached_property
    def _children(self) -> defaultdict[str, list[str]]:
        children: defaultdict[str, list[str]] = defaultdict(list)
        for pointer in self.source.places.by_pointer:
            if pointer:
                children[parent(pointer)].append(pointer)
        return children


def spliced(source: SourceText, splices: Iterable[Splice]) -> str:
    """Make all replacements; equal ones count once, and removals may overlap."""
    pieces, at = [], 0
    for splice in sorted(set(splices)):
        if splice.start < at and splice.new:
            raise cannot_edit(source, "")
        pieces += [source.text[at : splice.start], splice.new]
        at = max(at, splice.end)
    return "".join([*pieces, source.text[at:]])


def cannot_edit(source: SourceText, pointer: str) -> ImageTemplateEditError:
    """Report a text that is written in a way in which it cannot be edited without losing something."""
    where = f" at {pointer}" if pointer else ""
    return ImageTemplateEditError(
        f"{source.source} cannot be edited{where} without losing something; nothing was changed",
        hint="Edit it by hand: write out YAML's anchors and merges, and remove keys that stand twice.",
        path=pointer,
    )
