"""Spellings that are neither current nor those of the api-version for which the document says that it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.pointers import moved_back, resolve, unescape
from airflow_aib.image_template.unknown import holds_unknown
from airflow_aib.image_template.upgrading.readings import Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate
    from airflow_aib.image_template.upgrading.change import Change


def check_outdated(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report what is not submitted as it is written, unless the document is simply old."""
    changes = (change for change in rendered.changes if _is_written_so(change, rendered))
    yield from spelling_findings(changes, rendered.api_version)


def spelling_findings(changes: Iterable[Change], declared_api_version: str | None) -> Iterator[Finding]:
    """Report the changes that the api-version of a document does not explain.

    :param changes: what was changed, with pointers into the rendered body
    :param declared_api_version: for which the document says that it was written; None where it does not say so
    """
    if declared_api_version is not None and holds_unknown(declared_api_version):
        return
    for change in changes:
        if declared_api_version is None or declared_api_version >= change.since:
            said = change.what if change.new else f"{change.what}: {change.why}"
            yield warning(
                change.path,
                "spelling-outdated",
                f"{said[:1].upper()}{said[1:]}; it is submitted so",
                f"Is {change.meant!r} meant?"
                if change.meant
                else "`airflow-aib upgrade --write FILE` writes it so in the file.",
            )


def _is_written_so(change: Change, rendered: RenderedImageTemplate) -> bool:
    """Whether the document itself holds the old spelling, and not a value that somebody passed."""
    key = unescape(change.former_path.rpartition("/")[2])
    if rendered.document is None or change.old == repr(key):
        return True
    path = moved_back(change.path, rendered.moved)
    written, _ = resolve(rendered.document.body, path)
    return not isinstance(written, str) or Written(rendered.document).is_known(written, path)
