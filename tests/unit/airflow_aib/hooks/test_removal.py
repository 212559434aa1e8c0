from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.accepted_losses import AcceptedLosses
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.removal import Removal
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    run_status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

VHD = {"distribute": [{"type": "VHD", "runOutputName": "vhd"}]}


def removal(azure: FakeImageBuilder, **accepted: bool) -> Removal:
    """Make what removes the image template of a made-up Azure."""
    return Removal(
        service=ImageTemplateService(fake_clients(azure), clock=FakeClock()),
        image_template_id=IMAGE_TEMPLATE_ID,
        accepted=AcceptedLosses(**accepted),
        poll_interval=30,
        provision_timeout=timedelta(hours=1),
        cancel_allowance=timedelta(minutes=20),
    )


def becomes(azure: FakeImageBuilder, body: dict[str, Any] | None) -> Callable[[], None]:
    """Make a step after which the image template looks so."""

    def step() -> None:
        azure.body = body

    return step


async def test_what_is_not_there_is_not_deleted() -> None:
    """No image template is fine, and Azure is asked once."""
    azure = FakeImageBuilder(None)

    assert not await removal(azure).delete()
    assert azure.calls == ["get"]


async def test_what_is_being_deleted_is_not_deleted_again() -> None:
    """A deletion that goes on is joined."""
    azure = FakeImageBuilder(image_template(provisioningState="Deleting"))

    assert await removal(azure).delete()
    assert "delete" not in azure.calls


async def test_a_run_is_cancelled_only_with_leave() -> None:
    """A run that goes on is a loss; nothing is cancelled, nor deleted, before it is accepted."""
    azure = FakeImageBuilder(image_template(run_status()))

    with pytest.raises(ImageTemplateInUseError, match="cancel_running=True"):
        await removal(azure).delete()
    assert azure.calls == ["get"]


async def test_a_cancelled_run_leaves_nothing_to_save() -> None:
    """With leave the run is cancelled, its end awaited, and the image template deleted with its log."""
    azure = FakeImageBuilder(image_template(run_status(), **VHD))
    azure.then("cancel", azure.runs(run_status("Canceled")))

    assert await removal(azure, cancel_running=True).delete()
    assert [call for call in azure.calls if call != "get"] == ["cancel", "delete"]


@pytest.mark.parametrize("run_state", ["Succeeded", "PartiallySucceeded"])
async def test_a_run_that_was_quicker_than_the_cancel_is_not_lost(run_state: str) -> None:
    """The leave to cancel a run is none to lose what it has made by then."""
    azure = FakeImageBuilder(image_template(run_status(), **VHD))
    azure.then("cancel", azure.runs(run_status(run_state)))

    with pytest.raises(ImageTemplateInUseError, match=r"the VHD 'vhd'.*has not been copied"):
        await removal(azure, cancel_running=True).delete()
    assert "delete" not in azure.calls


async def test_a_run_that_was_quicker_may_be_given_up() -> None:
    """Who gives up everything gets the image template deleted, however its run ended."""
    azure = FakeImageBuilder(image_template(run_status(), **VHD))
    azure.then("cancel", azure.runs(run_status("Succeeded")))

    assert await removal(azure, cancel_running=True, discard_vhds=True, discard_logs=True).delete()
    assert azure.calls[-1] == "delete"


async def test_a_creation_is_awaited_first() -> None:
    """Azure refuses to delete what it still creates: its end is awaited."""
    azure = FakeImageBuilder(image_template(provisioningState="Creating"))
    azure.then("get", None, None, becomes(azure, image_template()))

    assert await removal(azure).delete()
    assert azure.calls == ["get", "get", "get", "delete"]


async def test_a_creation_that_fails_leaves_something_to_delete() -> None:
    """A creation that fails while it is awaited is no error: the leftover is what is to go."""
    failed = image_template(
        provisioningState="Failed", provisioningError={"provisioningErrorCode": "ServerError", "message": "Oh."}
    )
    azure = FakeImageBuilder(image_template(provisioningState="Creating"))
    azure.then("get", None, becomes(azure, failed))

    assert await removal(azure).delete()
    assert azure.calls[-1] == "delete"


async def test_an_image_template_may_go_while_it_is_awaited() -> None:
    """Somebody else may delete it first."""
    azure = FakeImageBuilder(image_template(provisioningState="Updating"))
    azure.then("get", None, becomes(azure, None))

    assert not await removal(azure).delete()
    assert "delete" not in azure.calls


async def test_a_wait_that_cannot_go_on_is_an_error() -> None:
    """While it is being created, and may not be looked at, nothing is deleted."""
    azure = FakeImageBuilder(image_template(provisioningState="Creating"))
    azure.then("get", None, azure_error(403))

    with pytest.raises(ArmRequestError, match="HTTP 403"):
        await removal(azure).delete()
    assert "delete" not in azure.calls


async def test_a_creation_that_never_ends_is_an_error() -> None:
    """The wait for it has an end, and nothing is deleted then."""
    azure = FakeImageBuilder(image_template(provisioningState="Creating"))

    with pytest.raises(ArmRequestError, match="was not provisioned within 1:00:00"):
        await removal(azure).delete()
    assert "delete" not in azure.calls
