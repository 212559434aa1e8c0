"""All that is said about an image template, brought to one form: without secrets, with line and column, worst first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateError, ImageTemplateReadError
from airflow_aib.image_template.finding import Finding, error, warning, worst_first
from airflow_aib.image_template.pointers import moved_back, resolve
from airflow_aib.image_template.switched_off import sort_out, switches_of
from airflow_aib.image_template.unknown import holds_unknown, mentions_unknown
from airflow_aib.image_template.values.origin import origin_of
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.render import RenderedImageTemplate


@dataclass(frozen=True)
class Examination:
    """Hold what was found.

    :param findings: what counts, worst first
    :param switched_off: what somebody has switched off, each with the reason
    """

    findings: tuple[Finding, ...]
    switched_off: tuple[tuple[Finding, str], ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What makes it useless to submit."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def examination_of(
    findings: Iterable[Finding], rendered: RenderedImageTemplate, disabled: Mapping[str, str]
) -> Examination:
    """Bring findings about a rendered image template to their final form.

    :param findings: with pointers into the rendered body
    :param disabled: rules that do not count, each with the reason, beside those that the document itself names
    """
    switches = switches_of(rendered.document, disabled)
    remaining, off = sort_out(_shown(findings, rendered), switches, rendered.source)
    return Examination(tuple(worst_first(remaining)), tuple(off))


def counting_findings(findings: Iterable[Finding], rendered: RenderedImageTemplate) -> list[Finding]:
    """Bring findings about an image template beside others to their final form; give those not switched off."""
    located = _shown(findings, rendered)
    switches = switches_of(rendered.document, {}) if located else []
    return [finding for finding in located if not any(switch.covers(finding) for switch in switches)]


def located_in(document: ImageTemplateDocument, finding: Finding) -> Finding:
    """Give a finding its place in the document's file.

    :param finding: with a pointer into the document's image template
    """
    path = document.pointer + finding.path
    if document.text is None:
        return replace(finding, path=path, file=document.source)
    places = document.text.places
    line, column = places.position(places.nearest(path).start)
    return replace(finding, path=path, file=document.source, line=line, column=column)


def finding_of(problem: ImageTemplateError, source: str, document: ImageTemplateDocument | None = None) -> Finding:
    """Give an error as a finding, for a caller that reports all files rather than stops at the first bad one.

    :param source: the file
    :param document: the image template, if it has been read
    """
    said = str(problem.data.get("problem") or problem.message)
    hint = problem.hint or ""
    if isinstance(problem, ImageTemplateReadError):
        # What Azure deploys is not for us to refuse because we cannot read it.
        found = error("", "document-unreadable", said, hint)
        if problem.data.get("is_nested"):
            found = warning("", "document-nested", said, hint)
        return replace(found, file=source, line=problem.line or 1, column=problem.column or 1)
    declaration = problem.data.get("declaration")
    if document and declaration:
        return located_in(replace(document, pointer=""), error(str(declaration), "document-unrenderable", said, hint))
    found = error(str(problem.data.get("path") or ""), "document-unrenderable", said, hint)
    return located_in(document, found) if document else replace(found, file=source)


def _shown(findings: Iterable[Finding], rendered: RenderedImageTemplate) -> list[Finding]:
    """Give findings of what is known, as people may see them: in their places, without secrets."""
    masker = Masker(rendered.secrets)
    known = (finding for finding in findings if not _is_about_unknown(finding, rendered))
    return [_without_secrets(_located(finding, rendered), masker) for finding in known]


def _is_about_unknown(finding: Finding, rendered: RenderedImageTemplate) -> bool:
    """Whether a finding judges a value that nobody knows; that the value is unknown has been said already."""
    if finding.rule in _OF_UNKNOWNS:
        return False
    if mentions_unknown(finding.message):
        return True
    value, _ = resolve({**rendered.body, "name": rendered.name}, finding.path)
    return isinstance(value, str) and holds_unknown(value)


_OF_UNKNOWNS = frozenset({"parameter-missing", "needs-azure"})


def _located(finding: Finding, rendered: RenderedImageTemplate) -> Finding:
    if finding.line is not None:
        return finding
    if rendered.document is None:
        return replace(finding, file=rendered.source)
    path = moved_back(finding.path, rendered.moved)
    hint = f"{finding.hint} {origin_of(rendered.document, path)}".strip()
    return located_in(rendered.document, replace(finding, path=path, hint=hint))


def _without_secrets(finding: Finding, masker: Masker) -> Finding:
    path, message, hint = map(masker.mask, (finding.path, finding.message, finding.hint))
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[: _LONGEST_MESSAGE // 2]} ... {message[-_LONGEST_MESSAGE // 2 :]}"
    return replace(finding, path=path, message=message, hint=hint)


# A document may hold keys and values without end, which messages quote.
_LONGEST_MESSAGE = 2000
