"""Findings for people: `file:line:column: error: message [rule]`, the line of the file, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.output.excerpts import Excerpts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding


def write(reports: Sequence[FileReport], console: Console, *, show_all: bool) -> None:
    """Write all findings, and a line that counts them.

    :param show_all: whether to show also what is switched off
    """
    for report in reports:
        excerpts = Excerpts(report)
        for finding in report.findings:
            for line in _lines(finding, excerpts, console, kind=finding.severity):
                console.say(line)
        for finding, reason in report.switched_off if show_all else ():
            for line in _lines(finding, excerpts, console, kind="switched off", reason=reason):
                console.say(line)
    console.say(summary(reports))


def summary(reports: Sequence[FileReport]) -> str:
    """Count everything in one line."""
    findings = [finding for report in reports for finding in report.findings]
    errors = sum(finding.severity == "error" for finding in findings)
    off = sum(len(report.switched_off) for report in reports)
    checked = sum(len(report.documents) for report in reports)
    counted = [_count(errors, "error"), _count(len(findings) - errors, "warning")]
    counted += [f"{off} switched off"] if off else []
    return f"{', '.join(counted)} in {_count(checked, 'image template')}, {_count(len(reports), 'file')}"


def _lines(
    finding: Finding, excerpts: Excerpts, console: Console, *, kind: str, reason: str | None = None
) -> Iterator[str]:
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    kind = console.styled(f"{kind}:", kind if kind in {"error", "warning"} else "quiet")
    yield f"{console.styled(one_line(place), 'strong')}: {kind} {one_line(finding.message)} [{finding.rule}]"
    excerpt = excerpts.of(finding)
    margin = " " * len(str(finding.line))
    if excerpt:
        yield f"  {finding.line} | {excerpt[0]}"
        yield f"  {margin} | {console.styled(excerpt[1], 'place')}"
    if finding.hint:
        yield f"  {margin} = {one_line(finding.hint)}"
    if reason is not None:
        yield f"  {margin} = switched off: {one_line(reason)}"


def one_line(text: str) -> str:
    """Give a text without line ends and without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else " " for character in text)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
