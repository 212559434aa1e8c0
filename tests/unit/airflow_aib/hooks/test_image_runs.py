from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageRunTimeoutError, ImageTemplateInUseError
from airflow_aib.hooks.image_runs import LOST_RUN_PATIENCE, ImageRuns
from airflow_aib.image_run.run_handle import ImageRunHandle
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    reset,
    run_status,
    start_time,
)

RUNNING_A = run_status(start="A")
ENDED_A = run_status("Succeeded", start="A")
RUNNING_B = run_status(start="B")


def service(azure: FakeImageBuilder, clock: FakeClock | None = None) -> ImageRuns:
    """Make the service on a scripted Azure."""
    return ImageRuns(fake_clients(azure), clock=clock or FakeClock())


def handle(start: str | None = None, previous: str | None = None) -> ImageRunHandle:
    """Give a handle; runs are named by a letter."""
    return ImageRunHandle(
        image_template_id=IMAGE_TEMPLATE_ID,
        submit_time=START.isoformat(),
        previous_start_time=start_time(previous) if previous else None,
        start_time=start_time(start) if start else None,
    )


async def test_preparing_notes_the_run_before() -> None:
    """The handle of a run that is yet to be asked for knows the last one, and starts nothing."""
    azure = FakeImageBuilder(image_template(ENDED_A))

    assert await service(azure).prepare_run(IMAGE_TEMPLATE_ID) == handle(previous="A")
    assert azure.calls == ["get"]


async def test_a_run_is_started_once_and_known_by_its_start_time() -> None:
    """The SDK repeats nothing, and the start time is what the service shows, with all its digits."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure.runs(RUNNING_B))

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID)

    assert started.start_time == start_time("B")
    assert started.previous_start_time == start_time("A")
    assert azure.calls.count("run") == 1
    assert azure.options["run"] == {"polling": False, "retry_total": 0}


async def test_an_accepted_run_that_shows_late_is_not_waited_for() -> None:
    """The handle finds a run that the service has accepted and does not show yet."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A))

    started = await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)

    assert started.start_time is None
    assert started.previous_start_time == start_time("A")
    assert clock.now() - START < timedelta(seconds=30)


@pytest.mark.parametrize("status", [RUNNING_B, run_status("Failed", start="B")])
async def test_a_run_that_is_there_is_joined(status: dict[str, object]) -> None:
    """A try that comes with the handle of an earlier one starts nothing when its run has appeared, ended or not."""
    azure = FakeImageBuilder(image_template(status))

    joined = await service(azure).start_run(IMAGE_TEMPLATE_ID, handle=handle(previous="A"))

    assert joined == handle(start="B", previous="A")
    assert azure.calls == ["get"]


async def test_a_run_that_never_began_is_started() -> None:
    """A try after one that ended before its request makes the request, and counts the run's time from then."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure.runs(RUNNING_B))
    hours_later = FakeClock(START + timedelta(hours=9))

    started = await service(azure, hours_later).start_run(IMAGE_TEMPLATE_ID, handle=handle(previous="A"))

    assert started == replace(handle("B", "A"), submit_time=(START + timedelta(hours=9)).isoformat())


async def test_a_run_whose_place_was_taken_is_started_anew() -> None:
    """When a later run has come and gone, ours cannot be joined any more."""
    azure = FakeImageBuilder(image_template(run_status("Succeeded", start="B")))
    azure.then("run", azure.runs(run_status(start="C")))

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID, handle=handle(start="A"))

    assert (started.previous_start_time, started.start_time) == (start_time("B"), start_time("C"))


async def test_another_run_that_goes_on_is_named() -> None:
    """Who cannot run because of another run learns since when it runs, and what to do."""
    azure = FakeImageBuilder(image_template(RUNNING_A))

    with pytest.raises(ImageTemplateInUseError, match="AzureImageTemplateCancelOperator") as caught:
        await service(azure).start_run(IMAGE_TEMPLATE_ID)
    assert start_time("A") in str(caught.value)
    assert caught.value.data == {"start_time": start_time("A"), "run_state": "Running"}
    assert azure.calls == ["get"]


async def test_a_run_that_began_between_look_and_request_is_named_too() -> None:
    """Azure's refusal becomes the same error."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    refusal = azure_error(409, "OperationNotAllowed", "is not allowed in provisioning state: provisioned")
    azure.then("run", (azure.runs(RUNNING_B), refusal))

    with pytest.raises(ImageTemplateInUseError, match=start_time("B")):
        await service(azure).start_run(IMAGE_TEMPLATE_ID)


@pytest.mark.parametrize("refusal", [azure_error(403, "AuthorizationFailed"), azure_error(405, "OperationNotAllowed")])
async def test_another_refusal_is_azures_own(refusal: Exception) -> None:
    """A refusal for another reason is not blamed on a run."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", refusal)

    with pytest.raises(ArmRequestError, match="Could not run image template"):
        await service(azure).start_run(IMAGE_TEMPLATE_ID)
    assert azure.calls.count("run") == 1


@pytest.mark.parametrize("error", [azure_error(408), azure_error(504), azure_error(500), reset()])
async def test_a_lost_answer_is_looked_up_and_never_repeated(error: Exception) -> None:
    """A run that began although its answer was lost is found by its start time."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", error).then("get", None, None, azure_error(500), None, azure.runs(RUNNING_B))

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID)

    assert started == handle("B", "A")
    assert azure.calls.count("run") == 1


async def test_a_lost_run_is_looked_for_a_bounded_time() -> None:
    """When no run appears, the error says so; it is not repeated by itself."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", azure_error(504, "GatewayTimeout"))

    with pytest.raises(ArmRequestError, match=r"GatewayTimeout.*no run has appeared.*same handle") as caught:
        await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)
    assert caught.value.status == 504
    assert azure.calls.count("run") == 1
    assert clock.now() == START + LOST_RUN_PATIENCE.within


async def test_a_request_over_the_limit_was_not_carried_out_and_is_repeated() -> None:
    """429 comes from the gate before the service: after the pause that it asks for, the same request is sent."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure_error(429, Retry_After="9"), azure.runs(RUNNING_B))

    assert (await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)).start_time == start_time("B")
    assert clock.pauses[0] == 9


async def test_running_what_does_not_exist_is_an_error() -> None:
    """There is nothing to run without an image template."""
    with pytest.raises(ArmRequestError, match="There is no image template"):
        await service(FakeImageBuilder()).start_run(IMAGE_TEMPLATE_ID)


async def test_a_run_is_cancelled() -> None:
    """The run that goes on is cancelled, and only asked for once."""
    azure = FakeImageBuilder(image_template(RUNNING_A))

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID, handle=handle("A")) is True
    assert azure.calls == ["get", "cancel"]
    assert azure.options["cancel"] == {"polling": False, "retry_total": 0}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (image_template(), None),
        (image_template(ENDED_A), None),
        (image_template(RUNNING_B), "A"),
    ],
)
async def test_nobody_elses_run_is_cancelled(body: dict[str, object], wanted: str | None) -> None:
    """When no run goes on, or another one than the handle's, nothing is cancelled."""
    azure = FakeImageBuilder(body)

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID, handle=handle(wanted) if wanted else None) is False
    assert azure.calls == ["get"]


async def test_a_run_that_is_being_cancelled_is_left_alone() -> None:
    """Azure refuses a second cancel."""
    azure = FakeImageBuilder(image_template(run_status("Canceling", None)))

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID) is True
    assert azure.calls == ["get"]


@pytest.mark.parametrize(
    "after", [run_status("Canceling", None), run_status("Canceled", None), run_status("Succeeded", None)]
)
@pytest.mark.parametrize("error", [reset(), azure_error(504), azure_error(409, "OperationNotAllowed")])
async def test_a_cancel_that_had_its_effect_is_done(after: dict[str, object], error: Exception) -> None:
    """Whatever came back: when the run is being cancelled or is over, that is what was wanted."""
    azure = FakeImageBuilder(image_template(RUNNING_A))
    azure.then("cancel", (azure.runs(after), error))

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID) is True
    assert azure.calls == ["get", "cancel", "get"]


async def test_a_run_that_shows_late_is_cancelled_too() -> None:
    """Who kills a task right after it has asked for its run does not leave a build behind that nobody wants."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("get", None, azure.runs(RUNNING_B))

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID, handle=handle(previous="A")) is True
    assert azure.calls == ["get", "get", "cancel"]


async def test_a_run_that_never_showed_is_not_waited_for() -> None:
    """A worker that is killed has a few seconds."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A))

    assert await service(azure, clock).cancel_run(IMAGE_TEMPLATE_ID, handle=handle(previous="A")) is False
    assert clock.now() - START <= timedelta(seconds=2)


async def test_a_cancel_that_was_lost_is_asked_for_again() -> None:
    """A run that still runs after a lost cancel is cancelled."""
    azure = FakeImageBuilder(image_template(RUNNING_A)).then("cancel", azure_error(504))

    assert await service(azure).cancel_run(IMAGE_TEMPLATE_ID) is True
    assert azure.calls == ["get", "cancel", "get", "cancel"]


async def test_a_refused_cancel_is_an_error() -> None:
    """A cancel that Azure refuses while the run goes on is reported."""
    azure = FakeImageBuilder(image_template(RUNNING_A)).then("cancel", azure_error(403, "AuthorizationFailed"))

    with pytest.raises(ArmRequestError, match="Could not cancel"):
        await service(azure).cancel_run(IMAGE_TEMPLATE_ID)


async def test_the_end_of_a_run_is_awaited() -> None:
    """A cancelled run ends when the service says so, not when the cancel was answered."""
    azure = FakeImageBuilder(image_template(run_status("Canceling", None)))
    azure.then("get", None, azure_error(500), None, azure.runs(run_status("Canceled", None)))

    status = await service(azure).wait_until_over(IMAGE_TEMPLATE_ID)

    assert status is not None
    assert status.run_state == "Canceled"


@pytest.mark.parametrize(("body", "wanted"), [(image_template(), None), (image_template(RUNNING_B), "A")])
async def test_nobody_elses_run_is_awaited(body: dict[str, object], wanted: str | None) -> None:
    """There is nothing to wait for when there never was a run, or only another one goes on."""
    azure = FakeImageBuilder(body)

    await service(azure).wait_until_over(IMAGE_TEMPLATE_ID, handle=handle(wanted) if wanted else None)

    assert azure.calls == ["get"]


async def test_the_end_of_a_run_is_awaited_for_a_bounded_time() -> None:
    """A run that stays Canceling is an error with the advice that is left."""
    azure = FakeImageBuilder(image_template(run_status("Canceling", None)))

    with pytest.raises(ImageRunTimeoutError, match=r"not over within 0:20:00; it is Canceling.*support"):
        await service(azure).wait_until_over(IMAGE_TEMPLATE_ID)


async def test_run_outputs_are_listed() -> None:
    """Run outputs are the wire's own."""
    outputs = await service(FakeImageBuilder(image_template())).list_run_outputs(IMAGE_TEMPLATE_ID)

    assert outputs == [{"name": "vhd", "properties": {"artifactUri": "https://x/y"}}]
