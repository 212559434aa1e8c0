"""What is found about all files of a call together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.cli.image_templates import examined_together
from airflow_aib.cli.reports import UNUSED, CheckCall, FileReport, check_file
from airflow_aib.image_template.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues


def check_files(sources: Iterable[Source], call: CheckCall) -> list[FileReport]:
    """Check files, each by itself and beside the others, and the parameters file that they share."""
    reports = [check_file(source, call) for source in sources]
    together = examined_together([rendered for report in reports for rendered in report.rendered])
    by_file: dict[str, list[Finding]] = {}
    for finding in together:
        by_file.setdefault(finding.file, []).append(finding)
    reports = [_with_findings(report, by_file.get(report.file, ()), call.disabled) for report in reports]
    unused = [name for name in unused_names(reports, call) if name in call.values.from_file]
    return [*reports, _report_on_parameters(unused, call)] if unused else reports


def unused_names(reports: Sequence[FileReport], call: CheckCall) -> list[str]:
    """Give the names that were passed and that no checked file asks for, if that can be known."""
    if call.only_some:
        return []
    values = call.values
    noticed = [
        [finding.message for finding in rendered.findings if finding.rule == UNUSED]
        for report in reports
        for rendered in report.rendered
    ]
    if not noticed or not all(report.is_complete for report in reports if report.file != values.file_name):
        return []
    given = {**values.from_file, **values.assigned}
    return [
        name for name in given if all(any(said.endswith(f" {name!r}") for said in messages) for messages in noticed)
    ]


def _report_on_parameters(unused: Iterable[str], call: CheckCall) -> FileReport:
    report = FileReport(
        call.values.file_name, text=call.values.file, may_hold_secrets=True, disabled=frozenset(call.disabled)
    )
    return _with_findings(report, [_unused(name, call.values) for name in unused], call.disabled)


def _unused(name: str, values: CallValues) -> Finding:
    line, column = values.place_of(name)
    found = warning("", UNUSED, f"No checked file asks for the parameter {name!r}", "Correct its name, or drop it.")
    return replace(found, file=values.file_name, line=line, column=column)


def _with_findings(report: FileReport, findings: Iterable[Finding], disabled: Mapping[str, str]) -> FileReport:
    found = list(findings)
    return report.with_more(
        (finding for finding in found if finding.rule not in disabled),
        ((finding, disabled[finding.rule]) for finding in found if finding.rule in disabled),
    )
