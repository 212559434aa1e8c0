"""What an image template's identity must be allowed to do, and what the service says when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.blob_address import account_and_blob
from aib_emulator.services.image_builder.messages import (
    GENERIC,
    UNUSABLE_IDENTITY,
    managed_image_denied,
    network_denied,
    not_authorized,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World

GALLERIES = "Microsoft.Compute/galleries"
READ_GALLERY = (f"{GALLERIES}/read", f"{GALLERIES}/images/read", f"{GALLERIES}/images/versions/read")
WRITE_GALLERY = (*READ_GALLERY, f"{GALLERIES}/images/versions/write")
READ_IMAGE = ("Microsoft.Compute/images/read",)
WRITE_IMAGE = (*READ_IMAGE, "Microsoft.Compute/images/write", "Microsoft.Compute/images/delete")
USE_STAGING_GROUP = (
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Compute/virtualMachines/write",
)
"""What tells a contributor or owner of a staging group from anybody else."""
READ_NETWORK = ("Microsoft.Network/virtualNetworks/read",)
JOIN_SUBNET = ("Microsoft.Network/virtualNetworks/subnets/join/action",)
ASSIGN_IDENTITY = ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",)

WRITE_BLOBS = ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",)


@dataclass(frozen=True)
class Right:
    """Describe something that the identity must be allowed to do.

    :param actions: all of these
    :param place: resource id of where
    :param code: the `provisioningErrorCode` of a creation that fails for lack of it
    :param message: what such a creation says
    :param run_message: what a run says that fails for lack of it
    :param distributor: which distributor alone fails for lack of it; None when the whole run does
    """

    actions: tuple[str, ...]
    place: str
    code: str
    message: str
    run_message: str
    distributor: int | None = None


def needed_rights(image_template: ImageTemplate) -> Iterator[Right]:
    """Yield what the identity needs, in the order in which the service gets to it."""
    properties = image_template.properties
    yield from _source_rights(properties["source"])
    for index, distributor in enumerate(properties["distribute"]):
        yield from _distributor_rights(distributor, index)
    if properties.get("stagingResourceGroup"):
        group_id = properties["stagingResourceGroup"]
        yield _named(USE_STAGING_GROUP, group_id, "BadStagingResourceGroup")
    profile = properties.get("vmProfile") or {}
    yield from _network_rights(profile.get("vnetConfig") or {}, image_template)
    for identity_id in profile.get("userAssignedIdentities") or []:
        yield Right(ASSIGN_IDENTITY, identity_id, "ServerError", GENERIC, GENERIC)


def missing_rights(world: World, image_template: ImageTemplate) -> list[Right]:
    """Return what the identities of an image template need and are not allowed to do."""
    if not image_template.identity:  # of a preview: the service works with rights of its own
        return []
    principal_ids = [identity.body["properties"]["principalId"] for identity in _identities(world, image_template)]

    def is_given(right: Right) -> bool:
        return all(
            any(world.access.may(principal_id, action, right.place) for principal_id in principal_ids)
            for action in right.actions
        )

    missing = [right for right in needed_rights(image_template) if not is_given(right)]
    return [*missing, *_unwritable(world, image_template, principal_ids)]


def _unwritable(world: World, image_template: ImageTemplate, principal_ids: list[str]) -> Iterator[Right]:
    """Yield a right for each VHD whose place is not in this emulator, or that no identity may write."""
    for index, distributor in enumerate(image_template.properties["distribute"]):
        if distributor["type"] == "VHD" and distributor.get("uri"):
            place = account_and_blob(distributor["uri"], world.blobs.public_url)
            roles = [] if place is None else [world.access.blob_role(place[0], name) for name in principal_ids]
            if "contributor" not in roles:
                yield _named(WRITE_BLOBS, distributor["uri"].partition("?")[0], "BadDistributeType", index)


def may_read_blobs(world: World, image_template: ImageTemplate, account_name: str) -> bool:
    """Whether one of the identities may read an account's blobs."""
    return any(
        world.access.blob_role(account_name, identity.body["properties"]["principalId"]) != "none"
        for identity in _identities(world, image_template)
    )


@dataclass(frozen=True)
class Denial:
    """Say what becomes of a run for lack of rights.

    :param message: what the run says
    :param distributors: which distributors fail; none when the whole run does
    """

    message: str
    distributors: tuple[int, ...] = ()


def denial_of_run(world: World, image_template: ImageTemplate) -> Denial | None:
    """Return what becomes of a run for lack of rights, or None when none is lacking."""
    assigned = image_template.identity.get("userAssignedIdentities") or {}
    found = {identity.body["properties"]["principalId"] for identity in _identities(world, image_template)}
    if any(value.get("principalId") not in found for value in assigned.values()):
        return Denial(UNUSABLE_IDENTITY)
    missing = missing_rights(world, image_template)
    whole = next((right for right in missing if right.distributor is None), None)
    if whole is not None:
        return Denial(whole.run_message)
    failing = {right.distributor for right in missing if right.distributor is not None}
    return Denial(missing[0].run_message, tuple(sorted(failing))) if missing else None


def _identities(world: World, image_template: ImageTemplate) -> list[Any]:
    assigned = image_template.identity.get("userAssignedIdentities") or {}
    found = [world.store.get(ResourceId.parse(identity_id)) for identity_id in assigned]
    return [identity for identity in found if identity is not None]


def _source_rights(source: dict[str, Any]) -> Iterator[Right]:
    if source["type"] == "ManagedImage":
        message = managed_image_denied(source["imageId"])
        yield Right(READ_IMAGE, source["imageId"], "BadManagedImageSource", message, message)
    elif source["type"] == "SharedImageVersion":
        yield from _gallery_rights(READ_GALLERY, source["imageVersionId"], "BadSharedImageVersionSource")


def _distributor_rights(distributor: dict[str, Any], index: int) -> Iterator[Right]:
    if distributor["type"] == "SharedImage":
        yield from _gallery_rights(WRITE_GALLERY, distributor["galleryImageId"], "BadSharedImageDistribute", index)
    elif distributor["type"] == "ManagedImage":
        yield _named(WRITE_IMAGE, distributor["imageId"], "BadDistributeType", index)


def _gallery_rights(actions: tuple[str, ...], text: str, code: str, distributor: int | None = None) -> Iterator[Right]:
    """Yield each right at the resource of its own type: the gallery, its definition, the version."""
    given, message = ResourceId.parse(text), not_authorized(text)
    for action in actions:
        depth = 2 * action.count("/") - 2  # the provider before the types and the verb behind them have no name
        place = ResourceId(given.subscription_id, given.resource_group_name, given.namespace, given.path[:depth])
        yield Right((action,), str(place), code, message, message, distributor)


def _network_rights(network: dict[str, Any], image_template: ImageTemplate) -> Iterator[Right]:
    message = network_denied(image_template)
    for subnet_id in filter(None, (network.get("subnetId"), network.get("containerInstanceSubnetId"))):
        parent = ResourceId.parse(subnet_id).parent
        yield Right(READ_NETWORK, str(parent), "ServerError", GENERIC, message)
        yield Right(JOIN_SUBNET, subnet_id, "ServerError", GENERIC, message)


def _named(actions: tuple[str, ...], place: str, code: str, distributor: int | None = None) -> Right:
    message = not_authorized(place)
    return Right(actions, place, code, message, message, distributor)
