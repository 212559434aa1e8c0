"""Image versions in galleries: read one, list them, see how far their replication is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.waiting import asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.clients import AzureClients

IMAGE_DEFINITION_TYPE = "Microsoft.Compute/galleries/images"
IMAGE_VERSION_TYPE = f"{IMAGE_DEFINITION_TYPE}/versions"
REPLICATION_STATUS = "ReplicationStatus"


class GalleryService:
    """Read galleries.

    :param clients: how Azure is reached
    """

    def __init__(self, clients: AzureClients) -> None:
        self.clients = clients

    async def get_image_version(
        self, image_version_id: str, *, with_replication: bool = False
    ) -> dict[str, Any] | None:
        """Give the body of an image version, or None when there is none.

        :param with_replication: adds how far the replication to each region is
        """
        resource_id = _parse(image_version_id, IMAGE_VERSION_TYPE)
        operations = self.clients.compute(resource_id.subscription_id).gallery_image_versions
        options = {"expand": REPLICATION_STATUS} if with_replication else {}
        try:
            async with asked("read image version", image_version_id):
                body = await operations.get(resource_id.resource_group_name, *resource_id.names, **options)
        except ArmRequestError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return dict(body.as_dict())

    async def list_image_versions(self, image_definition_id: str) -> list[dict[str, Any]]:
        """Give the bodies of all versions of an image definition, in no particular order."""
        resource_id = _parse(image_definition_id, IMAGE_DEFINITION_TYPE)
        operations = self.clients.compute(resource_id.subscription_id).gallery_image_versions
        async with asked("list the image versions of", image_definition_id):
            pages = operations.list_by_gallery_image(resource_id.resource_group_name, *resource_id.names)
            return [dict(item.as_dict()) async for item in pages]


def replication_states(image_version: Mapping[str, Any]) -> dict[str, str]:
    """Give the state of replication by region, spelled as `westus`; empty when the body was read without it."""
    status = (image_version.get("properties") or {}).get("replicationStatus") or {}
    return {
        str(entry.get("region", "")).replace(" ", "").lower(): str(entry.get("state", "Unknown"))
        for entry in status.get("summary") or []
    }


def is_replicated(image_version: Mapping[str, Any]) -> bool:
    """Whether the version is in all its regions."""
    states = replication_states(image_version)
    return bool(states) and all(state == "Completed" for state in states.values())


def _parse(text: str, resource_type: str) -> ResourceId:
    resource_id = ResourceId.parse(text)
    if resource_id.resource_type.lower() != resource_type.lower():
        raise ImageTemplateError(f"{text!r} is no resource id of type {resource_type}", hint="Check what the id is of.")
    return resource_id
