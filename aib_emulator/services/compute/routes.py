"""Galleries, image definitions and managed images over HTTP; each call is done when it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.call import Answer, Call, group_resource_id
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.arm.shape import ENVELOPE
from aib_emulator.services.compute.platform_routes import platform_routes
from aib_emulator.services.compute.resources import ComputeResources
from aib_emulator.services.compute.shapes import (
    DEFINITION_SHAPE,
    DEFINITION_TYPE,
    GALLERY_TYPE,
    IMAGE_SHAPE,
    IMAGE_TYPE,
    NAMESPACE,
    definition_body,
    demand_same_definition,
    gallery_body,
    image_body,
)
from aib_emulator.services.compute.version_routes import version_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.store import Resource
    from aib_emulator.world import World


@dataclass(frozen=True)
class Kind:
    """Say how one type of resource is addressed and written.

    :param resource_type: such as `Microsoft.Compute/galleries`
    :param path: type words and the names of the path's parameters, in turn
    :param write: id and what was sent -> body
    :param shape: which kinds of JSON may be sent
    :param check_change: raises when the known body must not become the new one
    """

    resource_type: str
    path: tuple[str, ...]
    write: Callable[[ResourceId, Mapping[str, Any]], dict[str, Any]]
    shape: Mapping[str, Any]
    check_change: Callable[[Mapping[str, Any], Mapping[str, Any]], None] | None = None

    @property
    def every(self) -> str:
        """The path of the list, below group or subscription."""
        names = "/".join(part if index % 2 == 0 else f"{{{part}}}" for index, part in enumerate(self.path[:-1]))
        return f"/providers/{NAMESPACE}/{names}"

    @property
    def one(self) -> str:
        """The path of one resource, below a group."""
        return f"{self.every}/{{{self.path[-1]}}}"

    def resource_id(self, call: Call) -> ResourceId:
        """Return the id of the resource that a call is about."""
        names = [part if index % 2 == 0 else call.parameters[part] for index, part in enumerate(self.path)]
        return group_resource_id(call, NAMESPACE, *names)


GALLERY = Kind(GALLERY_TYPE, ("galleries", "gallery_name"), gallery_body, ENVELOPE)
DEFINITION = Kind(
    DEFINITION_TYPE,
    ("galleries", "gallery_name", "images", "definition_name"),
    definition_body,
    DEFINITION_SHAPE,
    demand_same_definition,
)
IMAGE = Kind(IMAGE_TYPE, ("images", "image_name"), image_body, IMAGE_SHAPE)


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.Compute."""
    compute = world.compute
    if not isinstance(compute, ComputeResources):
        raise TypeError(f"The routes of {NAMESPACE} need ComputeResources in the world, not {type(compute).__name__}.")
    galleries, definitions, images = (KindRoutes(world, compute, kind) for kind in (GALLERY, DEFINITION, IMAGE))
    return [
        *version_routes(world, compute),
        *platform_routes(compute),
        *galleries.routes(),
        *definitions.routes(),
        *images.routes(),
        Route("GET", GROUP + GALLERY.every, galleries.list, f"{GALLERY_TYPE}/read"),
        Route("GET", SUBSCRIPTION + GALLERY.every, galleries.list, f"{GALLERY_TYPE}/read"),
        Route("GET", GROUP + DEFINITION.every, definitions.list_parts, f"{DEFINITION_TYPE}/read"),
        Route("GET", GROUP + IMAGE.every, images.list, f"{IMAGE_TYPE}/read"),
        Route("GET", SUBSCRIPTION + IMAGE.every, images.list, f"{IMAGE_TYPE}/read"),
    ]


class KindRoutes:
    """Answer the calls about one type of resource.

    :param world: what the services share
    :param compute: keeps the resources
    :param kind: the type
    """

    def __init__(self, world: World, compute: ComputeResources, kind: Kind) -> None:
        self._world = world
        self._compute = compute
        self._kind = kind

    def routes(self) -> list[Route]:
        """Return the routes of one resource."""
        one, actions = GROUP + self._kind.one, self._kind.resource_type
        return [
            Route("PUT", one, self.put, f"{actions}/write"),
            Route("PATCH", one, self.patch, f"{actions}/write"),
            Route("GET", one, self.get, f"{actions}/read"),
            Route("DELETE", one, self.delete, f"{actions}/delete"),
        ]

    async def put(self, call: Call) -> Answer:
        """Make a resource, or write the one there is anew."""
        resource_id = self._kind.resource_id(call)
        return self._write(resource_id, call.json(self._kind.shape))

    async def patch(self, call: Call) -> Answer:
        """Replace the tags and those properties that are sent."""
        resource = self._compute.find(self._kind.resource_id(call))
        sent = call.json(self._kind.shape)
        properties = {**resource.body["properties"], **(sent.get("properties") or {})}
        merged = {**resource.body, "tags": sent.get("tags", resource.body["tags"]), "properties": properties}
        return self._write(resource.id, merged)

    async def get(self, call: Call) -> Answer:
        """Show a resource."""
        return Answer(200, self._compute.find(self._kind.resource_id(call)).body, style=BodyStyle.COMPUTE)

    async def delete(self, call: Call) -> Answer:
        """Delete a resource that has no parts."""
        resource_id = self._kind.resource_id(call)
        if self._world.store.list_below(resource_id):
            message = "Can not delete resource before nested resources are deleted."
            raise ArmError(409, "CannotDeleteResource", message)
        return Answer(200 if await self._world.delete(resource_id) else 204)

    async def list(self, call: Call) -> Answer:
        """List the resources of a group or of the subscription."""
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"],
            resource_group_name=call.parameters.get("resource_group_name"),
            resource_type=self._kind.resource_type,
        )
        return self._page(call, found)

    async def list_parts(self, call: Call) -> Answer:
        """List the parts of one resource."""
        parent = group_resource_id(call, NAMESPACE, "galleries", call.parameters["gallery_name"])
        whole = self._compute.find(parent)
        return self._page(call, self._world.store.list_below(whole.id, resource_type=self._kind.resource_type))

    def _write(self, resource_id: ResourceId, sent: Mapping[str, Any]) -> Answer:
        body = self._kind.write(resource_id, sent)
        known = self._world.store.get(resource_id)
        if known is not None and self._kind.check_change is not None:
            self._kind.check_change(known.body, body)
        resource, is_new = self._compute.put(resource_id, body)
        return Answer(201 if is_new else 200, resource.body, style=BodyStyle.COMPUTE)

    def _page(self, call: Call, found: Sequence[Resource]) -> Answer:
        values = [resource.body for resource in found]
        return Answer(200, page(call, values, self._world.settings.list_page_size), style=BodyStyle.COMPUTE)
