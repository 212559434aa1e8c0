"""A run's identity as a model: the real operator and the real emulator through deaths, faults, others and kills."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time import task_runner
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from airflow_aib.image_run.choices import IF_RUNNING, IfRunning
from tests.fakes import FakeSupervisor
from tests.model.azure import PORTAL, ModelAzure, is_followed
from tests.model.crashes import CrashError, Interruption
from tests.model.task import KILL, RUN_ALLOWANCE, SHUTDOWN, ModelTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.server import EmulatorThread

# The image template's build timeout is an hour.
DEADLINE = timedelta(hours=1, seconds=RUN_ALLOWANCE)
# A leg passes some forty points; 0 is none of them. What matters most is over after the first dozen.
START_POINTS = 16
POINTS = st.integers(0, START_POINTS) | st.integers(START_POINTS, 40)
NAMES = st.sampled_from(["first", "second"])
# What may befall a request for a run, before its effect or after.
FAULTS: list[dict[str, Any]] = [
    {"status": 504, "moment": "before"},
    {"status": 504, "moment": "after"},
    {"action": "reset", "moment": "before"},
    {"action": "reset", "moment": "after"},
    {"status": 409, "moment": "after"},
    {"status": 429, "moment": "before"},
    {"status": 403, "moment": "before"},
]
REQUEST, CANCEL = {"method": "POST", "path": "/run$"}, {"method": "POST", "path": "/cancel$"}
LOOK = {"method": "GET", "path": "/imageTemplates/[^/]+$"}
OTHER_FAULTS: list[dict[str, Any]] = [
    {**LOOK, "status": 503},
    {**LOOK, "status": 503, "skip": 1, "count": 2},
    {**LOOK, "status": 403, "skip": 2},
    {**LOOK, "action": "reset", "skip": 3},
    {**LOOK, "action": "malformed", "skip": 4},
    {**CANCEL, "status": 504, "moment": "before"},
    {**CANCEL, "status": 504, "moment": "after"},
    {**CANCEL, "status": 503, "count": None},
    {**CANCEL, "status": 409, "moment": "before"},
    {**CANCEL, "action": "reset", "moment": "after"},
    {**CANCEL, "status": 403, "moment": "before"},
]
EVERY_FAULT = [*({**REQUEST, **fault} for fault in FAULTS), *OTHER_FAULTS]
# What Airflow says of a task instance whose process is told to stop: a person has ended or cleared it, or the machine
# is shut down.
STATES = st.sampled_from(["failed", "success", "restarting", "running"])
LEGS_TO_THE_END = 12


class RunIdentity(RuleBasedStateMachine):
    """Two tasks that want the same image template, a person in the portal, and a data centre that is on fire."""

    emulator: EmulatorThread
    supervisor: FakeSupervisor

    def __init__(self) -> None:
        super().__init__()
        self.emulator.control.reset()
        self.azure = ModelAzure(self.emulator)
        self.tasks: dict[str, ModelTask] = {}

    @initialize(
        first=st.sampled_from(IF_RUNNING),
        second=st.sampled_from(IF_RUNNING),
        first_defers=st.booleans(),
        second_defers=st.booleans(),
    )
    def begin(self, *, first: IfRunning, second: IfRunning, first_defers: bool, second_defers: bool) -> None:
        """Choose how the tasks deal with others, and where they wait."""
        self.tasks = {
            "first": ModelTask("first", self.azure, first, first_defers, self.supervisor),
            "second": ModelTask("second", self.azure, second, second_defers, self.supervisor),
        }

    @rule(name=NAMES)
    def run_leg(self, *, name: str) -> None:
        """Run a task's next leg; nothing happens meanwhile."""
        self.run(name, Interruption())

    @rule(name=NAMES, at=POINTS)
    def run_leg_to_its_death(self, *, name: str, at: int) -> None:
        """Run a task's next leg, in which its process dies."""
        self.run(name, Interruption(at))

    @rule(name=NAMES, at=st.just(0) | POINTS, fault=st.sampled_from(EVERY_FAULT))
    def run_leg_with_fault(self, *, name: str, at: int, fault: dict[str, Any]) -> None:
        """Run a task's next leg, in which a request or a look goes wrong, and the process may die besides."""
        planned = self.emulator.control.plan_fault(**fault)
        self.run(name, Interruption(at))
        self.emulator.control.remove_fault(planned["fault_id"])

    @rule(name=NAMES, at=POINTS, state=STATES)
    def run_leg_to_its_kill(self, *, name: str, at: int, state: str) -> None:
        """Run a task's next leg, in which its process is told to stop, and stops."""
        task = self.tasks[name]
        interruption = Interruption(at, lambda: task.be_told_to_stop(state))
        self.run(name, interruption)
        if interruption.has_struck:
            task.end_by_hand(state)

    @rule(name=NAMES, at=POINTS, fault=st.none() | st.sampled_from(OTHER_FAULTS))
    def run_leg_to_its_timeout(self, *, name: str, at: int, fault: dict[str, Any] | None) -> None:
        """Run a task's next leg, in which its execution timeout strikes, where it strikes: on a worker."""
        planned = self.emulator.control.plan_fault(**fault) if fault else None
        is_on_worker = self.tasks[name].deferral is None
        self.run(name, Interruption(at, raises=AirflowTaskTimeout) if is_on_worker else Interruption())
        if planned:
            self.emulator.control.remove_fault(planned["fault_id"])

    @rule(name=NAMES, at=POINTS, other=st.sampled_from(["foreign run", "portal cancel"]), is_fatal=st.booleans())
    def run_leg_among_others(self, *, name: str, at: int, other: str, is_fatal: bool) -> None:
        """Run a task's next leg, in the midst of which somebody else acts, and the process may die besides."""
        acts = {"foreign run": self.azure.begin_foreign_run, "portal cancel": self.azure.cancel_in_portal}
        self.run(name, Interruption(at, acts[other], CrashError if is_fatal else None))

    @rule(name=NAMES, deed=st.sampled_from(["foreign run", "portal cancel", "clear", "retry", "kill"]))
    def somebody_acts(self, *, name: str, deed: str) -> None:
        """Have a person act in the portal or in Airflow, or Airflow try again after a bad end."""
        task = self.tasks[name]
        deeds = {
            "foreign run": self.azure.begin_foreign_run,
            "portal cancel": self.azure.cancel_in_portal,
            "clear": task.clear,
            "retry": task.retry,
            "kill": task.kill,
        }
        deeds[deed]()

    @rule(kind=st.sampled_from(["hang", "customizer"]))
    def next_run_goes_wrong(self, *, kind: str) -> None:
        """Let the next run fail, or hang until it is cancelled."""
        if not self.emulator.control.failures():
            self.emulator.control.plan_failure(kind=kind)

    @rule(minutes=st.sampled_from([1, 3, 20, 100]))
    def time_passes(self, *, minutes: int) -> None:
        """Let time pass while nobody looks."""
        self.azure.advance(timedelta(minutes=minutes))

    def run(self, name: str, interruption: Interruption) -> None:
        """Run a task's next leg, if it has one."""
        if not self.tasks[name].is_done:
            self.tasks[name].run_leg(interruption)

    @invariant()
    def at_most_one_build_per_intent(self) -> None:
        """No wish for an image begins two builds."""
        for task in self.tasks.values():
            for intent, begun in task.begun.items():
                assert len(begun) <= 1, f"{task.name} has begun {begun} for its intent {intent}"

    @invariant()
    def none_is_cancelled_without_cause(self) -> None:
        """See that each cancel is a person's, of an overdue run, or by a task that may make room for its own."""
        for start, name, age in self.azure.cancels:
            owner = self.azure.owners[start]
            if name == PORTAL:
                continue
            if name == SHUTDOWN or name.startswith(KILL):
                assert name == f"{KILL} {owner}", f"a {name} has cancelled {owner}'s run that started {start}"
            elif name == owner:
                has_cause = age >= DEADLINE or start in self.tasks[name].timed_out
                assert has_cause, f"{name} has cancelled its own run {age} after its start"
            else:
                choice = self.tasks[name].if_running
                assert choice == "cancel", f"{name} has cancelled {owner}'s run with if_running={choice!r}"

    def teardown(self) -> None:
        """Let everything come to its end, and demand an account of every build."""
        for task in self.tasks.values():
            self.finish(task)
        states = self.azure.run_states()
        self.at_most_one_build_per_intent()
        self.none_is_cancelled_without_cause()
        for task in self.tasks.values():
            self.every_build_is_accounted_for(task)
            self.every_result_is_true(task, states)

    def finish(self, task: ModelTask) -> None:
        """Run a task to its end, now that nothing goes wrong any more, and somebody sees to what hangs."""
        ends: list[str] = []
        for leg in range(LEGS_TO_THE_END):
            if task.is_done or not task.has_begun:
                return
            if leg >= LEGS_TO_THE_END // 2:
                self.azure.cancel_in_portal()
            ends.append(task.run_leg(Interruption()))
            self.azure.advance(timedelta(minutes=10))
        raise AssertionError(f"{task.name} has not come to an end in {LEGS_TO_THE_END} legs: {', '.join(ends)}")

    @staticmethod
    def every_build_is_accounted_for(task: ModelTask) -> None:
        """See that its end is reported, or it is given up, or the task has said that a later run hides it."""
        for intent, begun in task.begun.items():
            for start in begun:
                is_hidden = is_followed(start, task.unknown.get(intent, ()))
                is_known = start in task.reported or intent in task.given_up | task.unsure or is_hidden
                assert is_known, f"{task.name} has forgotten its run that started {start}"

    def every_result_is_true(self, task: ModelTask, states: dict[str, str]) -> None:
        """See that what a task returns has succeeded, and is its own unless it says otherwise."""
        for start, ownership in task.results:
            assert states[start] == "Succeeded", f"{task.name} has returned a run that is {states[start]}"
            if ownership == "own":
                assert self.azure.owners[start] == task.name, (
                    f"{task.name} calls {self.azure.owners[start]}'s run its own"
                )
            if ownership == "foreign":
                assert task.if_running == "adopt", f"{task.name} has adopted a run with {task.if_running!r}"


def profile() -> settings:
    """Choose how long to look: `make model` sets `AIRFLOW_AIB_MODEL` to `long`, `make test` nothing."""
    is_long = os.environ.get("AIRFLOW_AIB_MODEL") == "long"
    return settings(
        max_examples=300 if is_long else 8,
        stateful_step_count=14,
        deadline=None,
        derandomize=not is_long,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink) if is_long else (Phase.generate,),
    )


@pytest.fixture
def machine(emulator_thread: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[RunIdentity]]:
    """Give the model on this worker's emulator."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__HANDOVER", "300")
    supervisor = FakeSupervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    yield type("RunIdentityOnEmulator", (RunIdentity,), {"emulator": emulator_thread, "supervisor": supervisor})
    emulator_thread.control.reset()


@pytest.mark.timeout(3600)
def test_a_run_has_an_identity(machine: type[RunIdentity]) -> None:
    """At most one build per intent, none forgotten, none cancelled without cause, and the end always reported."""
    run_state_machine_as_test(machine, settings=profile())


@pytest.mark.parametrize("at", range(1, START_POINTS + 1))
def test_a_death_at_every_point_of_the_start(machine: type[RunIdentity], at: int) -> None:
    """Wherever the process dies, the next try goes on with the same build."""
    model = play(machine, at % 2 == 0)

    model.run_leg_to_its_death(name="first", at=at)
    # When the next try comes, the build is over.
    model.time_passes(minutes=20)

    model.teardown()
    assert len(model.azure.owners) == 1


def test_a_quiet_run_is_certainly_ours(machine: type[RunIdentity]) -> None:
    """What Azure has accepted is the task's own, so that a kill cancels it."""
    model = play(machine, deferrable=True)
    model.run_leg(name="first")

    model.somebody_acts(name="first", deed="kill")

    assert [(model.azure.owners[start], name) for start, name, _ in model.azure.cancels] == [("first", f"{KILL} first")]
    model.teardown()


def test_what_a_later_run_hides(machine: type[RunIdentity]) -> None:
    """A run that ended while no worker was there, and was followed by another one, is not built again in silence."""
    model = play(machine, deferrable=False)
    model.run_leg_to_its_death(name="first", at=START_POINTS + 4)
    model.time_passes(minutes=20)
    model.somebody_acts(name="first", deed="foreign run")
    model.time_passes(minutes=20)

    model.teardown()

    assert list(model.azure.owners.values()) == ["first", PORTAL]
    assert model.tasks["first"].results == []


def test_a_run_that_was_accepted_and_never_seen(machine: type[RunIdentity]) -> None:
    """Another task's run that follows it before the next try is not taken for it, though it began soon after."""
    model = play(machine, deferrable=False)
    # By then Azure's consent is kept, and nothing else.
    model.run_leg_to_its_death(name="first", at=9)
    model.time_passes(minutes=11)
    model.run_leg(name="second")

    model.teardown()

    assert list(model.azure.owners.values()) == ["first", "second"]
    assert model.tasks["first"].results == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fault_of_the_request(machine: type[RunIdentity], fault: dict[str, Any]) -> None:
    """Whatever comes back from a request for a run, one build comes of it."""
    model = play(machine, deferrable=True)

    model.run_leg_with_fault(name="first", at=0, fault={**REQUEST, **fault})

    model.teardown()
    assert len(model.azure.owners) == 1


@pytest.mark.parametrize("fault", OTHER_FAULTS, ids=str)
def test_every_fault_of_looks_and_cancels(machine: type[RunIdentity], fault: dict[str, Any]) -> None:
    """Whatever befalls looks and the cancel of a run that is overdue, it is one build, and its end is reported."""
    model = play(machine, deferrable=False)
    model.next_run_goes_wrong(kind="hang")

    model.run_leg_with_fault(name="first", at=0, fault=fault)

    model.teardown()
    assert list(model.azure.owners.values()) == ["first"]


@pytest.mark.parametrize("at", [3, 5, 6, 8, 12, START_POINTS + 2])
def test_an_execution_timeout(machine: type[RunIdentity], at: int) -> None:
    """Wherever it strikes, what had been asked for by then is ended before the next try begins anew."""
    model = play(machine, deferrable=False)
    model.next_run_goes_wrong(kind="hang")

    model.run_leg_to_its_timeout(name="first", at=at, fault=None)

    is_certain = at > 7
    assert [name for _, name, _ in model.azure.cancels] == ["first"] * is_certain
    model.teardown()


def test_a_cancel_that_has_failed_at_the_execution_timeout(machine: type[RunIdentity]) -> None:
    """The next try asks for it again, waits, and builds anew."""
    model = play(machine, deferrable=False)
    model.next_run_goes_wrong(kind="hang")
    model.run_leg_to_its_timeout(name="first", at=START_POINTS + 2, fault={**CANCEL, "status": 503, "count": None})
    assert model.azure.cancels == []

    model.run_leg(name="first")

    assert [name for _, name, _ in model.azure.cancels] == ["first"]
    model.teardown()
    assert list(model.azure.owners.values()) == ["first", "first"]


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])
@pytest.mark.parametrize("state", ["failed", "success", "restarting", "running"])
def test_a_process_that_is_told_to_stop(machine: type[RunIdentity], state: str, *, deferrable: bool) -> None:
    """Only when a person has ended the task is its run cancelled; else whoever comes next goes on with it."""
    model = play(machine, deferrable)
    if deferrable:
        model.run_leg(name="first")

    model.run_leg_to_its_kill(name="first", at=3 if deferrable else START_POINTS + 2, state=state)

    is_over = state in {"failed", "success"}
    assert [name for _, name, _ in model.azure.cancels] == [f"{KILL} first"] * is_over
    model.teardown()
    assert list(model.azure.owners.values()) == ["first"]
    assert len(model.tasks["first"].results) == (not is_over)


def test_a_request_that_comes_through_late(machine: type[RunIdentity]) -> None:
    """When Azure refuses a repeated request because of the very run that the first one asked for, that is ours."""
    model = play(machine, deferrable=True)
    model.run_leg_with_fault(name="first", at=0, fault={**REQUEST, "status": 504, "moment": "before"})

    model.run("first", Interruption(5, lambda: model.azure.begin_late_run("first"), raises=None))

    model.teardown()
    assert list(model.azure.owners.values()) == ["first"]
    assert [ownership for _, ownership in model.tasks["first"].results] == ["unconfirmed"]


@pytest.mark.parametrize("at", [1, 2, 5])
@pytest.mark.parametrize("if_running", IF_RUNNING)
def test_somebody_who_is_quicker(machine: type[RunIdentity], if_running: IfRunning, at: int) -> None:
    """Wherever somebody else's run begins before ours, it is told from ours."""
    model = play(machine, deferrable=True, if_running=if_running)

    model.run_leg_among_others(name="first", at=at, other="foreign run", is_fatal=False)
    if if_running == "fail":
        model.time_passes(minutes=20)

    model.teardown()
    owners = list(model.azure.owners.values())
    assert owners == ([PORTAL] if if_running == "adopt" else [PORTAL, "first"])


@pytest.mark.parametrize("if_running", ["adopt", "wait"])
def test_what_hangs_and_is_not_ours(machine: type[RunIdentity], if_running: IfRunning) -> None:
    """A run of somebody else that is overdue goes on until somebody else ends it."""
    model = play(machine, deferrable=False, if_running=if_running)
    model.next_run_goes_wrong(kind="hang")
    model.somebody_acts(name="first", deed="foreign run")

    model.run_leg(name="first")

    assert [name for _, name, _ in model.azure.cancels] == []
    model.somebody_acts(name="first", deed="portal cancel")
    model.teardown()


def play(machine: type[RunIdentity], deferrable: bool, if_running: IfRunning = "wait") -> RunIdentity:
    """Begin a play of the model by hand."""
    model = machine()
    model.begin(first=if_running, second="wait", first_defers=deferrable, second_defers=False)
    return model
