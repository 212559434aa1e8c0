"""Puts back what an earlier emulator kept in its data folder, so that everything goes on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from aib_emulator.applications import Application
from aib_emulator.arm.operations import Operation
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.blob_front import BlobAccount, PendingCopy, SourceState, Target
from aib_emulator.failures import PlannedFailure
from aib_emulator.keeping.codec import Codec, Shape, dataclass_shape
from aib_emulator.keeping.keeper import SINGLE
from aib_emulator.services.authorization.permissions import Permissions
from aib_emulator.services.authorization.shapes import RoleAssignment, RoleDefinition
from aib_emulator.services.compute.replication import RegionalCopy
from aib_emulator.services.compute.resources import Publication
from aib_emulator.services.image_builder.resume import SHAPES
from aib_emulator.services.resources.deployments.resume import DEPLOYMENT
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from aib_emulator.arm.operations import Operations
    from aib_emulator.world import World

    Kept = dict[str, dict[str, Any]]

ACCOUNT_TYPE, GROUP_TYPE = "Microsoft.Storage/storageAccounts", "Microsoft.Resources/resourceGroups"
PLAIN = (ResourceId, Resource, Application, BlobAccount, PendingCopy, SourceState, Target)
OF_SERVICES = (DEPLOYMENT, Permissions, RoleAssignment, RoleDefinition, RegionalCopy, Publication, *SHAPES)

HEADERS = Shape(
    CIMultiDict,
    lambda headers: {"items": [list(item) for item in headers.items()]},
    lambda members: CIMultiDict(map(tuple, members["items"])),
)


def codec_for(operations: Operations) -> Codec:
    """Return what writes and reads everything that is kept; one operation stays one, whoever names it."""
    plain = dataclass_shape(Operation)

    def read(members: dict[str, Any]) -> Operation:
        return operations.find(members["operation_id"]) or Operation(**members)

    failure = Shape(PlannedFailure, asdict, _failure)
    return Codec(*PLAIN, *OF_SERVICES, failure, HEADERS, Shape(Operation, plain.write, read))


def _failure(members: dict[str, Any]) -> PlannedFailure:
    struck = members.pop("struck", 0)  # early journals lack it as long as nothing was struck
    failure = PlannedFailure(**members)
    failure.struck = struck
    return failure


def keep_singles(world: World) -> None:
    """Keep what is small, and looked at with every change."""
    keeper, told = world.keeper, world.settings.time_scale
    keeper.add_single("clock", lambda: {**world.clock.reading(), "told": told})
    keeper.add_single("failures", lambda: world.failures.pending() or None)
    keeper.add_single("applications", world.applications.registered)
    keeper.add_single("platform-images", world.compute.changed_platform_images)


async def restore(world: World, codec: Codec, kept: Kept) -> None:
    """Put everything back into an empty world, and go on; blobs are served already."""

    def family(name: str) -> list[Any]:
        return [codec.read(record) for record in kept.get(name, {}).values()]

    _restore_clock(world, codec.read(kept["clock"][SINGLE]))
    for operation in family("operation"):
        world.operations.adopt(operation)
    for applications in family("applications"):
        world.applications.restore(applications)
    for changed in family("platform-images"):
        world.compute.restore_platform_images(changed)
    for failures in family("failures"):
        world.failures.restore(failures)
    world.access.restore(family("role"), family("role-assignment"))
    await world.blobs.restore(family("blob-account"), family("copy"))
    for resource in family("resource"):
        world.store.put(resource)
    await _go_on(world)


async def _go_on(world: World) -> None:
    for account in world.store.list(resource_type=ACCOUNT_TYPE):
        account.body["properties"]["primaryEndpoints"]["blob"] = f"{world.blobs.blob_url(account.id.name)}/"
    for resume in world.resume:
        await resume()
    for group in world.store.list(resource_type=GROUP_TYPE):
        if world.is_being_deleted(group):
            await world.delete(group.id)


def _restore_clock(world: World, reading: dict[str, Any]) -> None:
    world.clock.go_on(reading)
    scale = world.settings.time_scale
    if scale is not None and scale != reading["told"]:  # this start was told something else
        world.clock.set_scale(scale)
