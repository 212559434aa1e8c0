from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.services.image_builder.courses import COURSES, PlannedFault
from aib_emulator.services.image_builder.timeline import (
    CANCEL_SECONDS,
    RunLook,
    Timeline,
    cancelled,
    look,
    plan_run,
)
from tests.unit.aib_emulator.services.image_builder.samples import (
    SHELL,
    START,
    TO_GALLERY,
    TO_MANAGED_IMAGE,
    TO_VHD,
    kept,
)

RESTART = {"type": "WindowsRestart", "name": "r"}
UPDATE = {"type": "WindowsUpdate", "name": "u"}


def after(seconds: float) -> datetime:
    """Return the instant so long after the start."""
    return START + timedelta(seconds=seconds)


def planned(fault: PlannedFault | None = None, **properties: Any) -> Timeline:
    """Plan a run of an image template with these properties."""
    return plan_run(kept(**properties), START, fault)


def test_one_script_and_a_managed_image_take_as_long_as_measured() -> None:
    """The recorded run of one script to a managed image took 429 seconds."""
    assert planned().end == after(429)


def test_a_run_looks_as_recorded() -> None:
    """Queued after a second, Building after 34 and still after 6:15, and at its end no sub-state."""
    timeline = planned()
    assert look(timeline, after(1)) == RunLook("Running", "Queued")
    assert look(timeline, after(34)) == RunLook("Running", "Building")
    assert look(planned(customize=[SHELL, SHELL]), after(375)) == RunLook("Running", "Building")
    assert look(timeline, timeline.end) == RunLook("Succeeded")


def test_every_sub_state_can_be_shown() -> None:
    """On demand the run shows each sub-state that the service has a word for."""
    timeline = planned(
        optimize={"vmBoot": {"state": "Enabled"}}, validate={"inVMValidations": [SHELL]}, distribute=[TO_VHD]
    )
    instants = [phase.start for phase in timeline.phases]
    shown = [look(timeline, instant, all_sub_states=True).run_sub_state for instant in instants]
    in_turn = [sub_state for sub_state, _ in groupby(shown)]
    assert in_turn == ["Queued", "Building", "Customizing", "Optimizing", "Validating", "Distributing"]
    recorded = {look(timeline, instant).run_sub_state for instant in instants}
    assert recorded == {"Queued", "Building", "Distributing"}


@pytest.mark.parametrize(
    ("fault", "properties", "expected"),
    [
        (PlannedFault("customizer"), {}, ["Queued", "Building", "Customizing"]),
        (None, {"customize": []}, ["Queued", "Building", "Distributing"]),
        (
            None,
            {"validate": {"sourceValidationOnly": True, "inVMValidations": [SHELL]}},
            ["Queued", "Building", "Validating", "Distributing"],
        ),
    ],
)
def test_sub_states_never_go_back(fault: PlannedFault | None, properties: dict[str, Any], expected: list[str]) -> None:
    """What comes between two parts of a run belongs to the first of them."""
    timeline = planned(fault, **properties)
    shown = [look(timeline, phase.start, all_sub_states=True).run_sub_state for phase in timeline.phases]
    assert [sub_state for sub_state, _ in groupby(shown)] == expected


def test_more_regions_take_longer() -> None:
    """A version that is replicated to another region takes a minute more."""
    far = {**TO_GALLERY, "replicationRegions": ["eastus", "westus"]}
    assert planned(distribute=[far]).end - planned(distribute=[TO_GALLERY]).end == timedelta(minutes=1)


def test_a_failing_customizer_ends_the_run() -> None:
    """Nothing after the customizer that fails takes place, but clearing away."""
    timeline = planned(PlannedFault("customizer", 1), customize=[SHELL, SHELL, SHELL])
    assert [phase.kind for phase in timeline.phases] == ["queue", "deploy", "connect", *["customize"] * 2, "clean_up"]
    assert [phase.fails for phase in timeline.phases] == [False] * 4 + [True, False]
    assert (timeline.run_state, timeline.reason) == ("Failed", "packer")


def test_a_hanging_run_fails_at_its_build_timeout() -> None:
    """A customizer that never ends is ended when the build's time is over."""
    timeline = planned(PlannedFault("hang"), buildTimeoutInMinutes=30)
    assert timeline.end == after(1800)
    assert look(timeline, after(1799)) == RunLook("Running", "Building")
    assert (timeline.run_state, timeline.reason) == ("Failed", "timeout")


@pytest.mark.parametrize("sent", [{}, {"buildTimeoutInMinutes": 0}])
def test_no_build_timeout_is_four_hours(sent: dict[str, int]) -> None:
    """Absent and 0 both mean 240 minutes."""
    assert planned(PlannedFault("hang"), **sent).end == after(240 * 60)


def test_a_build_that_needs_longer_than_its_timeout_fails() -> None:
    """Also without any plan a run is cut off at its build timeout."""
    timeline = planned(customize=[UPDATE, UPDATE], buildTimeoutInMinutes=10)
    assert timeline.end == after(600)
    assert (timeline.phases[-1].fails, timeline.run_state, timeline.reason) == (True, "Failed", "timeout")


@pytest.mark.parametrize("minutes", [1, 5])
def test_hardly_any_time_fails_early(minutes: int) -> None:
    """Build timeouts of one to five minutes fail while the build VM is deployed."""
    timeline = planned(buildTimeoutInMinutes=minutes)
    assert (timeline.phases[-1].kind, timeline.run_state) == ("deploy", "Failed")


@pytest.mark.parametrize(
    ("distribute", "run_state"),
    [([TO_GALLERY, TO_VHD], "PartiallySucceeded"), ([TO_GALLERY], "Failed")],
)
def test_a_failing_distributor(distribute: list[dict[str, Any]], run_state: str) -> None:
    """When one of several distributors fails the run succeeds in part; when the only one fails, not at all."""
    timeline = planned(PlannedFault("partial", 0), distribute=distribute)
    assert (timeline.run_state, timeline.reason) == (run_state, "distribute")
    assert next(phase.fails for phase in timeline.phases if phase.kind == "distribute")


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_failing_validator(goes_on: bool) -> None:
    """A failed validation fails the run, and keeps the image from being distributed unless the template permits it."""
    timeline = planned(
        PlannedFault("validator"),
        validate={"inVMValidations": [SHELL], "continueDistributeOnFailure": goes_on},
    )
    assert timeline.run_state == "Failed"
    assert ("distribute" in {phase.kind for phase in timeline.phases}) is goes_on


def test_a_fault_in_a_step_that_does_not_exist_never_strikes() -> None:
    """The plan names the third customizer of an image template that has one: the run is good."""
    assert planned(PlannedFault("customizer", 2)).run_state == "Succeeded"


def test_cancelling_takes_its_time() -> None:
    """A cancelled run is Canceling, without a sub-state, for 81 seconds, and then Canceled."""
    timeline = cancelled(planned(), after(200))
    assert look(timeline, after(200)) == RunLook("Canceling")
    assert look(timeline, after(200 + CANCEL_SECONDS - 1)) == RunLook("Canceling")
    assert look(timeline, after(200 + CANCEL_SECONDS)) == RunLook("Canceled")


@given(
    customize=st.lists(st.sampled_from([SHELL, RESTART, UPDATE]), max_size=4),
    distribute=st.lists(st.sampled_from([TO_MANAGED_IMAGE, TO_GALLERY, TO_VHD]), min_size=1, max_size=3),
    fault=st.none() | st.builds(PlannedFault, st.sampled_from([*COURSES, "staging_deleted"]), st.integers(0, 3)),
    minutes=st.integers(0, 960),
    cancel_at=st.none() | st.integers(0, 3600),
)
def test_a_run_has_no_gaps(
    customize: list[dict[str, Any]],
    distribute: list[dict[str, Any]],
    fault: PlannedFault | None,
    minutes: int,
    cancel_at: int | None,
) -> None:
    """Whatever is built and goes wrong: phases follow each other, within the build timeout, to one final state."""
    timeline = planned(fault, customize=customize, distribute=distribute, buildTimeoutInMinutes=minutes)
    limit = timedelta(minutes=minutes or 240)
    assert timeline.end - timeline.start <= limit or minutes < 6
    if cancel_at is not None and after(cancel_at) < timeline.end:
        timeline = cancelled(timeline, after(cancel_at))
    assert timeline.start == START
    assert all(before.end == following.start for before, following in pairwise(timeline.phases))
    assert all(phase.start <= phase.end for phase in timeline.phases)
    assert not look(timeline, START).is_over
    assert look(timeline, timeline.end).is_over


@pytest.mark.parametrize("kind", COURSES)
def test_every_course_ends_badly(kind: str) -> None:
    """Each way of going wrong ends a run that has the step for it, for the reason in the table."""
    timeline = planned(PlannedFault(kind), validate={"inVMValidations": [SHELL]})
    assert (timeline.run_state, timeline.reason, timeline.is_planned) == ("Failed", COURSES[kind].reason, True)
    assert any(phase.fails and phase.kind == COURSES[kind].phase for phase in timeline.phases)


@pytest.mark.parametrize(
    ("failing", "run_state"),
    [((0,), "PartiallySucceeded"), ((0, 2), "PartiallySucceeded"), ((2, 1, 0), "Failed"), ((7,), "Succeeded")],
)
def test_several_distributors_can_fail(failing: tuple[int, ...], run_state: str) -> None:
    """A run succeeds in part as long as one distributor delivers."""
    timeline = planned(
        PlannedFault("partial", failing[0], failing[1:]), distribute=[TO_GALLERY, TO_VHD, TO_MANAGED_IMAGE]
    )
    assert timeline.run_state == run_state
    failed = {phase.index for phase in timeline.phases if phase.kind == "distribute" and phase.fails}
    assert failed == (set(failing) & {0, 1, 2})


def test_a_late_success_reads_as_a_timeout() -> None:
    """The distribution goes on beyond the build timeout, at which the run fails."""
    timeline = planned(PlannedFault("late_success", 1), distribute=[TO_GALLERY, TO_VHD], buildTimeoutInMinutes=60)
    assert (timeline.run_state, timeline.reason, timeline.end) == ("Failed", "timeout", after(3600))
    assert [(phase.index, phase.fails) for phase in timeline.phases if phase.kind == "distribute"] == [
        (0, False),
        (1, True),
    ]


@pytest.mark.parametrize("seconds", [0, 100, 300])
def test_a_run_breaks_off_when_its_staging_group_goes(seconds: int) -> None:
    """At the instant of the deletion the run ends; later than its end nothing happens."""
    timeline = planned(PlannedFault("staging_deleted", seconds=seconds))
    assert (timeline.end, timeline.run_state, timeline.reason) == (after(seconds), "Failed", "staging")
    assert planned(PlannedFault("staging_deleted", seconds=10_000)).run_state == "Succeeded"


def test_a_staging_group_goes_while_customizers_run_unless_told_otherwise() -> None:
    """Without an instant the deletion strikes in the midst of the first customizer."""
    timeline = planned(PlannedFault("staging_deleted"))
    assert timeline.phases[-1].kind == "customize"
    assert timeline.phases[-1].start < timeline.end


def test_cancelling_can_take_longer() -> None:
    """A cancellation that is stuck shows Canceling for as long as that lasts."""
    timeline = cancelled(planned(), after(200), 5000)
    assert look(timeline, after(5199)) == RunLook("Canceling")
    assert look(timeline, after(5200)) == RunLook("Canceled")
