"""What one provisioner of Packer's, which is one customizer or validator of ours, left in the log."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.error_lines import is_consequence, is_error_line, is_network_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_aib.image_run.log_line import LogLine
    from airflow_aib.masking import Masker

DEPROVISIONING_SCRIPT = "DeprovisioningScript"

# Of however long an output: its last lines, its first errors and its last ones, each not longer than this.
KEPT_LINES = 30
KEPT_ERRORS = 5
LONGEST_KEPT = 1000
_LINES = ("output", "error_lines", "last_errors")

_EXIT_CODES = (
    re.compile(r"Script exited with non-zero exit status: (\d+)"),
    re.compile(r"Remote command exited with '(\d+)'"),
    re.compile(r"exited with code: (\d+)"),
    re.compile(r"Communicator ended with: (\d+)"),
)
# With these Packer says that the connection is lost: no program has ended so.
_NO_EXIT_CODES = frozenset({0, 2300218, 2300219})
_EXIT_WORDS = (" exit", "ended with")


def told_exit_code(lines: Iterable[str]) -> int | None:
    """Give the exit code that lines of Packer's tell; None where they tell of none."""
    codes = _ExitCodes()
    for line in lines:
        codes.take(line)
    return codes.code


class _ExitCodes:
    """Gather the exit codes that Packer tells, one for each pattern: the first pattern that found something counts."""

    def __init__(self) -> None:
        self._found: list[int | None] = [None] * len(_EXIT_CODES)

    def take(self, text: str) -> None:
        """Note what a line says; the last one other than 0 counts."""
        if not any(words in text for words in _EXIT_WORDS):
            return
        for place, pattern in enumerate(_EXIT_CODES):
            if (match := pattern.search(text)) and int(match[1]) not in _NO_EXIT_CODES:
                self._found[place] = int(match[1])

    @property
    def code(self) -> int | None:
        """The one that was found; None where there is none."""
        return next((code for code in self._found if code is not None), None)


def kept(lines: Iterable[str], masker: Masker) -> tuple[str, ...]:
    """Give lines without secrets, and then shortened: half a secret would not be known any more."""
    text = "\n".join(lines)
    return tuple(line[:LONGEST_KEPT] for line in masker.mask(text).split("\n")) if text else ()


@dataclass(frozen=True)
class Provisioner:
    """Hold what one provisioner left in the log.

    :param index: from 0, in the order of the build
    :param kind: Packer's word: shell, powershell, file, windows-restart, windows-update
    :param started: as the log writes it
    :param ended: as the log writes it
    :param has_ended: whether its end is in the log; a failed one may have ended or not
    :param output: its last own lines, without prefixes and harmless ones
    :param error_lines: the first of its lines that say that something went wrong
    :param last_errors: the last of them
    :param exit_code: the last one other than 0
    :param is_deprovision: whether it is AIB's own last step
    :param signs: which of the words that were looked for stand in its lines
    :param has_network_trouble: whether its last error, but for what follows from it, is about an address that could not
        be reached
    """

    index: int
    kind: str
    started: str | None = None
    ended: str | None = None
    has_ended: bool = False
    output: tuple[str, ...] = ()
    error_lines: tuple[str, ...] = ()
    last_errors: tuple[str, ...] = ()
    exit_code: int | None = None
    is_deprovision: bool = False
    signs: frozenset[str] = frozenset()
    has_network_trouble: bool = False

    def to_json(self, *, with_output: bool = True) -> dict[str, Any]:
        """Give it as JSON."""
        left_out = () if with_output else _LINES
        return {**asdict(self), "signs": sorted(self.signs), **{name: [] for name in left_out}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Provisioner:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        sequences = {name: tuple(known[name]) for name in _LINES}
        return cls(**known | sequences | {"signs": frozenset(known["signs"])})


@dataclass
class ProvisionerReading:
    """Gather one provisioner's lines.

    :param kind: Packer's word
    :param line: number of its first line
    :param started: as the log writes it
    :param ended: as the log writes it, once it has told so
    :param has_ended: whether another one, or the end of the build, has followed
    :param signs: which of the words that were looked for stand in its lines
    :param mentions_deprovisioning: whether it is the one that deprovisions the VM
    """

    kind: str
    line: int
    started: str | None
    ended: str | None = None
    has_ended: bool = False
    signs: set[str] = field(default_factory=set)
    mentions_deprovisioning: bool = False
    _output: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    _first_errors: list[str] = field(default_factory=list)
    _last_errors: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_ERRORS))
    _last_cause: str = ""
    _exit_codes: _ExitCodes = field(default_factory=_ExitCodes)

    def take(self, line: LogLine) -> None:
        """Note what a line says about the provisioner."""
        if DEPROVISIONING_SCRIPT in line.text:
            self.mentions_deprovisioning = True
        if line.source != "vm":
            self._exit_codes.take(line.text)

    def take_end(self, text: str) -> None:
        """Note what Packer says of it at the end of the build: mostly after the clean-up."""
        self._exit_codes.take(text)

    def take_output(self, text: str) -> None:
        """Note what it has written."""
        self._output.append(text)
        if is_error_line(text[:LONGEST_KEPT]):
            self._last_errors.append(text)
            if not is_consequence(text[:LONGEST_KEPT]):
                self._last_cause = text[:LONGEST_KEPT]
            if len(self._first_errors) < KEPT_ERRORS and text not in self._first_errors:
                self._first_errors.append(text)

    def provisioner(self, index: int, masker: Masker, *, is_last: bool) -> Provisioner:
        """Give what was gathered, without secrets."""
        return Provisioner(
            index=index,
            kind=self.kind,
            started=self.started,
            ended=self.ended,
            has_ended=self.has_ended,
            output=kept(self._output, masker),
            error_lines=kept(self._first_errors, masker),
            last_errors=kept(self._last_errors, masker),
            exit_code=self._exit_codes.code,
            is_deprovision=is_last and self.mentions_deprovisioning,
            signs=frozenset(self.signs),
            has_network_trouble=is_network_trouble(self._last_cause),
        )
