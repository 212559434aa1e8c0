"""AIB's customization log, which is Packer's, read into phases, provisioners and the one that failed.

Both forms are read: that of 2019 to 2023 with `PACKER OUT` and `PACKER ERR`, and the newer with `PACKER <time> ui:`.
The last provisioner of a whole build is AIB's own deprovision step: there is one more than there are customizers.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_aib.image_run.log_line import LogLine, parse_log_line

if TYPE_CHECKING:
    from collections.abc import Iterable

TAIL_LINES = 20

DEPROVISIONING_SCRIPT = "DeprovisioningScript"

# Words by which a phase of the build is known to have begun, in the order of the build.
PHASE_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("deploy", ("Deploying deployment template", "Running builder", "Validating deployment template")),
    ("connect", ("Waiting for SSH", "Waiting for WinRM", "Using SSH communicator", "Using WinRM communicator")),
    ("customize", ("(telemetry) Starting provisioner",)),
    ("capture", ("Powering off machine", "Capturing image", "Taking snapshot", "Skipping image creation")),
    ("clean-up", ("Deleting individual resources", "Cleanup requested", "deleting individual resources")),
    ("end", ("(telemetry) Finalizing", "Done exporting Packer logs")),
)

# Words that end a build.
FATAL_SIGNS = (
    "ERROR: -> ",
    "Provisioning step had errors",
    "Script exited with non-zero exit status",
    "Build 'azure-arm' errored",
    "Some builds didn't complete successfully",
    "Cancelling builder after context cancellation",
)

_EXIT_CODES = (
    re.compile(r"Script exited with non-zero exit status: (\d+)"),
    re.compile(r"Remote command exited with '(\d+)'"),
    re.compile(r"exited with code: (\d+)"),
    re.compile(r"Communicator ended with: (\d+)"),
)


@dataclass(frozen=True)
class LogPhase:
    """Note where a phase of the build begins.

    :param name: deploy, connect, customize, deprovision, capture, clean-up or end
    :param line: its first line, from 1
    :param time: as the log writes it
    """

    name: str
    line: int
    time: str | None


@dataclass(frozen=True)
class Provisioner:
    """Hold what one provisioner of Packer's, which is one customizer of ours, left in the log.

    :param index: from 0, in the order of the build
    :param kind: Packer's word: shell, powershell, file, windows-restart, windows-update
    :param started: as the log writes it
    :param ended: as the log writes it
    :param has_ended: whether its end is in the log; a failed one may have ended or not
    :param output: its own lines, without prefixes
    :param exit_code: the last one other than 0
    :param is_deprovision: whether it is AIB's own last step
    """

    index: int
    kind: str
    started: str | None = None
    ended: str | None = None
    has_ended: bool = False
    output: tuple[str, ...] = ()
    exit_code: int | None = None
    is_deprovision: bool = False


@dataclass(frozen=True)
class CustomizationLog:
    """Hold a customization log, read.

    :param phases: in the order in which they began
    :param provisioners: in the order of the build, AIB's own deprovision step included
    :param failed: the one in which the build ended badly, or that never ended
    :param errors: lines with which Packer ended the build badly, without the harmless ones
    :param tail: the last readable lines, without the harmless ones
    :param operation_id: what the service's message calls operation id
    :param is_complete: whether Packer came to its end
    """

    phases: tuple[LogPhase, ...] = ()
    provisioners: tuple[Provisioner, ...] = ()
    failed: Provisioner | None = None
    errors: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    operation_id: str | None = None
    is_complete: bool = False


def parse_customization_log(text: str) -> CustomizationLog:
    """Read a whole log, or what there is of it so far."""
    return read_log_lines(text.splitlines())


def read_log_lines(lines: Iterable[str]) -> CustomizationLog:
    """Read a log line by line."""
    reading = _Reading()
    for number, line in enumerate(lines, start=1):
        reading.take(number, parse_log_line(line))
    return reading.result()


@dataclass
class _Section:
    """Gather one provisioner's lines."""

    kind: str
    line: int
    started: str | None
    ended: str | None = None
    has_ended: bool = False
    output: list[str] = field(default_factory=list)
    # One entry per pattern of _EXIT_CODES: the first pattern that found something counts.
    exit_codes: list[int | None] = field(default_factory=lambda: [None] * len(_EXIT_CODES))
    mentions_deprovisioning: bool = False

    def take(self, line: LogLine) -> None:
        """Note what a line says about the provisioner."""
        if DEPROVISIONING_SCRIPT in line.text:
            self.mentions_deprovisioning = True
        for place, pattern in enumerate(_EXIT_CODES):
            if (match := pattern.search(line.text)) and int(match[1]) != 0:
                self.exit_codes[place] = int(match[1])

    def provisioner(self, index: int, *, is_last: bool) -> Provisioner:
        """Give what was gathered."""
        return Provisioner(
            index=index,
            kind=self.kind,
            started=self.started,
            ended=self.ended,
            has_ended=self.has_ended,
            output=tuple(self.output),
            exit_code=next((code for code in self.exit_codes if code is not None), None),
            is_deprovision=is_last and self.mentions_deprovisioning,
        )


class _Reading:
    """Follow a log from its first line."""

    def __init__(self) -> None:
        self._phases: list[LogPhase] = []
        self._sections: list[_Section] = []
        # Gets the lines; None before the first provisioner and after the last.
        self._open: _Section | None = None
        self._failed: int | None = None
        self._errors: list[str] = []
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._last_output: LogLine | None = None
        self._operation_id: str | None = None

    def take(self, number: int, line: LogLine) -> None:
        """Read the next line."""
        self._operation_id = self._operation_id or line.operation_id
        if line.starts:
            self._open = _Section(line.starts, number, line.time)
            self._sections.append(self._open)
        elif self._sections and line.ends == self._sections[-1].kind:
            section = self._sections[-1]
            section.ended, section.has_ended = line.time, True
        self._note_phase(number, line)
        self._note_fatal(line)
        if self._open is not None:
            # What Packer says after the end, as the exit code, still belongs to the provisioner.
            self._open.take(line)
        if line.is_output:
            self._note_output(line)

    def result(self) -> CustomizationLog:
        """Give what was read so far."""
        last = len(self._sections) - 1
        provisioners = tuple(
            section.provisioner(index, is_last=index == last) for index, section in enumerate(self._sections)
        )
        failed = self._failed
        if failed is None and provisioners and not provisioners[-1].has_ended:
            failed = last
        return CustomizationLog(
            phases=self._all_phases(has_deprovision=bool(provisioners) and provisioners[-1].is_deprovision),
            provisioners=provisioners,
            failed=provisioners[failed] if failed is not None else None,
            errors=tuple(self._errors),
            tail=tuple(self._tail),
            operation_id=self._operation_id,
            is_complete=self._has_reached("end"),
        )

    def _note_phase(self, number: int, line: LogLine) -> None:
        if line.source == "vm":
            # A script may print anything, Packer's own words too.
            return
        for name, signs in PHASE_SIGNS:
            if not self._has_reached(name) and any(sign in line.text for sign in signs):
                self._phases.append(LogPhase(name, number, line.time))
                if name in _AFTER_CUSTOMIZING:
                    self._open = None

    def _note_fatal(self, line: LogLine) -> None:
        if not _is_fatal(line):
            return
        self._errors.append(line.text)
        # Once the machine is captured, a failure is no provisioner's.
        if self._failed is None and self._sections and not self._has_reached("capture"):
            self._failed = len(self._sections) - 1

    def _note_output(self, line: LogLine) -> None:
        last, self._last_output = self._last_output, line
        # The newer form says each of Packer's messages twice, once with and once without time.
        if last is not None and last.text == line.text and last.is_logged != line.is_logged:
            return
        if self._open is not None and not _is_fatal(line):
            self._open.output.append(line.text)
        if not line.is_harmless:
            self._tail.append(line.text)

    def _has_reached(self, name: str) -> bool:
        return any(phase.name == name for phase in self._phases)

    def _all_phases(self, *, has_deprovision: bool) -> tuple[LogPhase, ...]:
        phases = list(self._phases)
        if has_deprovision:
            last = self._sections[-1]
            phases.append(LogPhase("deprovision", last.line, last.started))
        return tuple(sorted(phases, key=lambda phase: phase.line))


def _is_fatal(line: LogLine) -> bool:
    return line.source != "vm" and not line.is_harmless and any(sign in line.text for sign in FATAL_SIGNS)


_AFTER_CUSTOMIZING = frozenset({"capture", "clean-up", "end"})
