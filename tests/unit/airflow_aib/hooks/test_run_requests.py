from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.run_requests import LOST_RUN_PATIENCE, RunRequests, ServiceTime
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    FakePipelineResponse,
    FakeResponse,
    azure_error,
    fake_clients,
    image_template,
    reset,
    run_status,
    start_time,
)
from tests.unit.airflow_aib.hooks.scripted import ENDED_A, RUNNING_A, RUNNING_B, handle


def service(azure: FakeImageBuilder, clock: FakeClock | None = None) -> RunRequests:
    """Make the service on a scripted Azure."""
    return RunRequests(fake_clients(azure), clock=clock or FakeClock())


def unconfirmed(start: str | None = None, previous: str | None = None) -> ImageRunHandle:
    """Give the handle of a run whose start was not answered."""
    return replace(handle(start, previous), ownership=RunOwnership.UNCONFIRMED)


async def test_preparing_notes_the_run_before() -> None:
    """The handle of a run that is yet to be asked for knows the last one, and starts nothing."""
    azure = FakeImageBuilder(image_template(ENDED_A))

    assert await service(azure).prepare_run(IMAGE_TEMPLATE_ID) == unconfirmed(previous="A")
    assert azure.calls == ["get"]


async def test_preparing_notes_the_services_time() -> None:
    """Start times are told by the service's clock, so that when a run was asked for is told by it too."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T030000Z")

    prepared = await service(azure).prepare_run(IMAGE_TEMPLATE_ID)

    assert prepared.asked_at == "2026-01-05T03:00:00+00:00"


async def test_a_run_is_started_once_and_known_by_its_start_time() -> None:
    """The SDK repeats nothing, and the start time is what the service shows, with all its digits."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure.runs(RUNNING_B))

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID)

    assert started.start_time == start_time("B")
    assert started.previous_start_time == start_time("A")
    assert azure.calls.count("run") == 1
    options = azure.options["run"]
    assert (options["polling"], options["retry_total"]) == (False, 0)
    assert started.is_own


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
    """When a later run has come and gone, ours cannot be joined any more, and who asks for a run gets a new one."""
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


@pytest.mark.parametrize(
    "refusal",
    [
        azure_error(409, "OperationNotAllowed", "is not allowed in provisioning state: provisioned"),
        azure_error(405, "OperationNotAllowed", "is not allowed in provisioning state: provisioned"),
        azure_error(409, "Conflict", "another operation is in progress"),
    ],
)
async def test_a_run_that_began_between_look_and_request_is_named_too(refusal: Exception) -> None:
    """Azure's refusal says that the run is not ours, and becomes the same error."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", (azure.runs(RUNNING_B), refusal))

    with pytest.raises(ImageTemplateInUseError, match=start_time("B")):
        await service(azure).start_run(IMAGE_TEMPLATE_ID)


REFUSED = azure_error(405, "OperationNotAllowed")


async def test_a_refusal_stays_one_where_the_run_is_over_by_the_look() -> None:
    """It was because of a run, which is not ours, however soon that has ended."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", (azure.runs(run_status("Succeeded", start="B")), REFUSED))

    with pytest.raises(ImageTemplateInUseError, match=rf"until 2026-01-05T04:00:00.5Z, begun {start_time('B')}"):
        await service(azure).start_run(IMAGE_TEMPLATE_ID)


async def test_the_reason_of_a_refusal_may_show_late() -> None:
    """Looks that fail, and answers that are out of date, do not leave the refusal unexplained."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", REFUSED)
    azure.then("get", None, azure_error(503), None, azure_error(503), azure.runs(RUNNING_B))

    with pytest.raises(ImageTemplateInUseError, match=start_time("B")):
        await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)
    assert len(clock.pauses) == 3


@pytest.mark.parametrize("look", [None, azure_error(503), azure_error(403)], ids=["idle", "away", "not allowed"])
async def test_a_refusal_that_nothing_explains_is_azures_own(look: Exception | None) -> None:
    """When no run shows in time, or nobody can look, what Azure has said stands."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", REFUSED).then("get", None, *[look] * 100)

    with pytest.raises(ArmRequestError, match=r"Could not run image template.*OperationNotAllowed") as caught:
        await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)
    assert caught.value.status == 405
    assert clock.now() - START <= LOST_RUN_PATIENCE.within


@pytest.mark.parametrize(
    ("refusal", "state"),
    [(azure_error(403, "AuthorizationFailed"), "Succeeded"), (REFUSED, "Updating"), (REFUSED, "Deleting")],
)
async def test_a_refusal_that_no_run_explains_is_raised_at_once(refusal: Exception, state: str) -> None:
    """A refusal for another reason is not blamed on a run."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A, provisioningState=state)).then("run", refusal)

    with pytest.raises(ArmRequestError, match="Could not run image template"):
        await service(azure, clock).start_run(IMAGE_TEMPLATE_ID)
    assert azure.calls.count("run") == 1
    assert clock.pauses == []


async def test_nothing_is_left_to_find_after_a_refusal() -> None:
    """Before anybody looks why, it is told that nothing has come of the request."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", REFUSED)
    told: list[list[str]] = []
    requests = service(azure)
    prepared = await requests.prepare_run(IMAGE_TEMPLATE_ID)

    with pytest.raises(ArmRequestError):
        await requests.request_run(prepared, on_refused=lambda: told.append(list(azure.calls)))

    assert told == [["get", "run"]]


@pytest.mark.parametrize("error", [azure_error(408), azure_error(504), azure_error(500), reset()])
async def test_a_lost_answer_is_looked_up_and_never_repeated(error: Exception) -> None:
    """A run that began although its answer was lost is found by its start time."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", error).then("get", None, None, azure_error(500), None, azure.runs(RUNNING_B))

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID)

    assert started == unconfirmed("B", "A")
    assert azure.calls.count("run") == 1


async def test_an_answer_that_says_nothing_is_looked_up_too() -> None:
    """A conflict that is not Azure's word for "a run goes on" leaves open whether ours has begun."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", azure_error(409, "PlannedFault"))
    azure.then("get", None, None, None, azure.runs(RUNNING_B))

    assert await service(azure).start_run(IMAGE_TEMPLATE_ID) == unconfirmed("B", "A")
    assert azure.calls.count("run") == 1


async def test_a_repeated_request_may_be_refused_because_of_ours() -> None:
    """A request that was never answered, and comes through while it is repeated, is not taken for somebody else's."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", (azure.runs(RUNNING_B), azure_error(405, "OperationNotAllowed")))
    requests = service(azure)
    prepared = await requests.prepare_run(IMAGE_TEMPLATE_ID)

    assert await requests.request_run(prepared, is_repeat=True) == unconfirmed("B", "A")


async def test_an_accepted_run_begins_by_the_services_time() -> None:
    """Azure's consent tells when, however long the request took before."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T030000Z")
    azure.then("run", lambda: setattr(azure, "routed_at", "20260105T033000Z"))
    requests = service(azure)

    accepted = await requests.request_run(await requests.prepare_run(IMAGE_TEMPLATE_ID))

    assert (accepted.asked_at, accepted.is_own) == ("2026-01-05T03:30:00+00:00", True)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-routing-request-id": "EASTUS:20260105T033000Z:r", "Date": "Mon, 05 Jan 2026 03:30:09 GMT"},
        {"Date": "Mon, 05 Jan 2026 03:30:00 GMT"},
        {"Date": "Mon, 05 Jan 2026 03:30:00"},
        {"x-ms-routing-request-id": "somewhere", "Date": "Mon, 05 Jan 2026 03:30:00 GMT"},
    ],
    ids=", ".join,
)
def test_the_services_time_is_in_either_header(headers: dict[str, str]) -> None:
    """Where Azure's front door does not say when it saw the request, HTTP's own header tells when it was answered."""
    moment = ServiceTime()
    moment(FakePipelineResponse(FakeResponse(202, None, headers)))

    assert moment.at == "2026-01-05T03:30:00+00:00"


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}, {"x-ms-routing-request-id": "EASTUS:20261399T999999Z:r"}])
def test_an_answer_may_tell_no_time(headers: dict[str, str]) -> None:
    """Nor does one that cannot be read."""
    moment = ServiceTime()
    moment(FakePipelineResponse(FakeResponse(202, None, headers)))

    assert moment.at is None


async def test_consent_without_a_time_counts_from_the_look() -> None:
    """The service told its time with the look before: what has passed since is added."""
    clock = FakeClock()
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z")
    requests = service(azure, clock)
    prepared = await requests.prepare_run(IMAGE_TEMPLATE_ID)
    azure.routed_at = None
    azure.then("run", lambda: setattr(clock, "time", START + timedelta(seconds=40)))

    accepted = await requests.request_run(prepared)

    assert (accepted.asked_at, accepted.is_own) == ("2026-01-05T05:00:40+00:00", True)


@pytest.mark.parametrize("is_seen", [True, False])
async def test_consent_where_nothing_tells_the_time_needs_the_start(*, is_seen: bool) -> None:
    """A run of two months later must not be taken for certainly ours."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure.runs(RUNNING_B) if is_seen else None)

    started = await service(azure).start_run(IMAGE_TEMPLATE_ID)

    assert (started.start_time is not None, started.is_own) == (is_seen, is_seen)


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
    assert 9 <= clock.pauses[0] <= 9 * 1.1


async def test_running_what_does_not_exist_is_an_error() -> None:
    """There is nothing to run without an image template."""
    with pytest.raises(ArmRequestError, match="There is no image template"):
        await service(FakeImageBuilder()).start_run(IMAGE_TEMPLATE_ID)
