from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.late_images import LateImages
from airflow_aib.image_run.run_status import read_last_run_status
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    SUBSCRIPTION,
    FakeClients,
    FakeClock,
    FakeImageBuilder,
    FakeModel,
    azure_error,
    image_template,
    reset,
    run_status,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.image_run.choices import OnPartialSuccess

GALLERY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/corp/images/base"
VERSION = f"{GALLERY}/versions/1.0.0"
PUBLISHED = {
    "id": VERSION,
    "properties": {
        "provisioningState": "Succeeded",
        "publishingProfile": {"publishedDate": "2026-01-05T04:00:00Z"},
        "replicationStatus": {"summary": [{"region": "westus", "state": "Completed"}]},
    },
}
DISTRIBUTE = [
    {"type": "SharedImage", "runOutputName": "gallery", "galleryImageId": VERSION},
    {"type": "VHD", "runOutputName": "vhd"},
]
WITHIN = timedelta(minutes=30)


@dataclass
class FakeGallery(FakeClients):
    """Be Azure with one gallery besides.

    :param answers: to the next reads of its version; then it is there
    """

    operations: FakeImageBuilder
    answers: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.operations)
        self.gallery_image_versions = self

    def compute(self, subscription_id: str | None) -> FakeGallery:
        """Give the client of galleries."""
        assert subscription_id == SUBSCRIPTION
        return self

    async def get(self, *names: str, **options: Any) -> FakeModel:
        """Read the version."""
        del names, options
        if self.answers:
            raise self.answers.pop(0)
        return FakeModel(PUBLISHED)


async def come(
    azure: FakeGallery,
    clock: FakeClock,
    run_state: str = "Failed",
    on_partial_success: OnPartialSuccess = "fail",
    distribute: Sequence[Mapping[str, Any]] = DISTRIBUTE,
) -> list[str]:
    """Wait for the late images of a run, and name those that came."""
    body = image_template(run_status(run_state), distribute=distribute)
    azure.operations.body = body
    status = read_last_run_status(body)
    assert status is not None
    service = ImageTemplateService(cast("AzureClients", azure), clock=clock)
    late = LateImages(service, IMAGE_TEMPLATE_ID, status, logging.getLogger(__name__), on_partial_success)
    return [image.run_output_name for image in await late.come(poll_interval=30, within=WITHIN)]


async def test_a_gallery_that_may_not_be_read_takes_no_other_image_away() -> None:
    """What can be seen has come, and nobody waits for what cannot be seen."""
    clock = FakeClock()

    assert await come(FakeGallery(FakeImageBuilder(), [azure_error(403)]), clock) == ["vhd"]
    assert clock.pauses == []


async def test_an_id_that_is_none_takes_no_other_image_away() -> None:
    """A version's id that nobody can read hides its own image, and the others are waited for."""
    clock = FakeClock()
    azure = FakeGallery(FakeImageBuilder())
    odd = [{"type": "SharedImage", "runOutputName": "odd", "galleryImageId": "/images/corp/versions/1.0.0"}]

    assert await come(azure, clock, distribute=[*odd, *DISTRIBUTE]) == ["gallery", "vhd"]
    assert clock.pauses == []


async def test_a_gallery_that_cannot_be_read_for_now_is_looked_at_again() -> None:
    """A fault that may pass costs neither its image nor another one."""
    clock = FakeClock()

    assert sorted(await come(FakeGallery(FakeImageBuilder(), [reset(), azure_error(503)]), clock)) == ["gallery", "vhd"]
    assert len(clock.pauses) == 2


@pytest.mark.parametrize(
    ("choice", "is_waited_for"),
    [("succeed", False), ({"gallery": "warn"}, False), ({"vhd": "warn"}, True), ("fail", True)],
)
async def test_what_may_lack_is_not_waited_for(choice: OnPartialSuccess, *, is_waited_for: bool) -> None:
    """Where Azure calls it a partial success and the user accepts that, there is nothing to wait for."""
    clock = FakeClock()
    missing: list[Exception] = [azure_error(404)] * 1000

    await come(FakeGallery(FakeImageBuilder(), missing), clock, "PartiallySucceeded", choice)

    assert (clock.now() - FakeClock().now() >= WITHIN) is is_waited_for
