"""What of a customization log a person reads first: phases, provisioners, warnings and errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_aib.image_run.customization_log import FATAL_SIGNS, PHASE_SIGNS
from airflow_aib.image_run.log_line import LogLine, parse_log_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_TROUBLE = re.compile(r"\b(?:warn(?:ing)?|error|fatal|fail(?:ed|ure|s)?|denied|timed? ?out)\b", re.IGNORECASE)


@dataclass
class LogSummary:
    """Choose the lines of a log that say how the build goes on; each phase once.

    Lines are given as they are, so that they are found again in the whole log.
    """

    _phases: set[str] = field(default_factory=set)
    _last: LogLine | None = None

    def choose(self, lines: Iterable[str]) -> list[str]:
        """Give those of the next lines that are shown."""
        return [line for line in lines if self._is_shown(parse_log_line(line))]

    def _is_shown(self, line: LogLine) -> bool:
        last, self._last = self._last, line
        if last is not None and last.text == line.text and last.is_logged != line.is_logged:
            # The newer form says each of Packer's messages twice, once with and once without time.
            return False
        if line.starts or line.ends:
            return True
        if line.source != "vm" and self._begins_phase(line):
            return True
        return line.is_output and not line.is_harmless and _says_trouble(line)

    def _begins_phase(self, line: LogLine) -> bool:
        for name, signs in PHASE_SIGNS:
            if name not in self._phases and any(sign in line.text for sign in signs):
                self._phases.add(name)
                return True
        return False


def _says_trouble(line: LogLine) -> bool:
    return _TROUBLE.search(line.text) is not None or any(sign in line.text for sign in FATAL_SIGNS)
