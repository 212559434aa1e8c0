"""Image templates to put into the emulator's start world, and the SDK's client for them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import azure.mgmt.imagebuilder
import azure.mgmt.imagebuilder.aio

from tests.contract.sdk_clients import GROUP, done, finished

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm
    from tests.contract.sdk_clients import Cloud

NAME = "tmpl1"
IMAGE_TEMPLATES = f"/resourceGroups/{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates"
ONE = f"{IMAGE_TEMPLATES}/{NAME}"
SHELL = {"type": "Shell", "name": "hello", "inline": ["echo hello from the build"]}
BASE = "/providers/Microsoft.Compute/galleries/corp/images/linux-vhd"
TO_VHD = {"type": "VHD", "runOutputName": "disk"}


def group_id(subscription_id: str) -> str:
    """Return the id of the start world's group."""
    return f"/subscriptions/{subscription_id}/resourceGroups/{GROUP}"


def to_gallery(subscription_id: str, definition: str = "linux-base", **more: Any) -> dict[str, Any]:
    """Return a distributor to the start world's gallery."""
    image_id = f"{group_id(subscription_id)}/providers/Microsoft.Compute/galleries/corp/images/{definition}"
    regions = {"replicationRegions": ["eastus"]}
    return {"type": "SharedImage", "runOutputName": "version", "galleryImageId": image_id, **regions, **more}


def to_managed_image(subscription_id: str, name: str = "img1") -> dict[str, Any]:
    """Return a distributor to a managed image."""
    image_id = f"{group_id(subscription_id)}/providers/Microsoft.Compute/images/{name}"
    return {"type": "ManagedImage", "runOutputName": "image", "imageId": image_id, "location": "eastus"}


def document(subscription_id: str, **properties: Any) -> dict[str, Any]:
    """Return an image template, with these properties in place of its own."""
    identities = "Microsoft.ManagedIdentity/userAssignedIdentities"
    identity_id = f"{group_id(subscription_id)}/providers/{identities}/image-builder"
    return copy.deepcopy(
        {
            "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id: {}}},
            "properties": {
                "source": {
                    "type": "PlatformImage",
                    "publisher": "Canonical",
                    "offer": "UbuntuServer",
                    "sku": "18.04-LTS",
                    "version": "latest",
                },
                "customize": [SHELL],
                "distribute": [to_gallery(subscription_id)],
                **properties,
            },
        }
    )


class Builder:
    """Do with image templates what users do, through the real SDK.

    :param cloud: whose client, in which flavour
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.subscription_id = cloud.settings.subscription_id
        self.client = cloud._manager(
            azure.mgmt.imagebuilder.ImageBuilderClient, azure.mgmt.imagebuilder.aio.ImageBuilderClient
        )
        self.image_templates = self.client.virtual_machine_image_templates

    async def create(self, name: str = NAME, **properties: Any) -> dict[str, Any]:
        """Put an image template and wait until it is there."""
        body = document(self.subscription_id, **properties)
        return as_json(await finished(self.image_templates.begin_create_or_update(GROUP, name, body)))

    async def get(self, name: str = NAME) -> dict[str, Any]:
        """Return an image template."""
        return as_json(await done(self.image_templates.get(GROUP, name)))

    async def run(self, name: str = NAME) -> None:
        """Run an image template and wait for the end of its operation."""
        await finished(self.image_templates.begin_run(GROUP, name))

    async def start(self, name: str = NAME) -> Any:
        """Start a run and do not wait."""
        return await done(self.image_templates.begin_run(GROUP, name, polling=False))

    async def delete(self, name: str = NAME) -> None:
        """Delete an image template and wait until it is gone."""
        await finished(self.image_templates.begin_delete(GROUP, name))


def as_json(model: Any) -> dict[str, Any]:
    """Return what an SDK model read, as it came."""
    found: dict[str, Any] = model.as_dict()
    return found


def create(raw: RawArm, name: str = NAME, **properties: Any) -> None:
    """Put an image template without any SDK, and let its creation end."""
    answer = raw.send("PUT", f"{IMAGE_TEMPLATES}/{name}", document(raw.settings.subscription_id, **properties))
    assert answer.status_code == 201, answer.text
    raw.thread.control.advance(60)


def last_run_status(raw: RawArm, name: str = NAME) -> dict[str, Any]:
    """Return what an image template says about its last run."""
    found: dict[str, Any] = raw.send("GET", f"{IMAGE_TEMPLATES}/{name}").json()["properties"]["lastRunStatus"]
    return found


def put_version(raw: RawArm, number: str, *, location: str = "eastus", **profile: Any) -> None:
    """Publish a gallery version, which takes 405 seconds."""
    source = {"id": f"{group_id(raw.settings.subscription_id)}/providers/Microsoft.Compute/images/none"}
    properties = {"storageProfile": {"source": source}, "publishingProfile": profile}
    body = {"location": location, "properties": properties}
    answer = raw.send("PUT", f"/resourceGroups/{GROUP}{BASE}/versions/{number}", body, api_version="2024-03-03")
    assert answer.status_code == 201, answer.text


def from_gallery(raw: RawArm, version: str = "latest") -> dict[str, Any]:
    """Return a source that is a version of a gallery image."""
    version_id = f"{group_id(raw.settings.subscription_id)}{BASE}/versions/{version}"
    return {"type": "SharedImageVersion", "imageVersionId": version_id}
