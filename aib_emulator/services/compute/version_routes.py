"""Gallery image versions over HTTP, and the operations that publish them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.call import Answer, Call, group_resource_id
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.operations import Operation, compute_body, operation_url
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.services.compute.shapes import (
    NAMESPACE,
    VERSION_SHAPE,
    VERSION_TYPE,
    demand_home_region,
    version_body,
)

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.services.compute.resources import ComputeResources
    from aib_emulator.world import World

OPERATIONS = f"{SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/capsOperations/{{operation_id}}"
RATE_LIMIT = "x-ms-ratelimit-remaining-resource"
POLL_RATE_LIMIT = f"{NAMESPACE}/GetOperationStatus3Min;4991"


def version_routes(world: World, compute: ComputeResources) -> list[Route]:
    """Return the routes of image versions and of Compute's operations."""
    versions = ImageVersionRoutes(world, compute)
    every = f"{GROUP}/providers/{NAMESPACE}/galleries/{{gallery_name}}/images/{{definition_name}}/versions"
    one = f"{every}/{{version_name}}"
    return [
        Route("PUT", one, versions.put, f"{VERSION_TYPE}/write"),
        Route("PATCH", one, versions.patch, f"{VERSION_TYPE}/write"),
        Route("GET", one, versions.get, f"{VERSION_TYPE}/read"),
        Route("DELETE", one, versions.delete, f"{VERSION_TYPE}/delete"),
        Route("GET", every, versions.list, f"{VERSION_TYPE}/read"),
        Route("GET", OPERATIONS, versions.poll, f"{NAMESPACE}/locations/capsOperations/read", is_for_anywhere=True),
    ]


class ImageVersionRoutes:
    """Answer the calls about image versions.

    :param world: what the services share
    :param compute: keeps the versions
    """

    def __init__(self, world: World, compute: ComputeResources) -> None:
        self._world = world
        self._compute = compute

    async def put(self, call: Call) -> Answer:
        """Publish a version: it is there once the last region has its copy."""
        version_id = _version_id(call)
        body = version_body(version_id, call.json(VERSION_SHAPE), self._world.clock.now())
        demand_home_region(body)
        version, is_new = self._compute.publish_version(version_id, body)
        operation = self._start(self._compute.version_completion(version))
        headers = {
            RATE_LIMIT: _rate_limit("CreateUpdate", 374, 1199),
            **self._headers(call, operation, body["location"]),
        }
        return Answer(
            201 if is_new else 200, self._compute.version_now(version), headers=headers, style=BodyStyle.COMPUTE
        )

    async def patch(self, call: Call) -> Answer:
        """Change tags, regions or whether the version counts as latest."""
        version = self._compute.find(_version_id(call))
        self._compute.change_version(version, call.json(VERSION_SHAPE))
        operation = self._start(self._compute.version_completion(version))
        headers = self._headers(call, operation, version.body["location"])
        return Answer(200, self._compute.version_now(version), headers=headers, style=BodyStyle.COMPUTE)

    async def get(self, call: Call) -> Answer:
        """Show a version, with its replication when that is asked for."""
        version = self._compute.find(_version_id(call))
        with_replication = call.query.get("$expand", "").lower() == "replicationstatus"
        body = self._compute.version_now(version, with_replication=with_replication)
        return Answer(200, body, headers={RATE_LIMIT: _rate_limit("Get", 1997, 11999)}, style=BodyStyle.COMPUTE)

    async def delete(self, call: Call) -> Answer:
        """Delete a version; it is gone when this is answered."""
        version_id = _version_id(call)
        version = self._world.store.get(version_id)
        if version is None:
            return Answer(204)
        await self._world.delete(version_id)
        operation = self._start(self._world.clock.now())
        headers = self._headers(call, operation, version.body["location"])
        headers["Location"] = f"{headers['Azure-AsyncOperation']}&monitor=true"
        return Answer(202, headers=headers)

    async def list(self, call: Call) -> Answer:
        """List the versions of a definition."""
        definition = self._compute.find(_definition_id(call))
        found = self._world.store.list_below(definition.id)
        values = [self._compute.version_now(version) for version in found]
        return Answer(200, page(call, values, self._world.settings.list_page_size), style=BodyStyle.COMPUTE)

    async def poll(self, call: Call) -> Answer:
        """Say how an operation is getting on."""
        operation = self._world.operations.find(call.parameters["operation_id"])
        if operation is None:
            message = f"The entity with name '{call.parameters['operation_id']}' was not found."
            raise ArmError(404, "NotFound", message, style=BodyStyle.COMPUTE)
        now = self._world.clock.now()
        is_over = operation.is_over(now)
        headers = {RATE_LIMIT: POLL_RATE_LIMIT, **({} if is_over else self._world.settings.retry_headers)}
        if call.query.get("monitor", "").lower() == "true":
            return Answer(204 if is_over else 202, headers=headers)
        return Answer(200, compute_body(operation, now), headers=headers, style=BodyStyle.COMPUTE)

    def _start(self, end: datetime) -> Operation:
        now = self._world.clock.now()
        operation = self._world.operations.start(now)
        operation.end(max(end, now))
        return operation

    def _headers(self, call: Call, operation: Operation, location: str) -> dict[str, str]:
        path = OPERATIONS.format(
            subscription_id=call.parameters["subscription_id"],
            location=location,
            operation_id=operation.operation_id,
        )
        now = self._world.clock.now()
        url = operation_url(call.base_url, path, call.api_version, now, header="Azure-AsyncOperation")
        return {"Azure-AsyncNotification": "Enabled", "Azure-AsyncOperation": url, **self._world.settings.retry_headers}


def _definition_id(call: Call) -> ResourceId:
    gallery, definition = call.parameters["gallery_name"], call.parameters["definition_name"]
    return group_resource_id(call, NAMESPACE, "galleries", gallery, "images", definition)


def _version_id(call: Call) -> ResourceId:
    return _definition_id(call).child("versions", call.parameters["version_name"])


def _rate_limit(verb: str, short: int, long: int) -> str:
    name = f"{NAMESPACE}/{verb}GalleryImageVersion"
    return f"{name}3Min;{short},{name}30Min;{long}"
