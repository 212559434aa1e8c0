"""What went wrong, as one object: for programs as JSON, for people as a few lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LINES = 9
_EXCERPT_LINES = 3
_LONGEST_LINE = 200
_LONGEST_MESSAGE = 400
_MINUTE = 60

_HEADS = {
    "no-failure": "No failure is to be seen",
    "canceled": "The run was cancelled",
    "canceling": "The run is being cancelled",
    "still-running": "The run has not ended",
    "log-unfinished": "The build has not ended",
    "interrupted": "The build was interrupted",
    "execution-timeout": "The task's time was over",
}
_HEADS_BY_PLACE = {
    "run": "The run failed",
    "creation": "The creation failed",
    "call": "Azure did not do what it was asked for",
}


@dataclass(frozen=True)
class BuildStep:
    """Name a customizer or validator.

    :param index: from 0 in the image template's list
    :param name: where it has one, and the image template is known
    :param type: its type
    :param count: how long the list is; None where that is not known
    """

    index: int
    name: str | None = None
    type: str | None = None
    count: int | None = None

    def __str__(self) -> str:
        """Name it for people."""
        of = f" of {self.count}" if self.count is not None else ""
        name = f", {self.name!r}" if self.name else ""
        return f"{self.index + 1}{of}{name}" + (f" ({self.type})" if self.type else "")


@dataclass(frozen=True)
class Diagnosis:
    """Say what went wrong.

    :param failure_class: stable name, as `customizer-failed`; `unknown` where nothing is recognised
    :param meaning: what that is, in a few words
    :param place: where it showed: `run`, `creation`, `call`, or `log` where no more was looked at
    :param step: create, deploy, connect, customize, deprovision, capture, clean-up, validate, distribute or replicate
    :param customizer: the customizer that failed or hung
    :param validator: the validator that did
    :param exit_code: the code with which its command ended
    :param error_lines: the first lines that say that something went wrong, without harmless ones
    :param output_tail: its last output lines, or the log's
    :param service_code: the service's error code
    :param service_message: the service's own words
    :param log_location: where the full log is
    :param remedy: what a person can do
    :param documentation: where Microsoft tells more
    :param may_retry: whether the same again can succeed without anybody changing anything; None where nobody can know
    :param retry_after: seconds to wait before
    """

    failure_class: str
    meaning: str = ""
    place: str = "run"
    step: str | None = None
    customizer: BuildStep | None = None
    validator: BuildStep | None = None
    exit_code: int | None = None
    error_lines: tuple[str, ...] = ()
    output_tail: tuple[str, ...] = ()
    service_code: str | None = None
    service_message: str = ""
    log_location: str | None = None
    remedy: str = ""
    documentation: str | None = None
    may_retry: bool | None = None
    retry_after: int | None = None

    @property
    def is_failure(self) -> bool:
        """Whether anything went wrong."""
        return self.failure_class != "no-failure"

    def to_json(self) -> dict[str, Any]:
        """Give the diagnosis as JSON."""
        return asdict(self) | {"error_lines": list(self.error_lines), "output_tail": list(self.output_tail)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Diagnosis:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        for name in ("error_lines", "output_tail"):
            known[name] = tuple(value.get(name) or ())
        for name in ("customizer", "validator"):
            known[name] = _read_build_step(value.get(name))
        return cls(**known)

    def lines(self) -> list[str]:
        """Give at most nine readable lines, for the end of a task log."""
        after = [line for line in (self._service(), self._full_log(), *self._advice()) if line]
        return [self._headline(), *self._excerpt(LINES - 1 - len(after)), *after]

    def _headline(self) -> str:
        if self.failure_class == "unknown" and self.place == "log":
            return "Nothing of this log is recognised: unknown"
        head = _HEADS.get(self.failure_class) or _HEADS_BY_PLACE.get(self.place, "The build failed")
        where = f", in customizer {self.customizer}" if self.customizer else ""
        where = f", in validator {self.validator}" if self.validator else where
        if not where and self.step:
            where = f", in step {self.step}"
        code = f", exit code {self.exit_code}" if self.exit_code is not None else ""
        return f"{head}: {self.failure_class}{where}{code}"

    def _excerpt(self, most: int) -> list[str]:
        """Show the first errors and the last line; the end of the log where no line looks like an error."""
        if not self.is_failure:
            return []
        shown = list(self.error_lines[:_EXCERPT_LINES])
        if shown and len(shown) < most - 1:
            shown += [line for line in self.output_tail[-1:] if line not in shown]
        title = "Errors in the log:" if shown else "End of the log:"
        shown = shown or list(self.output_tail[-(most - 1) :])
        return [title, *(f"  {_shortened(line, _LONGEST_LINE)}" for line in shown)] if shown else []

    def _service(self) -> str:
        words = f"{self.service_code}: {self.service_message}" if self.service_code else self.service_message
        return f"Service: {_shortened(words, _LONGEST_MESSAGE)}" if words else ""

    def _full_log(self) -> str:
        if self.log_location:
            return f"Full log: {self.log_location}"
        return "Full log: the service names none" if self.place == "run" and self.is_failure else ""

    def _advice(self) -> list[str]:
        if not self.is_failure:
            return []
        return [f"What to do: {self.remedy} {self._again()}".strip(), f"See {self.documentation}"][
            : 2 if self.documentation else 1
        ]

    def _again(self) -> str:
        if self.may_retry is None:
            return ""
        if not self.may_retry:
            return "Trying again unchanged will not help."
        after = self.retry_after or 0
        return f"Trying again may help, in {after // _MINUTE} minutes." if after else "Trying again may help."


def _read_build_step(value: Any) -> BuildStep | None:
    if not value:
        return None
    return BuildStep(**{name: value[name] for name in BuildStep.__dataclass_fields__ if name in value})


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
