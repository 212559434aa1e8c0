"""The steps of a run, and what a planned fault makes of them: the table of courses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from aib_emulator.services.image_builder.target_regions import target_regions

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
Reason = Literal["", "packer", "timeout", "distribute", "staging", "refused", "internal", "cancel"]
"""Why a run ends badly; `refused` is a build that never begins."""


@dataclass(frozen=True)
class Course:
    """Say how a planned fault lets a run go.

    :param phase: in which kind of phase it strikes
    :param reason: why the run ends badly
    :param hangs: whether the phase goes on until the build times out
    """

    phase: Kind
    reason: Reason
    hangs: bool = False


COURSES = {
    "refused": Course("queue", "refused"),
    "deploy": Course("deploy", "packer"),
    "connect": Course("connect", "packer"),
    "customizer": Course("customize", "packer"),
    "hang": Course("customize", "timeout", hangs=True),
    "deprovision": Course("deprovision", "packer"),
    "deprovision_hang": Course("deprovision", "timeout", hangs=True),
    "validator": Course("validate", "packer"),
    "partial": Course("distribute", "distribute"),
    "late_success": Course("distribute", "timeout", hangs=True),
}
"""Every way in which a step of a run can be spoilt."""


@dataclass(frozen=True)
class PlannedFault:
    """Plan what goes wrong in a run.

    :param kind: one of `COURSES`, or `staging_deleted`
    :param index: which customizer, validator or distributor, from 0
    :param more: further distributors that fail
    :param seconds: when the staging group is deleted, from the start of the run; None is in the midst of customizing
    """

    kind: str
    index: int = 0
    more: tuple[int, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Outcome:
    """Say which steps a run takes, and how it ends.

    :param steps: in their order
    :param run_state: the public word
    :param reason: why it ends badly
    """

    steps: list[Step]
    run_state: str = "Succeeded"
    reason: Reason = ""


@dataclass(frozen=True)
class Step:
    """Describe one stretch of a run before it has its time.

    :param kind: what is done
    :param index: which customizer, validator or distributor
    :param seconds: how long it takes when nothing comes between
    :param fails: whether it ends badly
    :param hangs: whether it would never end by itself
    """

    kind: Kind
    index: int
    seconds: float
    fails: bool = False
    hangs: bool = False


def steps_of(properties: dict[str, Any]) -> list[Step]:
    """Return the steps of a run that goes well."""
    validate = properties.get("validate") or {}
    validators = [
        Step("validate", index, SECONDS["validate"]) for index in range(len(validate.get("inVMValidations") or []))
    ]
    distribute = [
        Step("distribute", index, SECONDS[distributor["type"]] + _extra_regions(distributor))
        for index, distributor in enumerate(properties["distribute"])
    ]
    before = [_plain("queue"), _plain("deploy"), _plain("connect")]
    if validate.get("sourceValidationOnly"):
        return [*before, _plain("clean_up"), *validators, *distribute]
    customize = [
        Step("customize", index, SECONDS[customizer["type"]])
        for index, customizer in enumerate(properties.get("customize") or [])
    ]
    boot = ((properties.get("optimize") or {}).get("vmBoot") or {}).get("state") == "Enabled"
    optimize = [_plain("optimize")] if boot else []
    after = [_plain("deprovision"), _plain("capture"), _plain("clean_up")]
    return [*before, *customize, *optimize, *after, *validators, *distribute]


def _plain(kind: Kind) -> Step:
    return Step(kind, 0, SECONDS[kind])


def _extra_regions(distributor: dict[str, Any]) -> float:
    return SECONDS_PER_EXTRA_REGION * (len(target_regions(distributor, otherwise="")) - 1)


def spoilt(steps: list[Step], fault: PlannedFault, properties: dict[str, Any]) -> Outcome:
    """Return the steps of a run that is struck by a fault; one without the step to strike goes well."""
    course = COURSES.get(fault.kind)
    at = next((at for at, step in enumerate(steps) if course and _is_struck(step, course, fault.index)), None)
    if course is None or at is None:
        return Outcome(steps)
    before, failing, rest = steps[:at], replace(steps[at], fails=True), steps[at + 1 :]
    if course.hangs:
        return Outcome([*before, replace(failing, hangs=True)], "Failed", course.reason)
    if course.phase == "distribute":
        return _badly_distributed([*before, failing, *rest], fault.more)
    if course.phase in {"customize", "deprovision"}:
        return Outcome([*before, failing, _plain("clean_up")], "Failed", course.reason)
    goes_on = course.phase == "validate" and (properties.get("validate") or {}).get("continueDistributeOnFailure")
    if goes_on:
        return Outcome([*before, failing, *rest], "Failed", course.reason)
    return Outcome([*before, failing], "Failed", course.reason)


def _is_struck(step: Step, course: Course, index: int) -> bool:
    has_index = step.kind in {"customize", "validate", "distribute"}
    return step.kind == course.phase and (not has_index or step.index == index)


def _badly_distributed(steps: list[Step], more: tuple[int, ...]) -> Outcome:
    made = [
        replace(step, fails=step.fails or step.index in more) if step.kind == "distribute" else step for step in steps
    ]
    has_delivered = any(step.kind == "distribute" and not step.fails for step in made)
    return Outcome(made, "PartiallySucceeded" if has_delivered else "Failed", "distribute")
