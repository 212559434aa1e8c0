from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.run_start import MOST_REFUSALS, JoinedRun, OtherRun, RunStart
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
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
from tests.unit.airflow_aib.hooks.scripted import ENDED_A, ENDED_B, RUNNING_A, RUNNING_B

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_aib.image_run.choices import IfRunning
    from airflow_aib.image_run.run_status import LastRunStatus

LOG = logging.getLogger("airflow_aib.tests.run_start")
HANDOVER = 120.0
FORMER = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))
OURS = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time("A"))


@dataclass
class FakeNotes:
    """Remember a run, and each one that was kept."""

    handle: ImageRunHandle | None = None
    former: ImageRunHandle | None = None
    kept: list[ImageRunHandle] = field(default_factory=list)
    on_keep: Callable[[ImageRunHandle], None] = lambda _: None

    def recall(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give it."""
        del image_template_id, status
        return self.handle

    def find_former(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the one that was given up."""
        del image_template_id, status
        return self.former

    def keep(self, handle: ImageRunHandle) -> None:
        """Remember another."""
        self.on_keep(handle)
        self.handle = handle
        self.kept.append(handle)

    def forget(self) -> None:
        """Forget it."""
        self.handle = None


@dataclass
class Start:
    """Come to a run of a scripted Azure."""

    azure: FakeImageBuilder
    notes: FakeNotes = field(default_factory=FakeNotes)
    asked: list[ImageRunHandle | None] = field(default_factory=list)

    async def settle(self, if_running: IfRunning = "wait") -> JoinedRun | OtherRun | RunEvent:
        """Look once."""
        service = ImageTemplateService(fake_clients(self.azure), clock=FakeClock())
        return await RunStart(service, self.notes, if_running, LOG, HANDOVER, self.asked.append).settle(
            IMAGE_TEMPLATE_ID
        )


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_the_intent_is_kept_before_azure_is_asked_and_its_consent_before_anything_else() -> None:
    """Whenever the process dies, what is kept says how far it came."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z")
    start = Start(azure)
    azure.then("run", lambda: azure.runs(RUNNING_B)() if start.notes.handle else None)

    found = await start.settle()

    assert isinstance(found, JoinedRun)
    assert [(handle.ownership, handle.start_time) for handle in start.notes.kept] == [
        (RunOwnership.UNCONFIRMED, None),
        (RunOwnership.OWN, None),
        (RunOwnership.OWN, start_time("B")),
    ]
    assert start.asked == start.notes.kept


async def test_a_kill_that_strikes_while_consent_is_kept_finds_the_run_to_be_ours() -> None:
    """What a kill may cancel is known before what the next try will find."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z").then("run", azure_error(429))
    start = Start(azure)
    start.notes.on_keep = lambda handle: told.append(start.asked[-1] == handle)
    told: list[bool] = []

    await start.settle()

    assert told == [True] * 4


async def test_the_intent_is_kept_anew_before_each_request_that_was_put_off() -> None:
    """The pauses that Azure asks for are long: a run that begins after them still began soon after it was asked for."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z")
    azure.then("run", azure_error(429, Retry_After="120"), azure_error(429, Retry_After="120"), azure_error(403))
    start = Start(azure)

    with pytest.raises(ArmRequestError, match="SomeCode"):
        await start.settle()

    # To the minute: each pause is a little longer than was asked for.
    assert [str(handle.asked_at)[:16] for handle in start.notes.kept] == [
        f"2026-01-05T05:{minutes:02}" for minutes in (0, 2, 4)
    ]
    assert {handle.previous_start_time for handle in start.notes.kept} == {start_time("A")}
    assert start.asked == [*start.notes.kept, None]


async def test_a_run_of_somebody_else_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The log says since when it goes on, how it was recognised, and what comes next."""
    found = await Start(FakeImageBuilder(image_template(RUNNING_A))).settle("wait")

    assert isinstance(found, OtherRun)
    assert found.handle.start_time == start_time("A")
    assert start_time("A") in caplog.text
    assert "although this task has asked for none" in caplog.text
    assert "waits until it is over" in caplog.text


async def test_a_run_of_somebody_else_is_adopted() -> None:
    """Its end is this task's; it is kept as somebody else's, and nothing is asked for."""
    start = Start(FakeImageBuilder(image_template(RUNNING_A)))

    found = await start.settle("adopt")

    assert isinstance(found, JoinedRun)
    assert (found.handle.start_time, found.handle.ownership) == (start_time("A"), RunOwnership.FOREIGN)
    assert start.notes.handle == found.handle
    assert start.azure.calls == ["get"]


async def test_the_first_look_bears_an_outage() -> None:
    """A try does not end since Azure is away for minutes when it begins."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("get", *[azure_error(503), reset()] * 8)
    azure.then("run", azure.runs(RUNNING_B))

    assert isinstance(await Start(azure).settle(), JoinedRun)


@pytest.mark.parametrize("former", [None, FORMER], ids=["foreign", "former"])
async def test_a_cancel_that_makes_room_is_asked_for_through_an_outage(former: ImageRunHandle | None) -> None:
    """The run in the way is cancelled as soon as Azure hears of it."""
    azure = FakeImageBuilder(image_template(RUNNING_A))
    azure.then("cancel", *[azure_error(503)] * 9, azure.runs(run_status("Canceling", None, start="A")))

    assert isinstance(await Start(azure, FakeNotes(former=former)).settle("cancel"), OtherRun)
    assert azure.calls.count("cancel") == 10


async def test_a_run_of_somebody_else_is_cancelled() -> None:
    """It is cancelled, and has to be over before anything is asked for."""
    azure = FakeImageBuilder(image_template(RUNNING_A))
    azure.then("cancel", azure.runs(run_status("Canceling", None, start="A")))
    start = Start(azure)

    assert isinstance(await start.settle("cancel"), OtherRun)
    assert isinstance(await start.settle("cancel"), OtherRun)
    assert azure.calls.count("cancel") == 1
    assert start.notes.kept == []


async def test_a_run_of_somebody_else_may_be_an_error() -> None:
    """With `fail` the error names it."""
    with pytest.raises(ImageTemplateInUseError, match=start_time("A")):
        await Start(FakeImageBuilder(image_template(RUNNING_A))).settle("fail")


@pytest.mark.parametrize("if_running", ["wait", "adopt", "fail"])
async def test_who_was_quicker_is_somebody_else(if_running: IfRunning, caplog: pytest.LogCaptureFixture) -> None:
    """A run that begins between look and request is dealt with like one that went on before, and not remembered."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", (azure.runs(RUNNING_B), azure_error(405, "OperationNotAllowed")))
    start = Start(azure)

    if if_running == "fail":
        with pytest.raises(ImageTemplateInUseError, match=start_time("B")):
            await start.settle(if_running)
    else:
        found = await start.settle(if_running)
        assert isinstance(found, JoinedRun if if_running == "adopt" else OtherRun)
        assert found.handle.ownership == RunOwnership.FOREIGN

    assert (start.notes.handle is not None) is (if_running == "adopt")
    assert "refused this task's request because of it" in caplog.text
    assert azure.calls.count("run") == 1


REFUSED = azure_error(405, "OperationNotAllowed")


async def test_who_was_quicker_may_be_done_already() -> None:
    """When the other run is over by the look, it is this task's turn, and not an error."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z")
    azure.then("run", (azure.runs(ENDED_B), REFUSED), azure.runs(run_status(start="C")))
    start = Start(azure)

    found = await start.settle("fail")

    assert isinstance(found, JoinedRun)
    assert (found.handle.start_time, found.handle.is_own) == (start_time("C"), True)
    assert start.asked[1] is None


async def test_who_is_quicker_each_time_ends_the_try() -> None:
    """Runs that come and go for ever do not keep a task asking for ever."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at="20260105T050000Z")
    azure.then("run", *[(azure.runs(run_status("Succeeded", start=letter)), REFUSED) for letter in "BCDEFGH"])

    with pytest.raises(ImageTemplateInUseError, match=start_time("G")):
        await Start(azure).settle("wait")
    assert azure.calls.count("run") == 1 + MOST_REFUSALS


async def test_what_was_refused_is_forgotten_before_anybody_looks_why() -> None:
    """Else a worker that dies then leaves the next try to take for its own what was the reason."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", REFUSED)
    start = Start(azure)
    kept: list[ImageRunHandle | None] = []
    azure.then("get", None, lambda: kept.append(start.notes.handle), azure.runs(RUNNING_B))

    assert isinstance(await start.settle("wait"), OtherRun)
    assert kept == [None]


@pytest.mark.parametrize(
    ("routed_at", "is_asked_for"),
    [("20260105T040000Z", False), ("20260105T040159Z", False), ("20260105T040200Z", True)],
)
async def test_a_run_that_has_just_ended_is_left_to_be_read(routed_at: str, *, is_asked_for: bool) -> None:
    """Whoever waits for it has time to see its end and read its outputs before the next run hides both."""
    azure = FakeImageBuilder(image_template(ENDED_A), routed_at=routed_at)
    azure.then("run", azure.runs(RUNNING_B))

    found = await Start(azure).settle("fail")

    assert isinstance(found, JoinedRun if is_asked_for else OtherRun)
    assert azure.calls.count("run") == int(is_asked_for)


async def test_its_own_former_run_is_waited_for_whatever_the_user_chose(caplog: pytest.LogCaptureFixture) -> None:
    """A run of an earlier try that is being cancelled is no conflict with anybody."""
    azure = FakeImageBuilder(image_template(run_status("Canceling", None, start="A")))

    found = await Start(azure, FakeNotes(former=FORMER)).settle("fail")

    assert isinstance(found, OtherRun)
    assert found.handover == 0
    assert "An earlier try of this task has given up the run" in caplog.text
    assert azure.calls == ["get"]


@pytest.mark.parametrize("is_own", [True, False])
async def test_its_own_former_run_is_cancelled_until_azure_has_heard_it(*, is_own: bool) -> None:
    """A cancel that has failed is asked for again; what is not certainly the task's own is waited for only."""
    azure = FakeImageBuilder(image_template(RUNNING_A))
    former = FORMER if is_own else replace(FORMER, ownership=RunOwnership.UNCONFIRMED)

    assert isinstance(await Start(azure, FakeNotes(former=former)).settle("fail"), OtherRun)
    assert azure.calls.count("cancel") == int(is_own)


async def test_what_a_later_run_hides_is_said_to_be_unknown() -> None:
    """Nobody can say any more how ours ended: that is said, and nothing is started in silence."""
    azure = FakeImageBuilder(image_template(run_status("Succeeded", start="C")))

    event = await Start(azure, FakeNotes(replace(OURS, start_time=start_time("B")))).settle()

    assert isinstance(event, RunEvent)
    assert event.status == "gone"
    assert start_time("C") in event.message
    assert azure.calls == ["get"]


async def test_an_accepted_run_is_not_asked_for_again() -> None:
    """What Azure has accepted will appear, and is watched for."""
    azure = FakeImageBuilder(image_template(ENDED_A))

    found = await Start(azure, FakeNotes(OURS)).settle()

    assert isinstance(found, JoinedRun)
    assert found.handle == OURS
    assert azure.calls == ["get"]


async def test_what_was_never_answered_and_never_came_is_asked_for_again() -> None:
    """The intent of an earlier try is carried out."""
    azure = FakeImageBuilder(image_template(ENDED_A))
    azure.then("run", azure.runs(RUNNING_B))
    start = Start(azure, FakeNotes(replace(OURS, ownership=RunOwnership.UNCONFIRMED)))

    found = await start.settle()

    assert isinstance(found, JoinedRun)
    assert found.handle.is_own
    assert azure.calls.count("run") == 1


@pytest.mark.parametrize(
    ("error", "is_repeat", "is_kept"),
    [(403, False, False), (403, True, True), (504, False, True), (409, False, True)],
)
async def test_only_a_run_that_may_have_come_about_is_remembered(error: int, *, is_repeat: bool, is_kept: bool) -> None:
    """After a clear refusal the next try must not take for its own what somebody else has started meanwhile."""
    azure = FakeImageBuilder(image_template(ENDED_A)).then("run", azure_error(error))
    earlier = replace(OURS, ownership=RunOwnership.UNCONFIRMED) if is_repeat else None
    start = Start(azure, FakeNotes(earlier))

    with pytest.raises(ArmRequestError):
        await start.settle()

    assert (start.notes.handle is not None) is is_kept
