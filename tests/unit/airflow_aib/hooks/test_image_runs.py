from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageRunTimeoutError
from airflow_aib.hooks.image_runs import ImageRuns
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
)
from tests.unit.airflow_aib.hooks.scripted import ENDED_A, RUNNING_A, RUNNING_B, handle

if TYPE_CHECKING:
    from collections.abc import Callable


def service(azure: FakeImageBuilder, clock: FakeClock | None = None) -> ImageRuns:
    """Make the service on a scripted Azure."""
    return ImageRuns(fake_clients(azure), clock=clock or FakeClock())


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


class ScriptedLooks:
    """Bring looks that many waits share, from a script; the last one lasts."""

    image_template_id = IMAGE_TEMPLATE_ID.lower()

    def __init__(self, *statuses: dict[str, Any]) -> None:
        self._left = list(statuses)
        self.rests = 0

    async def look(self) -> dict[str, Any] | None:
        """Give the next."""
        return image_template(self._left.pop(0) if len(self._left) > 1 else self._left[0])

    async def rest(self, seconds: float, *, in_person: bool = False) -> None:
        """Count the pauses."""
        assert seconds > 0
        assert not in_person
        self.rests += 1


async def test_a_turn_is_waited_for_with_the_looks_that_all_share() -> None:
    """While the other run goes on no wait has requests of its own; its end is looked at by the service's time."""
    azure = FakeImageBuilder(image_template(ENDED_A))

    def answer_at(moment: str) -> Callable[[], None]:
        return lambda: setattr(azure, "routed_at", f"20260105T{moment}Z")

    azure.then("get", answer_at("040030"), answer_at("040130"), answer_at("040230"))
    looks = ScriptedLooks(*[RUNNING_A] * 5, ENDED_A)
    waiting = ImageRuns(fake_clients(azure), clock=FakeClock(), looks=looks)

    await waiting.wait_until_idle(
        IMAGE_TEMPLATE_ID, handle=handle("A"), handover=timedelta(minutes=2), within=timedelta(hours=1)
    )

    assert (looks.rests, azure.calls) == (7, ["get"] * 3)


@pytest.mark.parametrize("shown", [RUNNING_B, ENDED_A], ids=["listed", "by itself"])
async def test_a_run_that_follows_at_once_ends_the_wait_for_a_turn(shown: dict[str, Any]) -> None:
    """Whether the list shows it, or only the image template itself: the turn was taken by others again."""
    waiting = ImageRuns(
        fake_clients(FakeImageBuilder(image_template(RUNNING_B))), clock=FakeClock(), looks=ScriptedLooks(shown)
    )

    await waiting.wait_until_idle(IMAGE_TEMPLATE_ID, handle=handle("A"), within=timedelta(hours=1))


async def test_run_outputs_are_listed() -> None:
    """Run outputs are the wire's own."""
    outputs = await service(FakeImageBuilder(image_template())).list_run_outputs(IMAGE_TEMPLATE_ID)

    assert outputs == [{"name": "vhd", "properties": {"artifactUri": "https://x/y"}}]
