"""Edits inside braces: JSON, and YAML's flow style. What counts there are the commas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.editing.layout import Splice
from airflow_aib.image_template.editing.written import written
from airflow_aib.image_template.pointers import parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.editing.edit import Edit
    from airflow_aib.image_template.editing.layout import Layout


class BracedEdits:
    """Edit objects that stand in braces.

    :param layout: of the text
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def wrapped(self, pointer: str) -> Iterator[Splice]:
        """Put a value into a list."""
        span = self._layout.written_value(pointer)
        yield Splice(span.start, span.start, "[")
        yield Splice(span.end, span.end, "]")

    def removals(self, holder: str, pointers: set[str]) -> Iterator[Splice]:
        """Remove members of an object, with their commas."""
        members = self._layout.members(holder)
        kept = [member for member in members if member not in pointers]
        for pointer in pointers:
            yield from self._removal(pointer, holder)
        last = self._comma(members[-1], holder)
        if kept and last is None and members[-1] in pointers:
            yield from self._last_comma(kept[-1], members[members.index(kept[-1]) + 1], holder)

    def _last_comma(self, pointer: str, following: str, holder: str) -> Iterator[Splice]:
        """Remove the comma behind what is the last member now, and the spaces up to what followed."""
        layout = self._layout
        comma, start = self._comma(pointer, holder), layout.key(following).start
        if comma is not None:
            gap = layout.text[comma + 1 : start]
            yield Splice(comma, start if not gap.strip(" ") else comma + 1)

    def _removal(self, pointer: str, holder: str) -> Iterator[Splice]:
        layout = self._layout
        start, end = layout.key(pointer).start, layout.content_end(pointer)
        comma = self._comma(pointer, holder)
        if comma is not None and not layout.text[end:comma].strip():
            end = comma + 1
        elif comma is not None:
            yield Splice(comma, comma + 1)
        before, rest = layout.before(start), layout.rest_of_line(end)
        if not before.strip() or layout.has_comments(start, end):
            yield layout.removal(start, end)
        elif rest.strip() and comma is not None:
            yield Splice(start, end + len(rest) - len(rest.lstrip()))
        else:
            yield Splice(layout.line_start(start) + len(before.rstrip()), end)

    def added(self, edit: Edit) -> Iterator[Splice]:
        """Add a member behind another: on a line of its own if that one is."""
        layout = self._layout
        key, end = layout.key(edit.pointer), layout.content_end(edit.pointer)
        name = written(edit.name, layout.shown(key), is_json=layout.is_json)
        value = written(edit.value, layout.shown(layout.written_value(edit.pointer)), is_json=layout.is_json)
        comma = self._comma(edit.pointer, parent(edit.pointer))
        own_line = self._end_of_own_line(key.start, end, comma)
        if own_line is None:
            yield Splice(end, end, f", {name}: {value}")
            return
        line = f"{layout.line_end}{layout.before(key.start)}{name}: {value}"
        if comma is not None:
            yield Splice(own_line, own_line, f"{line},")
        elif own_line == end:
            yield Splice(end, end, f",{line}")
        else:
            yield Splice(end, end, ",")
            yield Splice(own_line, own_line, line)

    def _end_of_own_line(self, start: int, end: int, comma: int | None) -> int | None:
        """Give the end of a line that holds one member and perhaps a comment; None for any other."""
        layout = self._layout
        behind = end if comma is None else comma + 1
        rest = layout.rest_of_line(behind)
        is_alone = not layout.before(start).strip() and not layout.without_comments(rest).strip()
        return behind + len(rest) if is_alone and "\n" not in layout.text[end:behind] else None

    def _comma(self, pointer: str, holder: str) -> int | None:
        """Find the comma behind a member."""
        layout = self._layout
        members = layout.members(holder)
        at = members.index(pointer)
        end = layout.content_end(pointer)
        is_last = at + 1 == len(members)
        limit = layout.written_value(holder).end if is_last else layout.key(members[at + 1]).start
        found = layout.without_comments(layout.text[end:limit]).find(",")
        return None if found < 0 else end + found
