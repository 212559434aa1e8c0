"""What is promised under fire, and which promise a record breaks: plain data in, sentences out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.schedule import Build

SUCCESS, FAILED, UPSTREAM_FAILED = "success", "failed", "upstream_failed"
GOOD_END = dict.fromkeys(("create", "run", "collect_logs", "copy_vhds", "publish"), SUCCESS)
BAD_END = {**GOOD_END, "run": FAILED, "copy_vhds": UPSTREAM_FAILED, "publish": UPSTREAM_FAILED}
"""The state that each task of a build has to end in: of a failed one the log is archived just the same."""
FULL_PROOF, PROVING_SHARE = 60, 0.6
"""So many builds, or that share of fewer, must have been asked for: less would prove nothing."""
SUCCEEDED, RUN_FAILED, CANCELLED = "Succeeded", "Failed", "Canceled"


@dataclass(frozen=True)
class StagedFile:
    """Describe what a run has left in its staging resource group.

    :param image_template: whose.
    :param kind: `log` or `vhd`.
    :param name: of the blob.
    :param digest: of its content.
    """

    image_template: str
    kind: str
    name: str
    digest: str


@dataclass(frozen=True)
class Record:
    """Hold all that is known when it is over; only `task_states` and `unfinished` are Airflow's own word.

    :param builds: what was asked for.
    :param unfinished: builds that were not over when time was up; of them only that is judged, and what ran twice.
    :param task_states: by build, the state of each of its tasks.
    :param run_states: by build, how each of its runs ended, as the emulator has it.
    :param cancels: builds that somebody asked the emulator to cancel.
    :param staged: what the runs have left.
    :param saved: digests of what lies in the user's storage, logs as they were before they were compressed.
    :param unclosed: lines of log files about sessions that nobody has closed.
    :param secrets: places in log files at which a secret stands, and which secret it is.
    """

    builds: tuple[Build, ...]
    unfinished: tuple[str, ...]
    task_states: dict[str, dict[str, str]]
    run_states: dict[str, list[str]]
    cancels: tuple[str, ...]
    staged: tuple[StagedFile, ...]
    saved: frozenset[str]
    unclosed: tuple[str, ...]
    secrets: tuple[str, ...]

    @property
    def finished(self) -> tuple[Build, ...]:
        """The builds that are over."""
        return tuple(build for build in self.builds if build.name not in self.unfinished)


@dataclass(frozen=True)
class Violation:
    """Say which promise was broken, and how.

    :param promise: one of `PROMISES`.
    :param what: the fact that breaks it.
    """

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


def least_builds(wanted: int) -> int:
    """Return how many builds must have been asked for, of so many that were wanted."""
    return min(FULL_PROOF, math.ceil(wanted * PROVING_SHARE))


def violations(record: Record) -> list[Violation]:
    """Return every broken promise, in the order of `PROMISES`."""
    return [Violation(promise, what) for promise, look in PROMISES.items() for what in look(record)]


def _unfinished(record: Record) -> Iterator[str]:
    for name in record.unfinished:
        states = record.task_states.get(name, {})
        yield f"{name}: {', '.join(f'{task} {state}' for task, state in states.items() if state) or 'not begun'}"


def _forgotten(record: Record) -> Iterator[str]:
    for build in record.finished:
        found = len(record.run_states.get(build.name, []))
        if found < build.runs:
            yield f"{build.name} ({build.fate}) was to run {build.runs} times, and ran {found} times"


def _repeated(record: Record) -> Iterator[str]:
    for build in record.builds:
        found = record.run_states.get(build.name, [])
        if len(found) > build.runs:
            yield f"{build.name} ({build.fate}) was to run {build.runs} times, and ran {len(found)}: {', '.join(found)}"
    for name in sorted(set(record.run_states) - {build.name for build in record.builds}):
        yield f"{name} ran, and nobody has asked for it"


def _cancelled(record: Record) -> Iterator[str]:
    for name in record.cancels:
        yield f"{name}: somebody asked Azure to cancel its run"
    for name, states in record.run_states.items():
        if CANCELLED in states:
            yield f"{name}: its runs ended {', '.join(states)}"


def _wrong_end(record: Record) -> Iterator[str]:
    for build in record.finished:
        wanted, found = (GOOD_END if build.is_to_succeed else BAD_END), record.task_states.get(build.name, {})
        wrong = [f"{task} is {found.get(task)}, not {end}" for task, end in wanted.items() if found.get(task) != end]
        if wrong:
            yield f"{build.name} ({build.fate}): {'; '.join(wrong)}"


def _wrong_run(record: Record) -> Iterator[str]:
    for build in record.finished:
        wanted = Counter({RUN_FAILED: build.runs - build.is_to_succeed, SUCCEEDED: int(build.is_to_succeed)})
        found = Counter(record.run_states.get(build.name, []))
        if +found != +wanted:
            yield f"{build.name} ({build.fate}): its runs ended {dict(found)}, not {dict(+wanted)}"


def _unsaved(kind: str) -> Callable[[Record], Iterator[str]]:
    def look(record: Record) -> Iterator[str]:
        for file in record.staged:
            is_due = file.kind == kind and file.image_template not in record.unfinished
            if is_due and file.digest not in record.saved:
                yield f"{file.image_template}: nothing in the user's storage equals {file.name}"
        left = Counter(file.image_template for file in record.staged if file.kind == kind)
        for build in record.finished:
            least = record.run_states.get(build.name, []).count(SUCCEEDED)
            if left[build.name] < least:
                yield f"{build.name}: {least} of its runs succeeded, and {left[build.name]} have left a {kind}"

    return look


PROMISES: dict[str, Callable[[Record], Iterator[str]]] = {
    "no build runs twice": _repeated,
    "no build is cancelled without cause": _cancelled,
    "no build is forgotten": _forgotten,
    "every build is over in time": _unfinished,
    "every task ends in its right state": _wrong_end,
    "every build ends as Azure lets it": _wrong_run,
    "every log is archived line for line": _unsaved("log"),
    "every VHD is copied and equal": _unsaved("vhd"),
    "every session is closed": lambda record: iter(record.unclosed),
    "no secret stands in a log": lambda record: iter(record.secrets),
}
"""By promise, what finds the facts that break it."""
