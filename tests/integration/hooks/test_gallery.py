from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError
from airflow_aib.hooks.gallery import GalleryService, is_replicated, replication_states

if TYPE_CHECKING:
    from tests.integration.hooks.azure import Azure


async def test_an_image_version_is_read_with_its_replication(azure: Azure) -> None:
    """The version that a run made is in its region, and the definition lists it."""
    await azure.build()
    (output,) = await azure.service.list_run_outputs(azure.image_template_id)
    image_version_id = output["properties"]["artifactId"]
    gallery = GalleryService(azure.clients)

    plain = await gallery.get_image_version(image_version_id)
    body = await gallery.get_image_version(image_version_id, with_replication=True)

    assert plain is not None
    assert body is not None
    assert replication_states(plain) == {}
    assert replication_states(body) == {"eastus": "Completed"}
    assert is_replicated(body)
    listed = await gallery.list_image_versions(azure.image_definition_id)
    assert [item["name"] for item in listed] == [body["name"]]
    assert body["properties"]["publishingProfile"]["targetRegions"]


async def test_what_does_not_exist_is_none(azure: Azure) -> None:
    """A missing version is an answer; a missing definition has no versions to list."""
    gallery = GalleryService(azure.clients)

    assert await gallery.get_image_version(f"{azure.image_definition_id}/versions/9.9.9") is None
    with pytest.raises(ArmRequestError):
        await gallery.list_image_versions(azure.image_definition_id.replace("linux-base", "absent"))


async def test_an_id_of_something_else_is_refused(azure: Azure) -> None:
    """A definition is no version."""
    with pytest.raises(ImageTemplateError, match="versions"):
        await GalleryService(azure.clients).get_image_version(azure.image_definition_id)
