"""The course of a run, computed: image template and planned failure in, phases out, and which is on when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.courses import Outcome, PlannedFault, spoilt, steps_of

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.courses import Kind, Reason, Step

DEFAULT_BUILD_MINUTES = 240
SHORTEST_WORKING_MINUTES = 6
"""Shorter build times fail early, with a note on an expiring token in the log."""
CANCEL_SECONDS = 81.0
FOR_EVER = timedelta(days=365_000)
"""Longer than any emulator lives, and still an instant that there is."""

SUB_STATES: dict[str, str] = {
    "queue": "Queued",
    "customize": "Customizing",
    "optimize": "Optimizing",
    "validate": "Validating",
    "distribute": "Distributing",
}
RECORDED_SUB_STATES = {"Queued", "Distributing"}
"""Besides Building, which stands for the others: no recording shows them. Distributing is inferred."""


@dataclass(frozen=True)
class Phase:
    """Describe one stretch of a run.

    :param kind: what is done
    :param index: which customizer, validator or distributor
    :param start: when it begins
    :param end: when it is done, or breaks off
    :param seconds: how long it takes when nothing comes between
    :param fails: whether it ends badly
    :param hangs: whether it would never end by itself
    """

    kind: Kind
    index: int
    start: datetime
    end: datetime
    seconds: float
    fails: bool = False
    hangs: bool = False


@dataclass(frozen=True)
class Timeline:
    """Describe a whole run.

    :param phases: one after the other, without gaps
    :param run_state: how it ends
    :param reason: why it ends badly
    :param is_planned: whether that was planned
    """

    phases: tuple[Phase, ...]
    run_state: str = "Succeeded"
    reason: Reason = ""
    is_planned: bool = False

    @property
    def start(self) -> datetime:
        """When the run was accepted."""
        return self.phases[0].start

    @property
    def end(self) -> datetime:
        """When the run is over."""
        return self.phases[-1].end

    def phase_at(self, instant: datetime) -> Phase:
        """Return the phase that is on; the first one before the start, the last one after the end."""
        for phase in self.phases:
            if instant < phase.end:
                return phase
        return self.phases[-1]


@dataclass(frozen=True)
class RunLook:
    """Say what a run looks like at an instant.

    :param run_state: the public word
    :param run_sub_state: the public word, while it is running
    """

    run_state: str
    run_sub_state: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.run_state not in {"Running", "Canceling"}


def plan_run(properties: dict[str, Any], start: datetime, fault: PlannedFault | None = None) -> Timeline:
    """Lay out the run of an image template that starts at `start`.

    :param properties: of the image template, as it keeps them
    """
    steps = steps_of(properties)
    outcome = Outcome(steps) if fault is None else spoilt(steps, fault, properties)
    phases = _laid_out(outcome.steps, start)
    minutes = properties.get("buildTimeoutInMinutes") or DEFAULT_BUILD_MINUTES
    if minutes < SHORTEST_WORKING_MINUTES:
        return _too_short(phases)
    timeline = Timeline(phases, outcome.run_state, outcome.reason, is_planned=bool(outcome.reason))
    timeline = _cut_at_deadline(timeline, start + timedelta(minutes=minutes))
    if fault is not None and fault.kind == "staging_deleted":
        return _without_staging(timeline, fault.seconds)
    return timeline


def look(timeline: Timeline, instant: datetime, *, all_sub_states: bool = False) -> RunLook:
    """Return what the run looks like at `instant`."""
    if instant >= timeline.end:
        return RunLook(timeline.run_state)
    phase = timeline.phase_at(instant)
    if phase.kind == "cancel":
        return RunLook("Canceling")
    sub_state = _sub_state(timeline, phase)
    if not all_sub_states and sub_state not in RECORDED_SUB_STATES:
        sub_state = "Building"
    return RunLook("Running", sub_state)


def _sub_state(timeline: Timeline, phase: Phase) -> str:
    """Return the sub-state of a phase; what has no word of its own belongs to what was before, once building."""
    begun = timeline.phases[: timeline.phases.index(phase) + 1]
    latest = [SUB_STATES[one.kind] for one in begun if one.kind in SUB_STATES][-1]
    return "Building" if latest == "Queued" and phase.kind != "queue" else latest


def cancelled(timeline: Timeline, at: datetime, seconds: float = CANCEL_SECONDS) -> Timeline:
    """Return the run as it goes on once it is cancelled at `at`.

    :param seconds: how long it winds up
    """
    begun = [phase for phase in timeline.phases if phase.start <= at]
    kept = [replace(phase, end=min(phase.end, at)) for phase in begun]
    winding_up = Phase("cancel", 0, at, at + timedelta(seconds=seconds), CANCEL_SECONDS)
    return Timeline((*kept, winding_up), "Canceled", "cancel")


def broken_off(timeline: Timeline, at: datetime) -> Timeline:
    """Return the run as the service ends it when it fails itself."""
    begun = [phase for phase in timeline.phases if phase.start <= at]
    kept = [replace(phase, end=min(phase.end, at)) for phase in begun]
    return Timeline(tuple(kept), "Failed", "internal")


def _laid_out(steps: list[Step], start: datetime) -> tuple[Phase, ...]:
    phases = []
    for step in steps:
        end = start + timedelta(seconds=step.seconds)
        phases.append(Phase(step.kind, step.index, start, end, step.seconds, step.fails, step.hangs))
        start = end
    return tuple(phases)


def _too_short(phases: tuple[Phase, ...]) -> Timeline:
    kept = [phase for phase in phases if phase.kind in {"queue", "deploy"}]
    return Timeline((*kept[:-1], replace(kept[-1], fails=True)), "Failed", "packer")


def _cut_at_deadline(timeline: Timeline, deadline: datetime) -> Timeline:
    hangs = timeline.phases[-1].hangs
    if not hangs and timeline.end <= deadline:
        return timeline
    begun = [phase for phase in timeline.phases if phase.start < deadline]
    kept = [replace(phase, end=min(phase.end, deadline)) for phase in begun]
    if hangs and len(begun) == len(timeline.phases):
        kept[-1] = replace(kept[-1], end=deadline)
    kept[-1] = replace(kept[-1], fails=True)
    return Timeline(tuple(kept), "Failed", "timeout", is_planned=hangs and len(begun) == len(timeline.phases))


def _without_staging(timeline: Timeline, seconds: float | None) -> Timeline:
    """Return the run as it breaks off when its staging group is deleted."""
    at = _midst_of_customizing(timeline) if seconds is None else timeline.start + timedelta(seconds=seconds)
    if at >= timeline.end:
        return timeline
    begun = [phase for phase in timeline.phases if phase.start <= at]
    kept = [replace(phase, end=min(phase.end, at)) for phase in begun]
    kept[-1] = replace(kept[-1], fails=True)
    return Timeline(tuple(kept), "Failed", "staging", is_planned=True)


def _midst_of_customizing(timeline: Timeline) -> datetime:
    phases = [phase for phase in timeline.phases if phase.kind in {"customize", "deprovision"}] or [timeline.phases[-1]]
    return phases[0].start + (phases[0].end - phases[0].start) / 2
