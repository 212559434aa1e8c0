"""The text of a run's logs: which lines each phase writes, and at which instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.build_vm import is_kept
from aib_emulator.services.image_builder.customizers import (
    Failure,
    Line,
    cancel_lines,
    capture_lines,
    clean_up_lines,
    connect_lines,
    customize_lines,
    deploy_lines,
    deprovision_lines,
    failed_clean_up_lines,
    failed_deploy_lines,
    said,
    usual_failure_output,
    validator_lines,
    waiting_lines,
)
from aib_emulator.services.image_builder.log_form import WRITERS
from aib_emulator.services.image_builder.words import USUAL, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.timeline import Phase, Timeline

CUSTOMIZATION_LOG = "customization.log"
VALIDATION_LOG = "validation.log"
APPENDS_PER_PHASE = 4
TOO_SHORT = "client_jwt will expire within 5 minutes, please use a JWT that is valid for at least 5 minutes"


@dataclass(frozen=True)
class LogPart:
    """Hold lines that are appended together.

    :param at: when the last of them is written
    :param log_name: which log they go into
    :param text: the lines, each with its line end
    """

    at: datetime
    log_name: str
    text: str


@dataclass(frozen=True)
class LogWriter:
    """Word the logs of one run.

    :param image_template: what is built
    :param prefix: the id in brackets before every line
    :param words: what it says when it goes wrong
    """

    image_template: ImageTemplate
    prefix: str
    words: Words = USUAL

    def parts(self, timeline: Timeline) -> Iterator[LogPart]:
        """Yield what is written, in the order of time."""
        for phase in timeline.phases:
            log_name = VALIDATION_LOG if phase.kind == "validate" else CUSTOMIZATION_LOG
            lines = sorted(self._lines(phase, timeline), key=lambda line: line.at)
            timed = [(_instant(phase, line), line) for line in lines]
            written = [(at, line) for at, line in timed if at <= phase.end]
            for _, group in groupby(written, key=lambda pair: ceil(pair[1].at * APPENDS_PER_PHASE)):
                together = list(group)
                text = "".join(self._text(at, line) for at, line in together)
                yield LogPart(max(at for at, _ in together), log_name, text)
        if timeline.reason == "timeout":
            last = (said(1.0, "Cancelling builder after context cancellation"), *clean_up_lines()[-1:])
            text = "".join(self._text(timeline.end, line) for line in last)
            yield LogPart(timeline.end, CUSTOMIZATION_LOG, text)

    def _lines(self, phase: Phase, timeline: Timeline) -> list[Line]:
        is_windows = self.image_template.is_windows
        writers: dict[str, Callable[[], list[Line]]] = {
            "deploy": lambda: self._deploy_lines(phase),
            "connect": lambda: self._connect_lines(phase),
            "customize": lambda: self._customize_lines(phase),
            "deprovision": lambda: self._deprovision_lines(phase),
            "capture": lambda: capture_lines(is_windows=is_windows),
            "clean_up": lambda: self._clean_up_lines(phase, timeline),
            "validate": lambda: self._validate_lines(phase),
            "cancel": cancel_lines,
        }
        return writers[phase.kind]() if phase.kind in writers else []

    def _connect_lines(self, phase: Phase) -> list[Line]:
        is_windows = self.image_template.is_windows
        if not phase.fails:
            return connect_lines(is_windows=is_windows)
        failure = Failure(1, notes=self.words.notes, ending=self.words.ending)
        return [*waiting_lines(is_windows=is_windows), *failed_deploy_lines(failure)]

    def _deploy_lines(self, phase: Phase) -> list[Line]:
        group = self.image_template.staging_group_id
        lines = deploy_lines(
            self.image_template.source_name,
            location=self.image_template.location,
            group=group.name if group is not None else "",
        )
        if not phase.fails:
            return lines
        ending = self.words.ending or TOO_SHORT
        return [*lines, *failed_deploy_lines(Failure(1, notes=self.words.notes, ending=ending))]

    def _customize_lines(self, phase: Phase) -> list[Line]:
        customizer = self.image_template.properties["customize"][phase.index]
        if phase.hangs:
            return customize_lines(customizer, self._failure(()), hangs_for=_stretch(phase))
        return customize_lines(customizer, self._failure(usual_failure_output(customizer)) if phase.fails else None)

    def _validate_lines(self, phase: Phase) -> list[Line]:
        validator = self.image_template.properties["validate"]["inVMValidations"][phase.index]
        return validator_lines(validator, self._failure(usual_failure_output(validator)) if phase.fails else None)

    def _deprovision_lines(self, phase: Phase) -> list[Line]:
        return deprovision_lines(
            is_windows=self.image_template.is_windows,
            failure=self._failure(()) if phase.fails else None,
            hangs_for=_stretch(phase) if phase.hangs else 0.0,
        )

    def _clean_up_lines(self, phase: Phase, timeline: Timeline) -> list[Line]:
        if not any(before.fails and before.kind in {"customize", "deprovision"} for before in timeline.phases):
            return clean_up_lines(self.words.clean_up)
        seconds = int((phase.start - timeline.start).total_seconds())
        elapsed = f"{seconds // 60} minutes {seconds % 60} seconds"
        is_cleared = not is_kept(self.image_template.properties, timeline)
        return failed_clean_up_lines(self._failure(()), elapsed, is_cleared=is_cleared)

    def _failure(self, usual_output: tuple[str, ...]) -> Failure:
        words = self.words
        output = words.output or usual_output
        return Failure(words.exit_code, output, words.is_endless, words.notes, words.ending)

    def _text(self, at: datetime, line: Line) -> str:
        return WRITERS[self.words.log_form](line, at, self.prefix)


def _stretch(phase: Phase) -> float:
    """Return how many times its usual length a phase takes."""
    return (phase.end - phase.start).total_seconds() / phase.seconds


def _instant(phase: Phase, line: Line) -> datetime:
    return phase.start + timedelta(seconds=phase.seconds * line.at)
