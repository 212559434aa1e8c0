"""A document's file in the current spelling, edited so that everything else in it stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateCheckError
from airflow_aib.image_template.checks.reading import mapping
from airflow_aib.image_template.checks.source import retired_source
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.edits import edited
from airflow_aib.image_template.examination import located_in
from airflow_aib.image_template.pointers import moved_back, put
from airflow_aib.image_template.target_regions import with_target_regions
from airflow_aib.image_template.upgrade import moved_by, upgrade_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_aib.image_template.change import Change
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.edit import Edit
    from airflow_aib.image_template.text import SourceText
    from airflow_aib.image_template.upgrade import Upgraded


def upgraded_text(text: SourceText, *, target_regions: bool = False) -> tuple[str, list[Change]]:
    """Bring every image template of a file to the current api-version; give the new text and what was changed.

    :param target_regions: whether `replicationRegions` become `targetRegions` too
    """
    _refuse_retired_sources(documents_of(text))
    current, changes = _changed(text, upgrade_document)
    if target_regions:
        current, more = _changed(current, with_target_regions)
        moved = moved_by(changes)
        changes += [replace(change, former_path=moved_back(change.former_path, moved)) for change in more]
    return current.text, changes


def _changed(text: SourceText, change: Callable[[ImageTemplateDocument], Upgraded]) -> tuple[SourceText, list[Change]]:
    content, _ = text.parse()
    changes: list[Change] = []
    edits: list[Edit] = []
    for document in documents_of(text):
        changed = change(document)
        at = document.pointer
        content = put(content, at, changed.body)
        edits += [edit.below(at) for edit in changed.edits]
        changes += [replace(one, path=at + one.path, former_path=at + one.former_path) for one in changed.changes]
    return (edited(text, edits, content) if edits else text), changes


def _refuse_retired_sources(documents: Iterable[ImageTemplateDocument]) -> None:
    findings = [
        located_in(document, finding)
        for document in documents
        for finding in retired_source(mapping(document.body["properties"].get("source")), "/properties/source")
    ]
    if findings:
        raise ImageTemplateCheckError(
            f"{findings[0].file} cannot be upgraded: {findings[0].message}",
            hint=findings[0].hint,
            findings=findings,
        )
