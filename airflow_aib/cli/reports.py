"""What is found in one file, and in all of a call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from airflow_aib.cli.image_templates import (
    UNUSED,
    documents_in,
    examined,
    names_nobody_asks_for,
    rendered_to_check,
    secrets_of,
)
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_run.masking import mask
from airflow_aib.image_template.examination import finding_of
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.switched_off import switches_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.text import SourceText

SwitchedOff = tuple[Finding, str]


@dataclass(frozen=True)
class FileReport:
    """Hold what was found in one file.

    :param file: its name
    :param findings: what counts, in the order of the file
    :param switched_off: what does not, each with the reason
    :param text: the file's text, as far as it can be read
    :param holds_secrets: whether a value in it may be secret, so that none of its values is shown
    :param image_templates: how many there are in it
    :param disabled: the rules that the call, and not the file, switches off
    """

    file: str
    findings: tuple[Finding, ...]
    switched_off: tuple[SwitchedOff, ...] = ()
    text: SourceText | None = field(default=None, repr=False)
    holds_secrets: bool = False
    image_templates: int = 0
    disabled: frozenset[str] = frozenset()


@dataclass
class _Gathering:
    """Gather what is found in one file."""

    findings: list[Finding] = field(default_factory=list)
    switched_off: list[SwitchedOff] = field(default_factory=list)
    noticed: list[list[Finding]] = field(default_factory=list)
    """What rendering noticed about each image template that could be rendered."""
    is_complete: bool = True
    """Whether all that is asked for is known: everything could be rendered."""

    def take_problem(self, found: Finding, document: ImageTemplateDocument | None, disabled: Mapping[str, str]) -> None:
        self.is_complete = False
        switches = switches_of(document, disabled)
        reason = next((switch.reason for switch in switches if switch.covers(found)), None)
        if reason is None:
            self.findings.append(found)
        else:
            self.switched_off.append((found, reason))

    def take(self, document: ImageTemplateDocument, values: CallValues, disabled: Mapping[str, str]) -> None:
        try:
            rendered = rendered_to_check(document, values)
        except ImageTemplateError as error:
            self.take_problem(finding_of(error, document.source, document), document, disabled)
            return
        self.noticed.append([finding for finding in rendered.findings if finding.rule == UNUSED])
        examination = examined(rendered, disabled)
        # Several files may share their parameters: what this one does not ask for, another one may.
        self.findings.extend(finding for finding in examination.findings if finding.rule != UNUSED)
        self.switched_off.extend(pair for pair in examination.switched_off if pair[0].rule != UNUSED)


@dataclass
class Checking:
    """Check one file after another.

    :param values: the call's
    :param disabled: rules that do not count, each with the reason
    """

    values: CallValues
    disabled: Mapping[str, str]
    _noticed: list[list[Finding]] = field(default_factory=list)
    _is_complete: bool = True

    def report(self, source: Source) -> FileReport:
        """Check all image templates of a file: whatever is wrong with it is a finding, never an error."""
        found = _Gathering()
        documents: tuple[ImageTemplateDocument, ...] = ()
        try:
            documents = documents_in(source)
        except ImageTemplateError as error:
            found.take_problem(finding_of(error, source.name), None, self.disabled)
        for document in documents:
            found.take(document, self.values, self.disabled)
        self._noticed += found.noticed
        self._is_complete &= found.is_complete
        return replace(_report_of(source, found, documents, self.values), disabled=frozenset(self.disabled))

    def unused_names(self) -> list[str]:
        """Give the names that were passed and that no checked file asks for, if that is known."""
        given = {**self.values.from_file, **self.values.assigned}
        return names_nobody_asks_for(self._noticed, given) if self._is_complete else []

    def report_on_parameters(self) -> FileReport | None:
        """Report the names of the parameters file that no checked file asks for."""
        unused = [name for name in self.unused_names() if name in self.values.from_file]
        if self.values.file is None or not unused:
            return None
        findings = tuple(self._unused(name, self.values.file.source) for name in unused)
        reason = self.disabled.get(UNUSED)
        return FileReport(
            file=self.values.file.source,
            findings=findings if reason is None else (),
            switched_off=() if reason is None else tuple((finding, reason) for finding in findings),
            text=self.values.file,
            holds_secrets=True,
            disabled=frozenset(self.disabled),
        )

    def _unused(self, name: str, file: str) -> Finding:
        line, column = self.values.place_of(name)
        found = warning("", UNUSED, f"No checked file asks for the parameter {name!r}", "Correct its name, or drop it.")
        return replace(found, file=file, line=line, column=column)


def _report_of(
    source: Source, found: _Gathering, documents: tuple[ImageTemplateDocument, ...], values: CallValues
) -> FileReport:
    secrets = frozenset(secret for document in documents for secret in secrets_of(document, values))
    text = documents[0].text if documents else source.readable_text()
    return FileReport(
        file=source.name,
        findings=tuple(sorted({_masked(one, secrets): None for one in found.findings}, key=_place)),
        switched_off=tuple({(_masked(one, secrets), reason): None for one, reason in found.switched_off}),
        text=text,
        holds_secrets=bool(secrets) or (not documents and text is not None and "secure" in text.text.casefold()),
        image_templates=len(documents),
    )


def _masked(finding: Finding, secrets: frozenset[str]) -> Finding:
    """Take out what the examination does not know to be secret: signatures in addresses, account keys, tokens."""
    return replace(finding, message=mask(finding.message, secrets), hint=mask(finding.hint, secrets))


def _place(finding: Finding) -> tuple[int, int, bool]:
    return finding.line or 0, finding.column or 0, finding.severity != "error"
