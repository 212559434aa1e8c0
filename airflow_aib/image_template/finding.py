"""One remark of ours about an image template."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Say what is wrong with one place of an image template.

    :param severity: `error`: the service refuses it or the build cannot work; `warning`: doubtful, or advice
    :param path: JSON pointer, as `/properties/customize/0/name`: into the file where it is known, else into the
        rendered body
    :param rule: stable id, as `customize-name-unique`; `airflow_aib.image_template.rules` has them all
    :param message: what is wrong
    :param hint: what to do
    :param file: the document's file, or `<dict>`
    :param line: in the file, from 1; None where there is no file
    :param column: in the line, from 1
    """

    severity: Severity
    path: str
    rule: str
    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Give the finding as one line, which begins with its place in the file."""
        return self._line(f"{self.severity}: ")

    @property
    def without_severity(self) -> str:
        """The finding as one line, for a log that has levels."""
        return self._line("")

    def _line(self, severity: str) -> str:
        place = f"{self.file}:{self.line}:{self.column or 1}: " if self.line is not None else ""
        path = f"{self.path}: " if self.path else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}{severity}{path}{self.message}.{hint} [{self.rule}]"

    def to_json(self) -> dict[str, Any]:
        """Give the finding as JSON."""
        return asdict(self)


def error(path: str, rule: str, message: str, hint: str) -> Finding:
    """Report what the service refuses, or what cannot work."""
    return Finding("error", path, rule, message, hint)


def warning(path: str, rule: str, message: str, hint: str) -> Finding:
    """Report what is doubtful, or give advice."""
    return Finding("warning", path, rule, message, hint)


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Order findings: errors before warnings, otherwise as they were found."""
    return sorted(findings, key=lambda finding: finding.severity != "error")
