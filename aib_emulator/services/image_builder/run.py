"""One run of an image template: its timeline, the effects still to come, and what it shows meanwhile."""

from __future__ import annotations

import uuid
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.time_format import NEVER, nanoseconds_text
from aib_emulator.services.image_builder import timeline as course
from aib_emulator.services.image_builder.messages import LogPlace, failure_of
from aib_emulator.services.image_builder.words import USUAL, Words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.image_builder.courses import PlannedFault
    from aib_emulator.services.image_builder.resources import ImageTemplate

OPERATION_ENDS_LATER = timedelta(seconds=1.476)
"""Measured: the image template already reads Succeeded while the operation still says InProgress."""
USUAL_OUTCOMES: Mapping[str, str] = MappingProxyType({"Canceled": "Canceled"})
JUST_BEFORE = timedelta(microseconds=1)
RECORDED = (
    "timeline",
    "operation",
    "fault",
    "words",
    "log_folder",
    "log_prefix",
    "run_outputs",
    "distribute",
    "begun",
)


def _nobody() -> None:
    """Stand for nobody who wants to be told."""


@dataclass(frozen=True)
class Effect:
    """Describe something that a run leaves at an instant.

    :param at: when it has to be there
    :param what: for people
    :param perform: makes it
    """

    at: datetime
    what: str
    perform: Callable[[], Awaitable[None]] = field(compare=False)


class ImageRun:
    """Follow one run; a Process of the schedule.

    A state is shown only once every effect up to it has been carried out.

    :param image_template: what is built
    :param timeline: how it is going to go
    :param operation: what pollers ask about
    :param when_over: told once it is over
    :param when_changed: told after each effect
    :param fault: what was planned to go wrong
    :param words: what it says when it goes wrong
    :param all_sub_states: whether to show sub-states that no recording shows
    :param log_url: address of the container of its logs
    :param outcomes: how its operation ends, by how it ends itself; else it is `Failed` unless all went well
    """

    def __init__(
        self,
        image_template: ImageTemplate,
        timeline: course.Timeline,
        operation: Operation,
        *,
        when_over: Callable[[], None] = _nobody,
        when_changed: Callable[[], None] = _nobody,
        fault: PlannedFault | None = None,
        words: Words = USUAL,
        all_sub_states: bool = False,
        outcomes: Mapping[str, str] = USUAL_OUTCOMES,
        log_url: str = "",
    ) -> None:
        self.image_template = image_template
        self.timeline = timeline
        self.operation = operation
        self._when_over = when_over
        self._when_changed = when_changed
        self.distribute: list[dict[str, Any]] = image_template.properties["distribute"]
        self.fault = fault
        self.words = words
        self.log_folder = str(uuid.uuid4())
        self.log_prefix = str(uuid.uuid4())
        self.lines_written: Counter[str] = Counter()
        self.run_outputs: dict[str, dict[str, Any]] = {}
        self.begun: dict[str, dict[str, str]] = {}
        self._all_sub_states = all_sub_states
        self._outcomes = outcomes
        self._log_url = log_url
        self._pending: deque[Effect] = deque()
        self._performing: Effect | None = None
        self._reached = self._seen_at_least = timeline.start

    def __repr__(self) -> str:
        return f"the run of {self.image_template.image_template_id}"

    @property
    def image_template_path(self) -> str:
        """Resource id of what is built."""
        return self.image_template.image_template_id.write()

    @property
    def is_ended(self) -> bool:
        """Whether its end has been told; something may still come too late."""
        return self.operation.ended is not None

    def record(self) -> dict[str, Any]:
        """Return what a later emulator needs to go on with it; the logs say themselves how far they are."""
        kept = {name: getattr(self, name) for name in RECORDED}
        options = {"outcomes": self._outcomes, "all_sub_states": self._all_sub_states, "log_url": self._log_url}
        return {**kept, "options": options}

    @classmethod
    def from_record(cls, image_template: ImageTemplate, record: dict[str, Any]) -> ImageRun:
        """Return the run that was recorded; its remaining effects are to be expected yet."""
        parts = {name: record[name] for name in ("timeline", "operation", "fault", "words")}
        made = cls(image_template, **parts, **record["options"])
        for name in ("log_folder", "log_prefix", "run_outputs", "distribute"):
            setattr(made, name, record[name])
        made.begun = record.get("begun", {})  # absent in journals of before
        if made.timeline.reason == "cancel":
            made._seen_at_least = made.timeline.phases[-1].start  # Canceling shows at once
        return made

    def tell(self, when_over: Callable[[], None], when_changed: Callable[[], None]) -> None:
        """Tell these from now on."""
        self._when_over, self._when_changed = when_over, when_changed

    def expect(self, effects: Iterable[Effect]) -> None:
        """Carry out these effects, in the order of their instants, and end in their midst; some may come later."""
        whole = [*effects, Effect(self.timeline.end, "the end", self._finish)]
        self._pending = deque(sorted(whole, key=lambda effect: effect.at))

    def next_due(self) -> datetime | None:
        """Return when its next effect is due; None when it is over."""
        return self._pending[0].at if self._pending else None

    async def perform_next(self) -> None:
        """Carry out the next effect; the end is told when it has come, though something may still come too late."""
        was_over = self.operation.ended is not None
        effect = self._performing = self._pending.popleft()
        self._reached = effect.at
        try:
            await effect.perform()
        finally:
            self._performing = None
        self._when_changed()
        if not was_over and self.operation.ended is not None:
            self._when_over()

    def break_off(self, error: Exception) -> None:
        """End as the service does when it fails itself."""
        del error
        self._pending.clear()
        if self.operation.ended is not None:  # what came too late failed: the end has been told
            return
        self.timeline = course.broken_off(self.timeline, self._reached)
        self._end_operation()
        self._when_changed()
        self._when_over()

    def cancel(self, now: datetime, seconds: float = course.CANCEL_SECONDS) -> None:
        """Stop building; what was to come is replaced by winding up, which takes `seconds`."""
        self.timeline = course.cancelled(self.timeline, now, seconds)
        self._pending.clear()
        # Canceling shows at once, whether or not the log has its line yet.
        self._seen_at_least = now

    def look(self, now: datetime) -> course.RunLook:
        """Return what it looks like."""
        return course.look(self.timeline, self._seen_until(now), all_sub_states=self._all_sub_states)

    def last_run_status(self, now: datetime) -> dict[str, Any]:
        """Return what the image template says about it."""
        look = self.look(now)
        status = {
            "startTime": nanoseconds_text(self.timeline.start),
            "endTime": nanoseconds_text(self.timeline.end) if look.is_over else NEVER,
            "runState": look.run_state,
        }
        if look.run_sub_state is not None:
            status["runSubState"] = look.run_sub_state
        return {**status, "message": self._message(look)}

    def _message(self, look: course.RunLook) -> str:
        if look.run_state == "Canceling":
            return "Canceling image build"
        return self._failure()["message"] if look.is_over and self.timeline.reason else ""

    def _failure(self) -> dict[str, str]:
        log_place = LogPlace(self._log_url, self.log_folder, self.log_prefix)
        return failure_of(self.image_template, self.timeline, self.words, log_place)

    def _seen_until(self, now: datetime) -> datetime:
        undone = self._performing or (self._pending[0] if self._pending else None)
        return now if undone is None or undone.at > now else max(undone.at - JUST_BEFORE, self._seen_at_least)

    async def _finish(self) -> None:
        self._end_operation()

    def _end_operation(self) -> None:
        at = self.timeline.end + OPERATION_ENDS_LATER
        if not self.timeline.reason:
            self.operation.end(at)
            return
        outcome = self._outcomes.get(self.timeline.run_state, "Failed")
        self.operation.end(at, outcome, None if outcome == "Succeeded" else self._failure())
