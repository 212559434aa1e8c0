"""The samples of failures: what is known of each, its log in both recorded forms, and what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.customization_log import CustomizationLog, parse_customization_log
from airflow_aib.image_run.evidence import Evidence
from airflow_aib.image_run.failure_signatures import log_signs
from tests.unit.airflow_aib.image_run.sample_logs import LOGS

if TYPE_CHECKING:
    from pathlib import Path

FAILURES = LOGS / "failures"
FORMS = ("new", "old")
_SEEN = re.compile(r"(?P<id>\[[^]]+\] )PACKER (?P<time>\d{4}/\d\d/\d\d [\d:]+) (?:ui error|ui): (?P<text>.*)")
_DEBUG = re.compile(r"(?P<id>\[[^]]+\] )PACKER (?P<time>\d{4}/\d\d/\d\d [\d:]+) (?P<text>.*)")
_BARE = re.compile(r"(?P<id>\[[^]]+\] )PACKER (?P<text>.*)")


@dataclass(frozen=True)
class SampleFailure:
    """Hold a sample.

    :param name: of its file
    :param facts: what its head says: `class`, `row` of the catalogue, `place`, `state`, `code`, `message`, by which
        time limit it was `overdue`, the image template's `customize` and `validators`; and what is expected of the
        diagnosis
    :param log: in the form of today
    """

    name: str
    facts: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def evidence(self, form: str = "new") -> Evidence:
        """Give what is known of it."""
        is_validation = self.facts.get("which") == "validation"
        log = self.read_log(form)
        return Evidence(
            place=self.facts["place"],  # type: ignore[arg-type]  # a word of the file
            run_state=self.facts.get("state", ""),
            is_overdue="overdue" in self.facts,
            time_limit=self.facts.get("overdue", "build_timeout"),  # type: ignore[arg-type]  # a word of the file
            code=self.facts.get("code", ""),
            message=self.facts.get("message", ""),
            customize=members(self.facts.get("customize")),
            validators=members(self.facts.get("validators")),
            customization_log=None if is_validation else log,
            validation_log=log if is_validation else None,
        )

    def read_log(self, form: str) -> CustomizationLog | None:
        """Read its log."""
        text = self.log if form == "new" else in_old_form(self.log)
        return parse_customization_log(text, log_signs()) if text else None


def members(text: str | None) -> list[dict[str, Any]] | None:
    """Read `Shell harden, File motd` as a list of customizers."""
    if text is None:
        return None
    pairs = [item.split(" ", 1) for item in text.split(", ")]
    return [{"type": kind, "name": name} for kind, name in pairs]


def in_old_form(text: str) -> str:
    """Write a log of today as it was written before autumn 2023."""
    return "\n".join(_old_line(line) for line in text.splitlines())


def _old_line(line: str) -> str:
    if match := _SEEN.fullmatch(line):
        return f"{match['id']}PACKER OUT {match['text']}"
    if match := _DEBUG.fullmatch(line):
        return f"{match['id']}PACKER ERR {match['time']} {match['text']}"
    match = _BARE.fullmatch(line)
    return f"{match['id']}PACKER OUT {match['text']}" if match else line


def read_sample(file: Path) -> SampleFailure:
    """Read a sample: its head of facts, a line of three dashes, its log."""
    head, _, log = file.read_text(encoding="utf-8").partition("\n---\n")
    facts = {key: value for key, _, value in (line.partition(": ") for line in head.splitlines())}
    return SampleFailure(file.stem, facts, log)


SAMPLES = [read_sample(file) for file in sorted(FAILURES.glob("*.txt"))]
