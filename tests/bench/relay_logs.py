"""The logs of a fleet of builds, and what has come of them in their tasks' logs.

Every line says whose it is and which one, so that whoever sees it knows whether one before it is missing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_BYTES = 100
# A quarter of a megabyte in 35 minutes, as of a build that installs packages; and a few that say whatever they do.
PACE, FLOOD = 120.0, 12_000.0
FLOODING_EACH, FLOODING_AT = 100, 50
# The log is done so many seconds before the service calls the run over.
DONE_BEFORE = 5.0
LINE = re.compile(r"build (?P<number>\d{6}) line (?P<index>\d{8})\.*")
NOTE = re.compile(r"\[\.\.\. (?P<bytes>\d+) bytes are left out here")


@dataclass(frozen=True)
class LogCourse:
    """Say how the log of one build grows.

    :param number: of the build
    :param begins: seconds since the epoch
    :param ends: when its run is over
    """

    number: int
    begins: float
    ends: float

    @property
    def is_flooding(self) -> bool:
        """Whether it says whatever it does."""
        return self.number % FLOODING_EACH == FLOODING_AT

    def lines_at(self, moment: float) -> int:
        """How many lines have been said by then."""
        seconds = max(0.0, min(moment, self.ends - DONE_BEFORE) - self.begins)
        return int(seconds * (FLOOD if self.is_flooding else PACE) / LINE_BYTES)

    def is_done(self, moment: float) -> bool:
        """Whether all has been said."""
        return moment >= self.ends - DONE_BEFORE

    def text(self, first: int, end: int) -> str:
        """Give lines as they stand in the log."""
        return "".join(f"{line(self.number, index)}\n" for index in range(first, end))


def line(number: int, index: int) -> str:
    """Give one line of a build's log."""
    return f"==> azure-arm: build {number:06} line {index:08}".ljust(LINE_BYTES - 1, ".")


@dataclass
class Relayed:
    """Hold what a task's log has of its build's.

    :param told: lines, each once
    :param lost: lines before the last one that are missing, and that no note speaks of
    :param left_out: lines that are missing, as a note says
    :param doubled: lines that stand there once more
    :param strange: lines of another build, or that are cut
    :param end: how many lines of the build's log are told, left out or lost
    """

    told: int = 0
    lost: int = 0
    left_out: int = 0
    doubled: int = 0
    strange: int = 0
    end: int = 0

    def missing_of(self, written: int) -> int:
        """How many lines are missing in all that were written."""
        return self.lost + max(0, written - self.end)


def relayed(number: int, lines: Iterable[str]) -> Relayed:
    """Compare a task's log with the log of its build."""
    found, allowed = Relayed(), 0
    for text in lines:
        note = NOTE.match(text)
        if note is not None:
            # The lines at both of its ends may be left out in part.
            allowed = int(note["bytes"]) // LINE_BYTES + 2
            continue
        part = LINE.search(text)
        if part is None:
            continue
        index = int(part["index"])
        if text != line(number, index):
            found.strange += 1
        elif index < found.end:
            found.doubled += 1
        else:
            gap = index - found.end
            found.left_out += min(gap, allowed)
            found.lost += max(0, gap - allowed)
            found.told, found.end, allowed = found.told + 1, index + 1, 0
    return found


def lines_of(task_log: str) -> Iterator[str]:
    """Give the lines that were told, of a task's log as Airflow writes it: JSON, several lines in one record."""
    for record in task_log.splitlines():
        yield from str(json.loads(record).get("event")).split("\n")
