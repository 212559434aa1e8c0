from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.accepted_losses import AcceptedLosses
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.removal import Removal
from airflow_aib.hooks.submission import Submission
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from tests.fakes import IMAGE_TEMPLATE_ID, SUBSCRIPTION, FakeClock, FakeImageBuilder, azure_error, fake_clients

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT: dict[str, Any] = {
    "location": "eastus",
    "properties": {
        "source": {"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s", "version": "latest"},
        "customize": [{"type": "Shell", "name": "updates", "inline": ["true"]}],
        "distribute": [{"type": "VHD", "runOutputName": "vhd"}],
    },
}


def rendered() -> RenderedImageTemplate:
    """Give what is to be submitted."""
    return render(read_document(DOCUMENT), {}, RenderContext(SUBSCRIPTION, "images"))


def found(state: str, **properties: Any) -> dict[str, Any]:
    """Give the image template as Azure shows it."""
    wanted = rendered().body
    return {**wanted, "properties": {**wanted["properties"], "provisioningState": state, **properties}}


OTHER = {"vmProfile": {"vmSize": "Standard_D8s_v5"}}


def becomes(azure: FakeImageBuilder, body: dict[str, Any] | None) -> Callable[[], None]:
    """Make a step after which the image template looks so."""

    def step() -> None:
        azure.body = body

    return step


def submission(azure: FakeImageBuilder, *, may_replace: bool = True) -> Submission:
    """Make what submits to a made-up Azure, where a deletion takes no time."""
    azure.then("delete", becomes(azure, None))
    service = ImageTemplateService(fake_clients(azure), clock=FakeClock())
    removal = Removal(service, IMAGE_TEMPLATE_ID, AcceptedLosses(), 30, timedelta(hours=1), timedelta(minutes=20))
    return Submission(removal, rendered(), may_replace, logging.getLogger(__name__))


def changes(azure: FakeImageBuilder) -> list[str]:
    """Give what was asked of Azure beside looks."""
    return [call for call in azure.calls if call != "get"]


async def test_a_new_one_is_submitted() -> None:
    """Where nothing stands, one request makes it."""
    azure = FakeImageBuilder(None)

    submitted = await submission(azure).submit()

    assert submitted.body["properties"]["provisioningState"] == "Creating"
    assert changes(azure) == ["put"]


@pytest.mark.parametrize("state", ["Succeeded", "Creating", "Updating"])
async def test_the_same_content_is_used_again(state: str) -> None:
    """What is there, or is being created already, with the same content is not submitted again."""
    azure = FakeImageBuilder(found(state))

    assert (await submission(azure).submit()).body["properties"]["provisioningState"] == state
    assert changes(azure) == []


async def test_other_content_is_replaced() -> None:
    """Azure cannot change an image template: it is deleted, and made anew when it is gone."""
    azure = FakeImageBuilder(found("Succeeded", **OTHER))

    await submission(azure).submit()

    assert changes(azure) == ["delete", "put"]


async def test_other_content_that_is_being_created_is_awaited() -> None:
    """Azure refuses to delete what it creates: its end is awaited, then it is replaced."""
    azure = FakeImageBuilder(found("Creating", **OTHER))
    azure.then("get", None, None, becomes(azure, found("Succeeded", **OTHER)))

    await submission(azure).submit()

    assert changes(azure) == ["delete", "put"]


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
async def test_a_failed_leftover_is_replaced_without_leave(state: str) -> None:
    """What Azure could not take in is nobody's, whatever its content."""
    azure = FakeImageBuilder(found(state))

    await submission(azure, may_replace=False).submit()

    assert changes(azure) == ["delete", "put"]


async def test_a_deletion_that_goes_on_is_awaited() -> None:
    """While the name is not free yet nothing is submitted; and nothing is deleted twice."""
    azure = FakeImageBuilder(found("Deleting"))
    azure.then("get", None, None, becomes(azure, None))

    await submission(azure).submit()

    assert changes(azure) == ["put"]


async def test_other_content_stays_without_leave() -> None:
    """The error names what differs, and nothing is asked of Azure."""
    azure = FakeImageBuilder(found("Succeeded", **OTHER))

    with pytest.raises(ImageTemplateInUseError, match="/properties/vmProfile"):
        await submission(azure, may_replace=False).submit()
    assert changes(azure) == []


@pytest.mark.parametrize(("state", "is_told"), [("Succeeded", True), ("Failed", False), ("Deleting", False)])
async def test_a_refused_replacement_says_that_the_old_one_is_gone(state: str, is_told: bool) -> None:
    """The name is free and nothing can be run there: the error says so, where a sound image template had to go."""
    azure = FakeImageBuilder(found(state, **OTHER)).then("put", azure_error(400, "FailedIdentityOperation"))
    if state == "Deleting":
        azure.then("get", None, None, becomes(azure, None))

    with pytest.raises(ArmRequestError, match="FailedIdentityOperation") as refused:
        await submission(azure).submit()

    assert ("has been deleted to be replaced" in str(refused.value)) is is_told
    assert ("with the former document" in str(refused.value)) is is_told
