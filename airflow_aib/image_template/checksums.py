"""The scripts and files that a build downloads, and the checksums by which it knows them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.editing.edit import Edit
from airflow_aib.image_template.editing.edits import edited
from airflow_aib.image_template.members.kinds import PROPERTIES
from airflow_aib.image_template.members.shapes import Family, Shape
from airflow_aib.image_template.pointers import child, parent, put, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.text.source_text import SourceText

CHECKSUM = "sha256Checksum"
_ADDRESSES = frozenset({"scriptUri", "sourceUri"})


@dataclass(frozen=True)
class DownloadStep:
    """Name a script or file that a step of the build downloads.

    :param pointer: JSON pointer to its address in the file
    :param address: as written, maybe an expression; it may hold a signature
    :param checksum_pointer: JSON pointer to its checksum in the file; None where there is none
    :param checksum: as written, maybe an expression
    """

    pointer: str
    address: str = field(repr=False)
    checksum_pointer: str | None = None
    checksum: str | None = None


def download_steps(document: ImageTemplateDocument) -> tuple[DownloadStep, ...]:
    """Give every script and file of customizers, validators and the workload to optimize for."""
    steps = _steps(document.body["properties"], PROPERTIES, child(document.pointer, "properties"))
    return tuple(steps)


def with_checksums(text: SourceText, checksums: Mapping[str, str]) -> str:
    """Write checksums into a file, each behind its address, or in place of the one that is there.

    :param checksums: by the pointer of the step's address
    """
    content, _ = text.parse()
    steps = {step.pointer: step for document in documents_of(text) for step in download_steps(document)}
    edits = []
    for pointer, checksum in checksums.items():
        step = steps.get(pointer)
        if step is None:
            raise ImageTemplateReadError(
                f"{text.source} has no script or file at {pointer}",
                hint="Name the place of its address.",
                source=text.source,
            )
        edits.append(_edit(step, checksum))
        content = put(content, step.checksum_pointer or child(parent(pointer), CHECKSUM), checksum)
    return edited(text, edits, content).text if edits else text.text


def _edit(step: DownloadStep, checksum: str) -> Edit:
    if step.checksum_pointer is None:
        return Edit("add", step.pointer, CHECKSUM, checksum)
    return Edit("replace", step.checksum_pointer, value=checksum)


def _steps(value: Any, holds: Any, pointer: str) -> Iterator[DownloadStep]:
    """Walk by the tables, whatever the spelling."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _steps(item, holds, child(pointer, index))
    if not isinstance(value, dict):
        return
    shape = holds.kind_of(value) if isinstance(holds, Family) else holds
    if not isinstance(shape, Shape):
        return
    yield from _own_step(value, shape, pointer)
    for key, item in value.items():
        member = shape.member(key)
        if member is not None:
            yield from _steps(item, member.holds, child(pointer, key))


def _own_step(value: dict[str, Any], shape: Shape, pointer: str) -> Iterator[DownloadStep]:
    names = {member.name: key for key in value if (member := shape.member(key)) is not None}
    address = next((names[name] for name in names if name in _ADDRESSES), None)
    if address is None or CHECKSUM not in shape.members or not isinstance(value[address], str) or not value[address]:
        return
    checksum = names.get(CHECKSUM)
    written = value[checksum] if checksum is not None else None
    yield DownloadStep(
        child(pointer, address),
        value[address],
        None if checksum is None else child(pointer, checksum),
        written if isinstance(written, str) else None,
    )


def address_in(body: Mapping[str, Any], step: DownloadStep, document: ImageTemplateDocument) -> str | None:
    """Give a step's address with everything filled in; None where it is not there.

    :param body: the document filled in, in its own spelling
    """
    return _text_at(body, step.pointer, document)


def checksum_in(body: Mapping[str, Any], step: DownloadStep, document: ImageTemplateDocument) -> str | None:
    """Give a step's checksum with everything filled in; None where there is none."""
    return None if step.checksum_pointer is None else _text_at(body, step.checksum_pointer, document)


def _text_at(body: Mapping[str, Any], pointer: str, document: ImageTemplateDocument) -> str | None:
    value, is_there = resolve(body, pointer.removeprefix(document.pointer))
    return value if is_there and isinstance(value, str) and value else None
