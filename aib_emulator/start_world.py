"""What an emulator holds when it starts: the group, gallery, identity and storage account that examples build on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from aib_emulator.arm.resource_id import ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aib_emulator.store import Resource
    from aib_emulator.world import World

    MakeIdentity = Callable[[ResourceId], Resource]

GROUP_NAME = "images"
IDENTITY_NAME = "image-builder"
GALLERY_NAME = "corp"
STORAGE_ACCOUNT_NAME = "imagestore"
CONTAINER_NAME = "images"
IMAGE_DEFINITIONS = {
    "linux-base": ("Linux", "V2"),
    "linux-vhd": ("Linux", "V1"),
    "windows-base": ("Windows", "V2"),
}
"""Operating system and generation of each."""
CLIENT_ROLES = ("Owner", "Storage Blob Data Owner")
IDENTITY_ROLES = ("Contributor", "Storage Blob Data Contributor")
"""Of the application and of the managed identity, on the subscription: nobody has to think of rights at first."""


async def furnish(world: World, make_identity: MakeIdentity) -> None:
    """Put everything into an empty world."""
    location = world.settings.location
    group_id = ResourceId(world.settings.subscription_id, GROUP_NAME)
    world.put_group(group_id, location=location, tags={})
    identity_id = group_id.in_group("Microsoft.ManagedIdentity", "userAssignedIdentities", IDENTITY_NAME)
    identity = world.store.put(make_identity(identity_id))
    _grant(world, world.settings.client_object_id, CLIENT_ROLES)
    _grant(world, identity.body["properties"]["principalId"], IDENTITY_ROLES)
    gallery_id = group_id.in_group("Microsoft.Compute", "galleries", GALLERY_NAME)
    world.compute.put_gallery(gallery_id, location=location)
    for name, (os_type, generation) in IMAGE_DEFINITIONS.items():
        world.compute.put_image_definition(
            gallery_id.child("images", name), location=location, os_type=os_type, hyper_v_generation=generation
        )
    account_id = group_id.in_group("Microsoft.Storage", "storageAccounts", STORAGE_ACCOUNT_NAME)
    await world.storage.create_account(account_id, location=location, tags={})
    await world.blobs.create_container(STORAGE_ACCOUNT_NAME, CONTAINER_NAME)


def _grant(world: World, principal_id: str, role_names: Iterable[str]) -> None:
    scope = f"/subscriptions/{world.settings.subscription_id}"
    for role_name in role_names:
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{role_name} of {principal_id}"))
        world.access.grant(role_name, principal_id, scope, name=name)
