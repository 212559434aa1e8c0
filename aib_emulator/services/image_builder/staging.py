"""The staging resource group: made for an image template or lent to it, and cleared when that goes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.pending import CreationError

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.store import Resource
    from aib_emulator.world import World

MIDDLE_LENGTH = 40
"""How much of group and image template name shows in the name of a staging group."""
SERVICE = "AzureVMImageBuilder"
CREATED_BY, USED_BY = "createdBy", "usedBy"


async def make_staging(world: World, image_template: ImageTemplate) -> None:
    """Make or take over the staging group, and put a storage account into it; may raise CreationError."""
    if image_template.staging_group_id is None:
        _make_group(world, image_template)
    group_id = image_template.staging_group_id or _staging_group_id(image_template)
    account_id = group_id.in_group("Microsoft.Storage", "storageAccounts", image_template.staging_account)
    await world.storage.create_account(account_id, location=image_template.location, tags={})


def _make_group(world: World, image_template: ImageTemplate) -> None:
    group_id = _staging_group_id(image_template)
    lent = world.store.get(group_id)
    if lent is not None:
        _take_over(world, image_template, lent)
    else:
        own_tags = image_template.properties.get("managedResourceTags") or {}
        tags = {**own_tags, CREATED_BY: _maker(world, image_template), **_marks(image_template)}
        world.put_group(group_id, location=image_template.location, tags=tags)
    image_template.owns_staging_group = lent is None
    image_template.staging_group_id = group_id
    image_template.staging_account = uuid.uuid4().hex[:24]
    world.store.touch(image_template.image_template_id)


def is_marked(world: World, image_template: ImageTemplate) -> bool:
    """Whether the staging group is there, and its tags still name the image template."""
    group = None if image_template.staging_group_id is None else world.store.get(image_template.staging_group_id)
    return group is not None and _marks(image_template).items() <= group.body["tags"].items()


async def delete_staging(world: World, image_template: ImageTemplate) -> None:
    """Delete what an image template has in its staging group, and the group when it was made for it."""
    group_id = image_template.staging_group_id
    if group_id is None:
        return
    if image_template.owns_staging_group:
        await world.delete(group_id)
        return
    for resource in world.store.list_below(group_id):
        await world.delete(resource.id)
    lent = world.store.get(group_id)
    if lent is not None:
        for tag in (USED_BY, *_marks(image_template)):
            lent.body["tags"].pop(tag, None)


def _take_over(world: World, image_template: ImageTemplate, lent: Resource) -> None:
    if world.store.list_below(lent.id):
        raise _bad_group(f"The staging resource group '{lent.id.name}' is not empty.")
    if lent.body["location"] != image_template.location:
        raise _bad_group(f"The staging resource group '{lent.id.name}' lies in '{lent.body['location']}'.")
    if set(_marks(image_template)) & set(lent.body["tags"]):
        raise _bad_group(f"The staging resource group '{lent.id.name}' is used by another image template.")
    lent.body["tags"].update({USED_BY: _maker(world, image_template), **_marks(image_template)})


def _maker(world: World, image_template: ImageTemplate) -> str:
    return SERVICE if world.choices["staging-tags"] == "service" else image_template.image_template_id.write()


def _bad_group(message: str) -> CreationError:
    return CreationError("BadStagingResourceGroup", message)


def _marks(image_template: ImageTemplate) -> dict[str, str]:
    return {
        "imageTemplateName": image_template.image_template_id.name,
        "imageTemplateResourceGroupName": image_template.image_template_id.group.name,
    }


def _staging_group_id(image_template: ImageTemplate) -> ResourceId:
    own, given = image_template.image_template_id, image_template.properties["stagingResourceGroup"]
    if given:
        group_id = ResourceId.parse(given)
        if group_id.subscription_id.lower() != own.subscription_id.lower():
            raise _bad_group(f"'{given}' lies in another subscription.")
        return group_id
    middle = f"{own.resource_group_name}_{own.name}"[:MIDDLE_LENGTH]
    return ResourceId(own.subscription_id, f"IT_{middle}_{uuid.uuid4()}")
