"""Edits of a document's data become edits of its text, which keep order, comments, indentation and quotes.

Nothing here looks at what an image template is. The edited text is parsed again and compared with what it should say: a
text can be written in more ways than are known here, as with YAML's anchors.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.editing.block_edits import BlockEdits
from airflow_aib.image_template.editing.braced_edits import BracedEdits
from airflow_aib.image_template.editing.layout import Layout, cannot_edit, spliced
from airflow_aib.image_template.editing.written import written
from airflow_aib.image_template.pointers import parent
from airflow_aib.image_template.text.source_text import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_aib.image_template.editing.edit import Edit
    from airflow_aib.image_template.editing.layout import Splice


def edited(text: SourceText, edits: Iterable[Edit], expected: Any) -> SourceText:
    """Make edits, and make sure that the text then says what it should; otherwise give an `ImageTemplateEditError`.

    :param text: it has been parsed before
    :param expected: the content that the text must have then
    """
    new = SourceText(spliced(text, _splices(Layout(text), list(edits))), text.source)
    try:
        content, _ = new.parse()
    except ImageTemplateReadError as error:
        raise cannot_edit(text, "") from error
    if _canonical(content) != _canonical(expected):
        raise cannot_edit(text, "")
    return new


def _canonical(content: Any) -> str:
    """Write data so that 1, true and "1" are different."""
    return json.dumps(content, sort_keys=True)


def _splices(layout: Layout, edits: list[Edit]) -> Iterator[Splice]:
    removed: dict[str, set[str]] = defaultdict(set)
    for edit in edits:
        if edit.action == "remove":
            removed[parent(edit.pointer)].add(edit.pointer)
        else:
            yield from _splices_of(layout, edit)
    for holder, pointers in removed.items():
        yield from _around(layout, holder).removals(holder, pointers)


def _splices_of(layout: Layout, edit: Edit) -> Iterator[Splice]:
    match edit.action:
        case "rename":
            key = layout.key(edit.pointer)
            yield key.replaced(written(edit.name, layout.shown(key), is_json=layout.is_json))
        case "replace":
            span = layout.written_value(edit.pointer)
            new = written(edit.value, layout.shown(span), is_json=layout.is_json)
            # What is empty, as YAML's null may be, begins right behind the colon.
            yield span.replaced(new if span.start < span.end else f" {new}")
        case "wrap":
            yield from _around(layout, parent(edit.pointer)).wrapped(edit.pointer)
        case "add":
            yield from _around(layout, parent(edit.pointer)).added(edit)


def _around(layout: Layout, holder: str) -> BracedEdits | BlockEdits:
    return BracedEdits(layout) if layout.is_braced(holder) else BlockEdits(layout)
