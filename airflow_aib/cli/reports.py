"""What is found in one file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from airflow_aib.cli.image_templates import documents_in, examined, rendered_to_check, secrets_of
from airflow_aib.cli.values import ways_to_pass
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.examination import Examination, finding_of
from airflow_aib.image_template.likeness import doubts_about
from airflow_aib.image_template.switched_off import switches_of
from airflow_aib.image_template.text.unreadable import may_hold_secrets
from airflow_aib.image_template.unknown import shown
from airflow_aib.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.render import RenderedImageTemplate
    from airflow_aib.image_template.text.source_text import SourceText

    SwitchedOff = tuple[Finding, str]

UNUSED = "parameter-unused"
MISSING = "parameter-missing"


@dataclass(frozen=True)
class CheckCall:
    """Hold what a call says about how to check.

    :param values: for the documents
    :param disabled: rules that do not count, each with the reason
    :param api_version: whose tables count
    :param only_some: whether the files may be a part of those for which the values are meant
    """

    values: CallValues
    disabled: Mapping[str, str] = field(default_factory=dict)
    api_version: str | None = None
    only_some: bool = False


@dataclass(frozen=True)
class FileReport:
    """Hold what was found in one file.

    :param file: its name
    :param findings: what counts, in the order of the file
    :param switched_off: what does not, each with the reason
    :param text: the file's text, as far as it can be read
    :param secrets: what must not be shown
    :param may_hold_secrets: whether none of its values is shown
    :param documents: its image templates
    :param rendered: those of them that could be rendered
    :param disabled: the rules that the call, and not the file, switches off
    """

    file: str
    findings: tuple[Finding, ...] = ()
    switched_off: tuple[SwitchedOff, ...] = ()
    text: SourceText | None = field(default=None, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    may_hold_secrets: bool = False
    documents: tuple[ImageTemplateDocument, ...] = field(default=(), repr=False)
    rendered: tuple[RenderedImageTemplate, ...] = field(default=(), repr=False)
    disabled: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether all of it could be read and rendered."""
        return bool(self.documents) and len(self.documents) == len(self.rendered)

    def with_more(self, findings: Iterable[Finding], switched_off: Iterable[SwitchedOff] = ()) -> FileReport:
        """Give the report with more in it: in the order of the file, nothing twice, and nothing secret."""
        found = dict.fromkeys([*self.findings, *map(self._without_secrets, findings)])
        off = [(self._without_secrets(finding), reason) for finding, reason in switched_off]
        return replace(
            self,
            findings=tuple(sorted(found, key=_place)),
            switched_off=tuple(dict.fromkeys([*self.switched_off, *off])),
        )

    def _without_secrets(self, finding: Finding) -> Finding:
        """Take secrets out of what no examination has seen, as problems of reading, and mark unknowns."""
        message, hint = (shown(mask(text, self.secrets)) for text in (finding.message, finding.hint))
        return replace(finding, message=message, hint=hint)


def check_file(source: Source, call: CheckCall) -> FileReport:
    """Check all image templates of a file: whatever is wrong with it is a finding, never an error."""
    disabled = frozenset(call.disabled)
    try:
        documents = documents_in(source)
    except ImageTemplateError as error:
        text = source.readable_text()
        has_secure = text is not None and may_hold_secrets(text.text)
        report = FileReport(source.name, text=text, may_hold_secrets=has_secure, disabled=disabled)
        return _with(report, _judged(finding_of(error, source.name), None, call))
    secrets = frozenset(secret for document in documents for secret in secrets_of(document, call.values))
    report = FileReport(
        source.name,
        text=documents[0].text,
        secrets=secrets,
        may_hold_secrets=bool(secrets),
        documents=documents,
        disabled=disabled,
    )
    for document in documents:
        report = _with_document(report, document, call)
    return report


def doubtful_reports(sources: Iterable[Source], call: CheckCall) -> list[FileReport]:
    """Report the files that hold no image template and look as if they should; others are passed over."""
    reports = []
    for source in sources:
        text = source.readable_text()
        found = doubts_about(text) if text is not None else []
        report = FileReport(source.name, text=text, may_hold_secrets=True, disabled=frozenset(call.disabled))
        for finding in found:
            report = _with(report, _judged(finding, None, call))
        reports += [report] if found else []
    return reports


def _with_document(report: FileReport, document: ImageTemplateDocument, call: CheckCall) -> FileReport:
    try:
        rendered = rendered_to_check(document, call.values)
    except ImageTemplateError as error:
        return _with(report, _judged(finding_of(error, document.source, document), document, call))
    examination = _with_ways(examined(rendered, call.disabled, call.api_version), rendered.missing)
    secrets = report.secrets | rendered.secrets
    return _with(replace(report, secrets=secrets, rendered=(*report.rendered, rendered)), examination)


def _with_ways(examination: Examination, missing: tuple[str, ...]) -> Examination:
    """Say at what is missing how this command line is given it."""
    hint = f"{ways_to_pass(missing)}; what depends on it is not checked."
    findings = (
        replace(finding, hint=hint) if missing and finding.rule == MISSING else finding
        for finding in examination.findings
    )
    return replace(examination, findings=tuple(findings))


def _with(report: FileReport, examination: Examination) -> FileReport:
    # Several files may share their parameters: what this one does not ask for, another one may.
    return report.with_more(
        (finding for finding in examination.findings if finding.rule != UNUSED),
        (pair for pair in examination.switched_off if pair[0].rule != UNUSED),
    )


def _judged(found: Finding, document: ImageTemplateDocument | None, call: CheckCall) -> Examination:
    """Tell whether a problem counts: an image template in a nested deployment can be left alone."""
    switches = switches_of(document, call.disabled)
    reason = next((switch.reason for switch in switches if switch.covers(found)), None)
    return Examination((found,)) if reason is None else Examination((), ((found, reason),))


def _place(finding: Finding) -> tuple[int, int, bool]:
    return finding.line or 0, finding.column or 0, finding.severity != "error"
