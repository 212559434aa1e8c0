"""A document's file in the current spelling, edited so that everything else in it stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateCheckError
from airflow_aib.image_template.checks.reading import mapping
from airflow_aib.image_template.checks.source import retired_source
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.editing.edit import Edit
from airflow_aib.image_template.editing.edits import edited
from airflow_aib.image_template.examination import located_in
from airflow_aib.image_template.finding import error
from airflow_aib.image_template.members.kinds import API_VERSION
from airflow_aib.image_template.pointers import moved_back, put, resolve
from airflow_aib.image_template.upgrading.change import Change
from airflow_aib.image_template.upgrading.target_regions import with_target_regions
from airflow_aib.image_template.upgrading.upgrade import Upgraded, moved_by, upgrade_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.text.source_text import SourceText


def upgraded_text(text: SourceText, *, target_regions: bool = False) -> tuple[str, list[Change]]:
    """Bring every image template of a file to the current api-version; give the new text and what was changed.

    :param target_regions: whether `replicationRegions` become `targetRegions` too
    """
    _refuse_retired_sources(documents_of(text))
    steps = (_in_usual_letters, upgrade_document, *((with_target_regions,) if target_regions else ()))
    changes: list[Change] = []
    for step in steps:
        text, more = _changed(text, step)
        moved = moved_by(changes)
        changes += [replace(change, former_path=moved_back(change.former_path, moved)) for change in more]
    return text.text, changes


def _in_usual_letters(document: ImageTemplateDocument) -> Upgraded:
    """Write a resource's own members as they are documented, which reading the document has done to its data only."""
    content, _ = document.text.parse() if document.text else (document.body, ())
    written, _ = resolve(content, document.pointer)
    renamed = [(old, new) for old, new in zip(written, document.body, strict=True) if old != new]
    changes = (Change(f"/{new}", f"/{old}", repr(old), repr(new), _LETTERS, API_VERSION) for old, new in renamed)
    return Upgraded(document.body, tuple(changes), tuple(Edit("rename", f"/{old}", new) for old, new in renamed))


_LETTERS = "letter case, which counts where the resource is submitted by itself"


def _changed(text: SourceText, change: Callable[[ImageTemplateDocument], Upgraded]) -> tuple[SourceText, list[Change]]:
    content, _ = text.parse()
    changes: list[Change] = []
    edits: list[Edit] = []
    for document in documents_of(text):
        changed = change(document)
        _refuse_misspelt_members(document, changed.changes)
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
    _refuse(findings)


def _refuse_misspelt_members(document: ImageTemplateDocument, changes: Iterable[Change]) -> None:
    """Refuse to take out for good what was most likely meant as another member, and has never had its effect."""
    _refuse(
        [
            located_in(
                document,
                error(
                    change.former_path,
                    "member-unknown",
                    f"{change.former_path}: {change.why}",
                    f"Is {change.meant!r} meant? Correct it, or take it out.",
                ),
            )
            for change in changes
            if change.meant
        ]
    )


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise ImageTemplateCheckError(
            f"{findings[0].file} cannot be upgraded: {findings[0].message}",
            hint=findings[0].hint,
            findings=findings,
        )
