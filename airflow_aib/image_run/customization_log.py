"""AIB's customization log, which is Packer's, read into phases, provisioners and the one that failed.

Both forms are read: that of 2019 to 2023 with `PACKER OUT` and `PACKER ERR`, and the newer with `PACKER <time> ui:`.
The last provisioner of a whole build is AIB's own deprovision step: there is one more than there are customizers. A log
of any length is read line by line, in bounded memory. A validation log has the same form.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.log_line import LogLine, parse_log_line
from airflow_aib.image_run.provisioner import Provisioner, ProvisionerReading, kept
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TAIL_LINES = 20
KEPT_FATAL_LINES = 10

# Words by which a phase of the build is known to have begun, in the order of the build.
PHASE_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "deploy",
        (
            "Failed to prepare build",
            "Deploying deployment template",
            "Running builder",
            "Validating deployment template",
        ),
    ),
    ("connect", ("Waiting for SSH", "Waiting for WinRM", "Using SSH communicator", "Using WinRM communicator")),
    ("customize", ("(telemetry) Starting provisioner",)),
    ("capture", ("Powering off machine", "Capturing image", "Taking snapshot", "Skipping image creation")),
    ("clean-up", ("Deleting individual resources", "Cleanup requested", "deleting individual resources")),
    ("end", ("(telemetry) Finalizing", "Done exporting Packer logs")),
)

# Words with which Packer obeys somebody who ends the build from outside: a person, or the service at its timeout.
INTERRUPTION_SIGNS = ("Cancelling builder after context cancellation", "Cancelling build after receiving")

# Words that end a build.
FATAL_SIGNS = (
    "ERROR: -> ",
    "Error: Failed to prepare build",
    "Provisioning step had errors",
    "Script exited with non-zero exit status",
    "Build 'azure-arm' errored",
    "Some builds didn't complete successfully",
)
GOOD_END = "Build 'azure-arm' finished"


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
class CustomizationLog:
    """Hold a customization log, read.

    :param phases: in the order in which they began
    :param provisioners: in the order of the build, AIB's own deprovision step included
    :param failed: the one in which the build ended badly, or that never ended
    :param errors: the first lines with which Packer ended the build badly, without the harmless ones
    :param tail: the last readable lines, without the harmless ones
    :param operation_id: what the service's message calls operation id
    :param is_complete: whether Packer came to its end
    :param has_finished: whether Packer says that the build went well
    :param interrupted_in: the phase in which somebody ended the build from outside
    :param signs_before: which of the words that were looked for stand before the first provisioner
    :param signs_after: and which after the last
    """

    phases: tuple[LogPhase, ...] = ()
    provisioners: tuple[Provisioner, ...] = ()
    failed: Provisioner | None = None
    errors: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    operation_id: str | None = None
    is_complete: bool = False
    has_finished: bool = False
    interrupted_in: str | None = None
    signs_before: frozenset[str] = frozenset()
    signs_after: frozenset[str] = frozenset()

    @property
    def last_phase(self) -> str | None:
        """The phase in which the build was when the log ended, or when it was ended from outside."""
        return self.interrupted_in or (self.phases[-1].name if self.phases else None)

    @property
    def lacks_beginning(self) -> bool:
        """Whether it is the end of a log only, so that its provisioners cannot be counted."""
        return not any(phase.name in _BEFORE_CUSTOMIZING for phase in self.phases)

    def to_json(self) -> dict[str, Any]:
        """Give the log as JSON, small enough for an event: the output of steps that went well is left out."""
        return {
            **asdict(self),
            "provisioners": [step.to_json(with_output=step == self.failed) for step in self.provisioners],
            "failed": self.failed.index if self.failed is not None else None,
            "signs_before": sorted(self.signs_before),
            "signs_after": sorted(self.signs_after),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CustomizationLog:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        provisioners = tuple(Provisioner.from_json(step) for step in value["provisioners"])
        failed = value.get("failed")
        return cls(
            **known
            | {
                "phases": tuple(LogPhase(**phase) for phase in value["phases"]),
                "provisioners": provisioners,
                "failed": provisioners[failed] if failed is not None else None,
                "errors": tuple(value["errors"]),
                "tail": tuple(value["tail"]),
                "signs_before": frozenset(value["signs_before"]),
                "signs_after": frozenset(value["signs_after"]),
            }
        )


def parse_customization_log(text: str, signs: Sequence[str] = ()) -> CustomizationLog:
    """Read a whole log, or what there is of it so far."""
    return read_log_lines(text.splitlines(), signs)


def read_log_lines(lines: Iterable[str], signs: Sequence[str] = ()) -> CustomizationLog:
    """Read a log line by line.

    :param lines: without their ends
    :param signs: words to look for
    """
    reading = LogReading(signs)
    reading.take(lines)
    return reading.result()


class LogReading:
    """Follow a log from its first line, however long it is.

    :param signs: words to look for; the result says where they stand
    """

    def __init__(self, signs: Sequence[str] = ()) -> None:
        self._wanted = tuple(signs)
        self._before: set[str] = set()
        self._after: set[str] = set()
        self._count = 0
        self._phases: list[LogPhase] = []
        self._not_reached = list(PHASE_SIGNS)
        self._sections: list[ProvisionerReading] = []
        # Gets the lines; None before the first provisioner and after the last.
        self._open: ProvisionerReading | None = None
        self._failed: int | None = None
        self._errors: list[str] = []
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        # Of what is no such log at all, the end can be shown as well.
        self._plain_tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._last_output: LogLine | None = None
        self._operation_id: str | None = None
        self._has_finished = False
        self._interrupted_in: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether Packer came to its end."""
        return self._has_reached("end")

    def take(self, lines: Iterable[str]) -> None:
        """Read the next lines."""
        for line in lines:
            self._count += 1
            self._take(self._count, parse_log_line(line))

    def _take(self, number: int, line: LogLine) -> None:
        self._operation_id = self._operation_id or line.operation_id
        if line.starts:
            self._open = ProvisionerReading(line.starts, number, line.time)
            self._sections.append(self._open)
        elif line.ends and self._sections and line.ends == self._sections[-1].kind:
            section = self._sections[-1]
            section.ended, section.has_ended = line.time, True
        if line.source != "vm":
            # A script may print anything, Packer's own words too.
            self._note_interruption(line)
            self._note_phase(number, line)
            self._note_end(line)
        self._note_signs(line)
        if self._open is not None:
            # What Packer says after the end, as the exit code, still belongs to the provisioner.
            self._open.take(line)
        if line.is_output:
            self._note_output(line)
        elif line.source == "plain" and line.text.strip():
            self._plain_tail.append(line.text)

    def result(self, masker: Masker | None = None) -> CustomizationLog:
        """Give what was read so far.

        :param masker: takes secrets out of it; without it, only what looks like one is taken out
        """
        masker = masker or Masker()
        last = len(self._sections) - 1
        provisioners = tuple(
            section.provisioner(index, masker, is_last=index == last) for index, section in enumerate(self._sections)
        )
        failed = self._failed
        if failed is None and provisioners and not provisioners[-1].has_ended:
            failed = last
        return CustomizationLog(
            phases=self._all_phases(has_deprovision=bool(provisioners) and provisioners[-1].is_deprovision),
            provisioners=provisioners,
            failed=provisioners[failed] if failed is not None else None,
            errors=kept(self._errors, masker),
            tail=kept(self._tail or self._plain_tail, masker),
            operation_id=self._operation_id,
            is_complete=self.is_complete,
            has_finished=self._has_finished and not self._errors,
            interrupted_in=self._interrupted_in,
            signs_before=frozenset(self._before),
            signs_after=frozenset(self._after),
        )

    def _note_interruption(self, line: LogLine) -> None:
        if self._interrupted_in is not None or not any(sign in line.text for sign in INTERRUPTION_SIGNS):
            return
        self._interrupted_in = self._phases[-1].name if self._phases else "deploy"
        if self._failed is None and self._sections and not self._sections[-1].has_ended:
            self._failed = len(self._sections) - 1

    def _note_phase(self, number: int, line: LogLine) -> None:
        for phase in self._not_reached:
            name, signs = phase
            if any(sign in line.text for sign in signs):
                self._not_reached = [other for other in self._not_reached if other is not phase]
                self._phases.append(LogPhase(name, number, line.time))
                if name in _AFTER_CUSTOMIZING:
                    self._open = None

    def _note_end(self, line: LogLine) -> None:
        if GOOD_END in line.text:
            self._has_finished = True
        if not _is_fatal(line):
            return
        if len(self._errors) < KEPT_FATAL_LINES and line.text not in self._errors:
            self._errors.append(line.text)
        # Once the machine is captured, a failure is no provisioner's.
        if self._failed is None and self._sections and not self._has_reached("capture"):
            self._failed = len(self._sections) - 1
        if self._failed is not None:
            self._sections[self._failed].take_end(line.text)

    def _note_signs(self, line: LogLine) -> None:
        outside = self._after if self._sections else self._before
        signs = outside if self._open is None else self._open.signs
        signs.update(sign for sign in self._wanted if sign in line.text)

    def _note_output(self, line: LogLine) -> None:
        last, self._last_output = self._last_output, line
        # The newer form says each of Packer's messages twice, once with and once without time.
        if last is not None and last.text == line.text and last.is_logged != line.is_logged:
            return
        if line.is_harmless:
            return
        if self._open is not None and not _is_fatal(line):
            self._open.take_output(line.text)
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
    return line.source != "vm" and any(sign in line.text for sign in FATAL_SIGNS) and not line.is_harmless


_BEFORE_CUSTOMIZING = frozenset({"deploy", "connect"})
_AFTER_CUSTOMIZING = frozenset({"capture", "clean-up", "end"})
