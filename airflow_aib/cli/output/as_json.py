"""Findings for programs: one JSON list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding

MEMBERS = ("severity", "rule", "path", "line", "column", "message", "hint", "file")


def write(reports: Sequence[FileReport], console: Console, *, show_all: bool) -> None:
    """Write all findings.

    :param show_all: whether to write also what is switched off, with its reason as `switchedOff`
    """
    listed = [_object(finding) for report in reports for finding in report.findings]
    if show_all:
        listed += [
            _object(finding) | {"switchedOff": reason} for report in reports for finding, reason in report.switched_off
        ]
    console.say_json(listed)


def _object(finding: Finding) -> dict[str, Any]:
    return {member: getattr(finding, member) for member in MEMBERS}
