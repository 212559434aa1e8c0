"""A run that is not the task's own, and two tasks that want the same image template: what each choice makes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageRunCanceledError, ImageRunTimeoutError, ImageTemplateInUseError
from tests.integration.airflow.cloud import GROUP, NAME, until
from tests.integration.airflow.legs import Legs
from tests.integration.airflow.tasks import BOTH_MODES, RUN, task

if TYPE_CHECKING:
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from tests.integration.airflow.cloud import Cloud

HANDOVER = "AIRFLOW__AZURE_IMAGE_BUILDER__HANDOVER"
TEMPLATE = f"imageTemplates/{NAME}$"
SOURCE_TRIGGER: Any = {"properties": {"kind": "SourceImage"}}


def run(**arguments: Any) -> tuple[str, dict[str, Any]]:
    """Write down a task that runs the image template."""
    return task(RUN, "run", **arguments)


def runs(cloud: Cloud) -> list[tuple[str, str]]:
    """Give start time and state of every run there was, oldest first."""
    return [(run["startTime"], run["runState"]) for run in cloud.emulator.control.runs()]


def put_trigger(cloud: Cloud) -> None:
    """Let Azure itself run the image template when its source has a new version."""

    async def put(service: ImageTemplateService) -> None:
        triggers = service.clients.image_builder().triggers
        await triggers.begin_create_or_update(GROUP, NAME, "new-source", SOURCE_TRIGGER, polling=False)

    cloud.call(put)
    # Until it is made.
    cloud.emulator.control.advance(60)


@pytest.fixture(autouse=True)
def _nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HANDOVER, "0")


@pytest.fixture
def foreign(cloud: Cloud) -> str:
    """Start a run by somebody else that takes a few seconds, and give its start time."""
    cloud.create()
    cloud.emulator.control.set_scale(200)
    return str(cloud.start_run()["start_time"])


@BOTH_MODES
def test_by_default_a_run_of_somebody_else_is_waited_for(
    cloud: Cloud, legs: Legs, foreign: str, *, deferrable: bool
) -> None:
    """The task builds an image of its own once the other run is over, and leaves that alone."""
    result = legs.run(run(deferrable=deferrable))

    assert runs(cloud) == [(foreign, "Succeeded"), (result["start_time"], "Succeeded")]
    assert cloud.count("POST", "/cancel") == 0
    # One deferral for the turn, and one for its own run.
    assert len(legs.events) == 2 * int(deferrable)


@BOTH_MODES
def test_a_run_of_somebody_else_is_adopted(cloud: Cloud, legs: Legs, foreign: str, *, deferrable: bool) -> None:
    """With `adopt` the task gives what that run made, and builds nothing."""
    result = legs.run(run(deferrable=deferrable, if_running="adopt"))

    assert (result["start_time"], result["run_state"]) == (foreign, "Succeeded")
    assert runs(cloud) == [(foreign, "Succeeded")]
    assert legs.task_instance.pushed["image_run"]["ownership"] == "foreign"
    assert len(legs.events) == int(deferrable)


@BOTH_MODES
def test_a_run_of_auto_run_is_waited_for(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run that Azure begins with the image template's creation is somebody else's: the task builds after it."""
    cloud.emulator.control.set_scale(200)
    cloud.create(cloud.image_template(autoRun={"state": "Enabled"}))

    result = legs.run(run(deferrable=deferrable))

    (first, state), own = runs(cloud)
    assert (first != result["start_time"], state, own) == (True, "Succeeded", (result["start_time"], "Succeeded"))
    assert cloud.count("POST", "/cancel") == 0


@BOTH_MODES
def test_a_run_of_azures_own_trigger_is_adopted(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run that begins since a new source version was published is recognised, and shared by whoever wants that."""
    cloud.create()
    put_trigger(cloud)
    cloud.emulator.control.set_scale(200)
    source = cloud.image_template()["properties"]["source"]
    cloud.emulator.control.publish_platform_version(source["publisher"], source["offer"], source["sku"], "99.0.1")
    until(lambda: cloud.last_run() is not None)

    result = legs.run(run(deferrable=deferrable, if_running="adopt"))

    assert runs(cloud) == [(result["start_time"], "Succeeded")]
    assert legs.task_instance.pushed["image_run"]["ownership"] == "foreign"
    assert cloud.count("POST", "/run") == 0


@BOTH_MODES
def test_an_adopted_run_is_never_cancelled(cloud: Cloud, legs: Legs, foreign: str, *, deferrable: bool) -> None:
    """An adopted run that is overdue fails the task, and goes on."""
    with pytest.raises(ImageRunTimeoutError):
        legs.run(run(deferrable=deferrable, if_running="adopt", run_allowance=-864000))

    assert cloud.count("POST", "/cancel") == 0
    cloud.finish_run()
    assert runs(cloud) == [(foreign, "Succeeded")]


@BOTH_MODES
def test_a_run_of_somebody_else_is_cancelled(cloud: Cloud, legs: Legs, foreign: str, *, deferrable: bool) -> None:
    """With `cancel` it is cancelled and awaited, and then the task builds."""
    result = legs.run(run(deferrable=deferrable, if_running="cancel"))

    assert runs(cloud) == [(foreign, "Canceled"), (result["start_time"], "Succeeded")]
    assert cloud.count("POST", "/cancel") == 1


def test_a_run_of_somebody_else_may_be_an_error(cloud: Cloud, legs: Legs, foreign: str) -> None:
    """With `fail` the task fails, and says since when the other run goes on; it neither joins nor cancels it."""
    with pytest.raises(ImageTemplateInUseError, match=foreign):
        legs.run(run(if_running="fail"))

    assert cloud.count("POST", "/cancel") == 0
    assert cloud.count("POST", "/run") == 1
    assert legs.store.values == {}


@BOTH_MODES
def test_the_wait_for_a_turn_is_bounded(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A task that has waited as long as it may fails, names the run, and has asked for nothing."""
    cloud.create()
    cloud.emulator.control.set_scale(1)
    foreign = cloud.start_run()["start_time"]

    with pytest.raises(ImageTemplateInUseError, match=foreign):
        legs.run(run(deferrable=deferrable, busy_timeout=0.5))

    assert cloud.count("POST", "/run") == 1
    assert legs.store.values == {}


def test_a_turn_that_somebody_else_takes_again_is_waited_for_again(cloud: Cloud, legs: Legs, foreign: str) -> None:
    """Whoever is quicker has the turn, and the task waits on within the same bound."""
    quicker: list[str] = []

    def be_quicker() -> None:
        if not quicker:
            cloud.finish_run()
            quicker.append(cloud.start_run()["start_time"])

    result = legs.run(run(deferrable=True), be_quicker)

    assert len(quicker) == 1
    assert [start for start, _ in runs(cloud)] == [foreign, *quicker, result["start_time"]]


def test_an_answer_that_says_nothing_starts_no_second_build(cloud: Cloud, legs: Legs) -> None:
    """A conflict that does not say that a run goes on is looked up: the run that began is taken for ours."""
    cloud.create()
    cloud.plan_fault(method="POST", path="/run$", moment="after", status=409)

    result = legs.run(run(deferrable=True))

    assert runs(cloud) == [(result["start_time"], "Succeeded")]
    assert legs.task_instance.pushed["image_run"]["ownership"] == "unconfirmed"


def test_two_tasks_build_one_after_the_other(cloud: Cloud, legs: Legs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks that want the same image template at once each have a build of their own, and report it."""
    cloud.create()
    cloud.emulator.control.set_scale(200)
    # Three seconds, in which the one whose turn was first reads what it has built.
    monkeypatch.setenv(HANDOVER, "600")

    results = both(legs)

    assert sorted(result["start_time"] for result in results) == [start for start, _ in runs(cloud)]
    assert [state for _, state in runs(cloud)] == ["Succeeded", "Succeeded"]
    assert cloud.count("POST", "/cancel") == 0


def test_two_tasks_share_one_build(cloud: Cloud, legs: Legs) -> None:
    """With `adopt` both tasks succeed with the same run."""
    cloud.create()
    cloud.emulator.control.set_scale(200)

    first, second = both(legs, if_running="adopt")

    assert first == second
    assert runs(cloud) == [(first["start_time"], "Succeeded")]


def both(legs: Legs, **arguments: Any) -> list[dict[str, Any]]:
    """Run two tasks at once: one on the worker, and one on the triggerer."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(legs.run, run(deferrable=False, **arguments))
        other = pool.submit(Legs().run, run(deferrable=True, **arguments))
        return [one.result(), other.result()]


@BOTH_MODES
def test_a_cleared_task_joins_its_build(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A clear while the build goes on builds nothing anew, and a clear after its end does."""
    cloud.create()
    legs.run(run(wait_for_completion=False))
    legs.task_instance.max_tries += 1

    joined = legs.run(run(deferrable=deferrable))
    legs.task_instance.max_tries += 1
    again = legs.run(run(deferrable=deferrable))

    assert runs(cloud) == [(joined["start_time"], "Succeeded"), (again["start_time"], "Succeeded")]


def test_a_task_that_was_ended_by_hand_and_cleared_builds_anew(cloud: Cloud, legs: Legs) -> None:
    """Its run is being cancelled by then: that is waited for, and not reported as the new try's."""
    cloud.create()
    legs.run(run(wait_for_completion=False))
    cloud.call(lambda service: service.cancel_run(cloud.image_template_id))
    legs.task_instance.max_tries += 1

    result = legs.run(run(if_running="fail"))

    assert [state for _, state in runs(cloud)] == ["Canceled", "Succeeded"]
    assert result["run_state"] == "Succeeded"


def test_a_retry_reports_a_cancel_that_nobody_has_reported(cloud: Cloud, legs: Legs) -> None:
    """A run that somebody cancelled while no worker was there is the end of the task's build, and is said to be."""
    cloud.create()
    legs.run(run(wait_for_completion=False))
    cloud.call(lambda service: service.cancel_run(cloud.image_template_id))

    with pytest.raises(ImageRunCanceledError):
        legs.run(run())

    assert len(runs(cloud)) == 1


def test_a_failed_look_does_not_lose_the_turn(cloud: Cloud, legs: Legs, foreign: str) -> None:
    """A task whose first look is refused has asked for nothing."""
    cloud.plan_fault(method="GET", path=TEMPLATE, status=403)

    with pytest.raises(ArmRequestError, match="HTTP 403"):
        legs.run(run())

    assert [start for start, _ in runs(cloud)] == [foreign]
