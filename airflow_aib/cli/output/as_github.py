"""Findings as workflow commands of GitHub Actions, which shows them beside the changed lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.output.spans import span_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding


def write(reports: Sequence[FileReport], console: Console, *, show_all: bool) -> None:
    """Write one workflow command for each finding.

    :param show_all: whether to write also what is switched off, as notices
    """
    for report in reports:
        for finding in report.findings:
            console.say(_command(report, finding, finding.severity))
        for finding, reason in report.switched_off if show_all else ():
            console.say(_command(report, finding, "notice", f"\nSwitched off: {reason}"))


def _command(report: FileReport, finding: Finding, kind: str, more: str = "") -> str:
    span = span_of(report, finding)
    properties: dict[str, object] = {"file": finding.file}
    if span:
        properties |= {"line": span.line, "col": span.column}
    if span and span.end_line == span.line:
        properties |= {"endColumn": span.end_column}
    properties["title"] = finding.rule
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    hint = f"\n{finding.hint}" if finding.hint else ""
    return f"::{kind} {written}::{_data(finding.message + hint + more)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
