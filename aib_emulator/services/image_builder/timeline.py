"""The course of a run, computed: image template and planned failure in, phases out, and which is on when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

DEFAULT_BUILD_MINUTES = 240
SHORTEST_WORKING_MINUTES = 6
"""Shorter build times fail early, with a note on an expiring token in the log."""
CANCEL_SECONDS = 81.0

SECONDS = {
    "queue": 25.0,
    "deploy": 150.0,
    "connect": 20.0,
    "Shell": 30.0,
    "PowerShell": 40.0,
    "File": 8.0,
    "WindowsRestart": 75.0,
    "WindowsUpdate": 300.0,
    "optimize": 60.0,
    "deprovision": 20.0,
    "capture": 60.0,
    "clean_up": 64.0,
    "validate": 15.0,
    "ManagedImage": 60.0,
    "SharedImage": 60.0,
    "VHD": 60.0,
}
"""How long each phase takes: one script and one managed image add up to the 429 seconds that were measured."""
SECONDS_PER_EXTRA_REGION = 60.0

Kind = Literal[
    "queue",
    "deploy",
    "connect",
    "customize",
    "optimize",
    "deprovision",
    "capture",
    "clean_up",
    "validate",
    "distribute",
    "cancel",
]
SUB_STATES: dict[str, str] = {
    "queue": "Queued",
    "customize": "Customizing",
    "optimize": "Optimizing",
    "validate": "Validating",
    "distribute": "Distributing",
}
RECORDED_SUB_STATES = {"Queued", "Distributing"}
"""Besides Building, which stands for the others: no recording shows them. Distributing is inferred."""
FAILING_KINDS: dict[str, Kind] = {
    "customizer": "customize",
    "validator": "validate",
    "hang": "customize",
    "partial": "distribute",
    "denied": "queue",
}
Reason = Literal["", "packer", "timeout", "distribute", "denied", "internal", "cancel"]
ENDING_AT_ONCE: dict[str, Reason] = {"hang": "timeout", "denied": "denied"}
"""What nothing comes after, and the reason that it gives."""


@dataclass(frozen=True)
class PlannedFault:
    """Plan what goes wrong in a run.

    :param kind: `customizer`, `validator`, `hang`, `partial` or `denied`
    :param index: which customizer, validator or distributor, from 0
    :param also: which further distributors
    """

    kind: str
    index: int = 0
    also: tuple[int, ...] = ()


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
    """

    phases: tuple[Phase, ...]
    run_state: str = "Succeeded"
    reason: Reason = ""

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
    steps = _steps(properties)
    run_state: str = "Succeeded"
    reason: Reason = ""
    if fault is not None:
        steps, run_state, reason = _spoilt(steps, fault, properties)
    phases = _laid_out(steps, start)
    minutes = properties.get("buildTimeoutInMinutes") or DEFAULT_BUILD_MINUTES
    if minutes < SHORTEST_WORKING_MINUTES:
        return _too_short(phases)
    timeline = Timeline(phases, run_state, reason)
    return _cut_at_deadline(timeline, start + timedelta(minutes=minutes))


def look(timeline: Timeline, instant: datetime, *, all_sub_states: bool = False) -> RunLook:
    """Return what the run looks like at `instant`."""
    if instant >= timeline.end:
        return RunLook(timeline.run_state)
    phase = timeline.phase_at(instant)
    if phase.kind == "cancel":
        return RunLook("Canceling")
    sub_state = SUB_STATES.get(phase.kind, "Building")
    if not all_sub_states and sub_state not in RECORDED_SUB_STATES:
        sub_state = "Building"
    return RunLook("Running", sub_state)


def cancelled(timeline: Timeline, at: datetime) -> Timeline:
    """Return the run as it goes on once it is cancelled at `at`."""
    begun = [phase for phase in timeline.phases if phase.start <= at]
    kept = [replace(phase, end=min(phase.end, at)) for phase in begun]
    winding_up = Phase("cancel", 0, at, at + timedelta(seconds=CANCEL_SECONDS), CANCEL_SECONDS)
    return Timeline((*kept, winding_up), "Canceled", "cancel")


def broken_off(timeline: Timeline, at: datetime) -> Timeline:
    """Return the run as the service ends it when it fails itself."""
    begun = [phase for phase in timeline.phases if phase.start <= at]
    kept = [replace(phase, end=min(phase.end, at)) for phase in begun]
    return Timeline(tuple(kept), "Failed", "internal")


@dataclass(frozen=True)
class _Step:
    kind: Kind
    index: int
    seconds: float
    fails: bool = False
    hangs: bool = False


def _steps(properties: dict[str, Any]) -> list[_Step]:
    validate = properties.get("validate") or {}
    validators = [
        _Step("validate", index, SECONDS["validate"]) for index in range(len(validate.get("inVMValidations") or []))
    ]
    distribute = [
        _Step("distribute", index, SECONDS[distributor["type"]] + _extra_regions(distributor))
        for index, distributor in enumerate(properties["distribute"])
    ]
    before = [_plain("queue"), _plain("deploy"), _plain("connect")]
    if validate.get("sourceValidationOnly"):
        return [*before, _plain("clean_up"), *validators, *distribute]
    customize = [
        _Step("customize", index, SECONDS[customizer["type"]])
        for index, customizer in enumerate(properties.get("customize") or [])
    ]
    boot = ((properties.get("optimize") or {}).get("vmBoot") or {}).get("state") == "Enabled"
    optimize = [_plain("optimize")] if boot else []
    after = [_plain("deprovision"), _plain("capture"), _plain("clean_up")]
    return [*before, *customize, *optimize, *after, *validators, *distribute]


def _plain(kind: Kind) -> _Step:
    return _Step(kind, 0, SECONDS[kind])


def _extra_regions(distributor: dict[str, Any]) -> float:
    regions = distributor.get("targetRegions") or distributor.get("replicationRegions") or []
    return SECONDS_PER_EXTRA_REGION * max(0, len(regions) - 1)


def _spoilt(steps: list[_Step], fault: PlannedFault, properties: dict[str, Any]) -> tuple[list[_Step], str, Reason]:
    kind = FAILING_KINDS[fault.kind]
    at = next((at for at, step in enumerate(steps) if step.kind == kind and step.index == fault.index), None)
    if at is None:
        return steps, "Succeeded", ""
    before, failing, rest = steps[:at], replace(steps[at], fails=True), steps[at + 1 :]
    if fault.kind in ENDING_AT_ONCE:
        return [*before, replace(failing, hangs=fault.kind == "hang")], "Failed", ENDING_AT_ONCE[fault.kind]
    if fault.kind == "partial":
        return _without_distributors(steps, {fault.index, *fault.also})
    if fault.kind == "customizer":
        return [*before, failing, _plain("clean_up")], "Failed", "packer"
    if (properties.get("validate") or {}).get("continueDistributeOnFailure"):
        return [*before, failing, *rest], "PartiallySucceeded", "packer"
    return [*before, failing], "Failed", "packer"


def _without_distributors(steps: list[_Step], indexes: set[int]) -> tuple[list[_Step], str, Reason]:
    spoilt = [replace(step, fails=step.kind == "distribute" and step.index in indexes) for step in steps]
    is_any_left = any(step.kind == "distribute" and not step.fails for step in spoilt)
    return spoilt, "PartiallySucceeded" if is_any_left else "Failed", "distribute"


def _laid_out(steps: list[_Step], start: datetime) -> tuple[Phase, ...]:
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
    return Timeline(tuple(kept), "Failed", "timeout")
