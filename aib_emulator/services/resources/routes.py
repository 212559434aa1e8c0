"""Resource Manager's own calls over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError, resource_group_not_found
from aib_emulator.arm.locations import LOCATIONS, is_known, short_name
from aib_emulator.arm.paging import page
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.arm.shape import ENVELOPE
from aib_emulator.services.resources.deployments.routes import deployment_routes
from aib_emulator.services.resources.resources import (
    PROVIDERS,
    listed,
    location_body,
    matcher,
    provider_body,
    subscription_body,
)

if TYPE_CHECKING:
    from aib_emulator.store import Resource
    from aib_emulator.world import World

ACTIONS = "Microsoft.Resources/subscriptions"
REGISTER = "{namespace}/register/action"
"""Each provider's own; the name comes from the path."""
GROUP_NAME = re.compile(r"[\w.()-]{1,90}(?<!\.)")


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.Resources."""
    manager = ResourceRoutes(world)
    groups = f"{SUBSCRIPTION}/resourceGroups"
    return [
        Route("GET", "/tenants", manager.list_tenants),
        Route("GET", "/subscriptions", manager.list_subscriptions),
        *(
            # Whoever may read in one group only is shown the subscription, and in lists what is theirs.
            Route("GET", path, handle, f"{ACTIONS}/{action}", is_for_anywhere=True)
            for path, handle, action in (
                (SUBSCRIPTION, manager.get_subscription, "read"),
                (f"{SUBSCRIPTION}/locations", manager.list_locations, "locations/read"),
                (f"{SUBSCRIPTION}/providers", manager.list_providers, "providers/read"),
                (f"{SUBSCRIPTION}/providers/{{namespace}}", manager.get_provider, "providers/read"),
                (f"{SUBSCRIPTION}/resources", manager.list_resources, "resources/read"),
                (groups, manager.list_groups, "resourceGroups/read"),
            )
        ),
        Route("POST", f"{SUBSCRIPTION}/providers/{{namespace}}/register", manager.get_provider, REGISTER),
        Route("GET", f"{GROUP}/resources", manager.list_resources, f"{ACTIONS}/resourceGroups/resources/read"),
        Route("PUT", GROUP, manager.put_group, f"{ACTIONS}/resourceGroups/write"),
        Route("PATCH", GROUP, manager.patch_group, f"{ACTIONS}/resourceGroups/write"),
        Route("GET", GROUP, manager.get_group, f"{ACTIONS}/resourceGroups/read"),
        Route("HEAD", GROUP, manager.head_group, f"{ACTIONS}/resourceGroups/read"),
        Route("DELETE", GROUP, manager.delete_group, f"{ACTIONS}/resourceGroups/delete"),
        *deployment_routes(world),
    ]


class ResourceRoutes:
    """Answer the calls about subscriptions, groups and what lies in them.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def list_tenants(self, _: Call) -> Answer:
        """List the one tenant."""
        tenant_id = self._world.settings.tenant_id
        return Answer(200, {"value": [{"id": f"/tenants/{tenant_id}", "tenantId": tenant_id}]})

    async def list_subscriptions(self, _: Call) -> Answer:
        """List the one subscription."""
        return Answer(200, {"value": [self._subscription()], "count": {"type": "Total", "value": 1}})

    async def get_subscription(self, _: Call) -> Answer:
        """Show the subscription."""
        return Answer(200, self._subscription())

    async def list_locations(self, call: Call) -> Answer:
        """List the locations."""
        subscription_id = call.parameters["subscription_id"]
        return Answer(200, {"value": [location_body(subscription_id, name) for name in LOCATIONS]})

    async def list_providers(self, call: Call) -> Answer:
        """List the resource providers."""
        subscription_id = call.parameters["subscription_id"]
        return Answer(200, {"value": [provider_body(subscription_id, namespace) for namespace in PROVIDERS]})

    async def get_provider(self, call: Call) -> Answer:
        """Show a resource provider, which is always registered."""
        namespace = call.parameters["namespace"]
        body = provider_body(call.parameters["subscription_id"], namespace)
        if body is None:
            raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        return Answer(200, body)

    async def list_resources(self, call: Call) -> Answer:
        """List resources of every type that meet the filter, of which the caller may read each."""
        is_wanted = matcher(call.query.get("$filter", ""))
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"],
            resource_group_name=call.parameters.get("resource_group_name"),
        )
        values = [
            listed(resource)
            for resource in found
            if _is_listed(resource) and is_wanted(resource) and self._may_read(call, resource)
        ]
        return Answer(200, page(call, values, self._world.settings.list_page_size))

    async def list_groups(self, call: Call) -> Answer:
        """List the resource groups that the caller may read."""
        is_wanted = matcher(call.query.get("$filter", ""))
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"], resource_type="Microsoft.Resources/resourceGroups"
        )
        values = [group.body for group in found if is_wanted(group) and self._may_read(call, group)]
        return Answer(200, page(call, values, self._world.settings.list_page_size))

    async def put_group(self, call: Call) -> Answer:
        """Make a resource group, or give an existing one other tags."""
        group_id, sent = _group_id(call), call.json(ENVELOPE)
        if not GROUP_NAME.fullmatch(group_id.name):
            raise ArmError(
                400, "InvalidResourceGroup", f"The provided resource group name '{group_id.name}' is invalid."
            )
        if not sent.get("location"):
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        if not is_known(sent["location"]):
            raise _unknown_location(sent["location"])
        location, existing = short_name(sent["location"]), self._world.store.get(group_id)
        if existing is None:
            return Answer(201, self._world.put_group(group_id, location=location, tags=sent.get("tags") or {}).body)
        if existing.body["location"] != location:
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location "
                f"'{existing.body['location']}'.",
            )
        existing.body["tags"] = dict(sent.get("tags") or {})
        return Answer(200, existing.body)

    async def patch_group(self, call: Call) -> Answer:
        """Replace the tags."""
        group = self._group(call)
        group.body["tags"] = dict(call.json(ENVELOPE).get("tags") or {})
        return Answer(200, group.body)

    async def get_group(self, call: Call) -> Answer:
        """Show a resource group."""
        return Answer(200, self._group(call).body)

    async def head_group(self, call: Call) -> Answer:
        """Say whether there is such a group."""
        return Answer(204 if self._world.store.get(_group_id(call)) else 404)

    async def delete_group(self, call: Call) -> Answer:
        """Delete a resource group with everything in it; done when answered."""
        group = self._group(call)
        await self._world.delete(group.id)
        return Answer(200)

    def _may_read(self, call: Call, resource: Resource) -> bool:
        action = f"{ACTIONS}/resourceGroups/read" if resource.id.is_group else f"{resource.id.resource_type}/read"
        return self._world.access.may(str(call.claims.get("oid", "")), action, str(resource.id))

    def _group(self, call: Call) -> Resource:
        group = self._world.store.get(_group_id(call))
        if group is None:
            raise resource_group_not_found(call.parameters["resource_group_name"])
        return group

    def _subscription(self) -> dict[str, object]:
        settings = self._world.settings
        return subscription_body(settings.subscription_id, settings.tenant_id)


def _is_listed(resource: Resource) -> bool:
    """Whether generic lists show it: groups and deployments have lists of their own."""
    return bool(resource.id.path) and resource.id.namespace != "Microsoft.Resources"


def _group_id(call: Call) -> ResourceId:
    return ResourceId(call.parameters["subscription_id"], call.parameters["resource_group_name"])


def _unknown_location(location: str) -> ArmError:
    return ArmError(
        400,
        "LocationNotAvailableForResourceGroup",
        f"The provided location '{location}' is not available for resource group. "
        f"List of available regions is '{','.join(LOCATIONS)}'.",
    )
