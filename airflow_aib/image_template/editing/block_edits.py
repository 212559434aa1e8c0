"""Edits of YAML's block style. What counts there are the lines and their indentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.editing.layout import Splice
from airflow_aib.image_template.editing.written import written
from airflow_aib.image_template.text.source_text import parse_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.editing.edit import Edit
    from airflow_aib.image_template.editing.layout import Layout


class BlockEdits:
    """Edit objects that are told by their indentation.

    :param layout: of the text
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def wrapped(self, pointer: str) -> Iterator[Splice]:
        """Put a value into a list: in brackets if it stays what it is there, else behind a hyphen."""
        layout = self._layout
        span = layout.written_value(pointer)
        if _may_stand_in_brackets(layout.shown(span)):
            yield Splice(span.start, span.start, "[")
            yield Splice(span.end, span.end, "]")
            return
        key = layout.key(pointer)
        # A hyphen right below the key: what the value has in further lines is indented more, and may stay.
        hyphen = " " * len(layout.before(key.start)) + "- "
        start = layout.place(pointer).value.start
        if "\n" in layout.text[key.end : start]:
            yield Splice(layout.line_start(start), start, hyphen)
        else:
            before = layout.text[key.end : start]
            yield Splice(key.end + len(before.rstrip()), start, layout.line_end + hyphen)

    def removals(self, holder: str, pointers: set[str]) -> Iterator[Splice]:
        """Remove members of an object, with their lines."""
        layout = self._layout
        members = layout.members(holder)
        first_kept = next((member for member in members if member not in pointers), None)
        if first_kept is None:
            yield self._emptied(holder)
        elif members[0] in pointers and self._can_move_up(members, first_kept):
            yield Splice(layout.key(members[0]).start, layout.key(first_kept).start)
            pointers = pointers - set(members[: members.index(first_kept)])
        for pointer in pointers:
            yield layout.removal(layout.key(pointer).start, layout.content_end(pointer))

    def added(self, edit: Edit) -> Iterator[Splice]:
        """Add a member on a line below another."""
        layout = self._layout
        key, end = layout.key(edit.pointer), layout.content_end(edit.pointer)
        name = written(edit.name, layout.shown(key), is_json=False)
        value = written(edit.value, layout.shown(layout.written_value(edit.pointer)), is_json=False)
        at = end + len(layout.rest_of_line(end))
        indentation = " " * len(layout.before(key.start))
        yield Splice(at, at, f"{layout.line_end}{indentation}{name}: {value}")

    def _emptied(self, holder: str) -> Splice:
        """Write braces where nothing is left."""
        layout = self._layout
        key = layout.key(holder)
        colon = layout.text.index(":", key.end)
        return Splice(colon + 1, colon + 1, " {}")

    def _can_move_up(self, members: list[str], first_kept: str) -> bool:
        """Whether the first member that is kept may take the place behind a list's hyphen."""
        layout = self._layout
        start, end = layout.key(members[0]).start, layout.key(first_kept).start
        return bool(layout.before(start).strip()) and not layout.has_comments(start, end)


def _may_stand_in_brackets(shown: str) -> bool:
    """Whether the text of one line says the same as an item of a list in brackets."""
    if "\n" in shown or shown.startswith(("|", ">", "*", "&", "!")):
        return False
    try:
        alone, item = (parse_text(text, "a.yaml")[0] for text in (f"a: {shown}", f"a: [{shown}]"))
    except ImageTemplateReadError:
        return False
    return bool(item == {"a": [alone["a"]]})
