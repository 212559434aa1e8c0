"""Where a finding begins and ends in its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.text.places import Place


@dataclass(frozen=True)
class Span:
    """Hold a stretch of a file, lines and columns from 1.

    :param line: of its first character
    :param column: of its first character
    :param end_line: of its last character
    :param end_column: the one behind its last character
    """

    line: int
    column: int
    end_line: int
    end_column: int


def span_of(report: FileReport, finding: Finding) -> Span | None:
    """Give the stretch from a finding's key to the end of its value; one character where no more is known."""
    if finding.line is None or finding.column is None:
        return None
    place = place_of(report, finding)
    if report.text is None or place is None:
        return Span(finding.line, finding.column, finding.line, finding.column + 1)
    # The end of what YAML writes in several lines is that of the last line with content.
    stretch = report.text.text[place.start : place.value.end].rstrip()
    end_line, last_column = report.text.places.position(place.start + max(len(stretch), 1) - 1)
    return Span(finding.line, finding.column, end_line, last_column + 1)


def place_of(report: FileReport, finding: Finding) -> Place | None:
    """Give the place of the member or item that a finding is about, if it stands where the finding says."""
    if report.text is None or not report.documents:
        return None
    places = report.text.places
    place = places.nearest(finding.path)
    return place if places.position(place.start) == (finding.line, finding.column) else None
