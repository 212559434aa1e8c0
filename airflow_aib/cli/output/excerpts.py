"""The line that a finding is about, with a mark under the place, and never with a secret."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from airflow_aib.cli.output.spans import place_of, span_of
from airflow_aib.masking import MASK, mask

if TYPE_CHECKING:
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding

WIDTH = 100
_BEFORE = 30
_TAB = "    "
_CUT = "..."
_ABOUT_SECRETS = "secret"  # how the ids of such rules begin


@dataclass(frozen=True)
class Excerpts:
    """Cut lines out of one file.

    :param report: on the file
    """

    report: FileReport

    def of(self, finding: Finding) -> tuple[str, str] | None:
        """Give the line, and the mark to stand under it; None where nothing can or may be shown.

        Where something on the line may be secret, the key is all that is shown.
        """
        span = span_of(self.report, finding)
        if span is None or not 0 < span.line <= len(self._lines):
            return None
        line = self._lines[span.line - 1].rstrip()
        if self._is_secret(finding, line):
            return self._key_alone(finding)
        end = span.end_column - 1 if span.end_line == span.line else len(line)
        return _marked(line, min(span.column - 1, len(line)), end)

    @cached_property
    def _lines(self) -> list[str]:
        # Not splitlines, which knows more line ends than the positions of findings do.
        return self.report.text.text.split("\n") if self.report.text else []

    @cached_property
    def _secret_lines(self) -> frozenset[int]:
        """The lines of everything that a rule about secrets has found, switched off or not."""
        found = [*self.report.findings, *(finding for finding, _ in self.report.switched_off)]
        spans = [span_of(self.report, finding) for finding in found if finding.rule.startswith(_ABOUT_SECRETS)]
        return frozenset(line for span in spans if span for line in range(span.line, span.end_line + 1))

    def _is_secret(self, finding: Finding, line: str) -> bool:
        return self.report.may_hold_secrets or finding.line in self._secret_lines or mask(line) != line

    def _key_alone(self, finding: Finding) -> tuple[str, str] | None:
        place = place_of(self.report, finding)
        if self.report.text is None or place is None or place.key is None:
            return None
        key = self.report.text.text[place.key.start : place.key.end]
        return None if "\n" in key or mask(key) != key else _marked(f"{key}: {MASK}", 0, len(key))


def _marked(line: str, start: int, end: int) -> tuple[str, str]:
    """Give a line as it can be printed, and the mark below its characters from `start` to `end`."""
    before, inside, after = (_printable(part) for part in (line[:start], line[start:end], line[end:]))
    if _width(before + inside + after) > WIDTH:
        before = before if len(before) <= _BEFORE else _CUT + before[len(_CUT) - _BEFORE :]
        room = max(WIDTH - len(before), 1)
        after = _cut(after, room - len(inside)) if len(inside) < room else ""
        inside = _cut(inside, room)
    return before + inside + after, " " * _width(before) + "^" + "~" * (_width(inside) - 1)


def _cut(text: str, room: int) -> str:
    """Cut a text to the room for it, with dots at its end, however little room there is."""
    return text if len(text) <= room else (text[: max(room - len(_CUT), 0)] + _CUT)[:room]


def _printable(text: str) -> str:
    """Write tabs as spaces, and what a terminal would take for a command as a mark."""
    return "".join(
        _TAB if character == "\t" else character if character.isprintable() else "\ufffd" for character in text
    )


def _width(text: str) -> int:
    """Give how many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
