"""User-assigned managed identities over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call, group_resource_id
from aib_emulator.arm.errors import ArmError, resource_not_found
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.arm.shape import ENVELOPE
from aib_emulator.services.managed_identity.resources import RESOURCE_TYPE, identity_resource

if TYPE_CHECKING:
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.world import World


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.ManagedIdentity."""
    identities = ManagedIdentityRoutes(world)
    every = f"/providers/{RESOURCE_TYPE}"
    one = f"{GROUP}{every}/{{identity_name}}"
    return [
        Route("PUT", one, identities.put, f"{RESOURCE_TYPE}/write"),
        Route("PATCH", one, identities.patch, f"{RESOURCE_TYPE}/write"),
        Route("GET", one, identities.get, f"{RESOURCE_TYPE}/read"),
        Route("DELETE", one, identities.delete, f"{RESOURCE_TYPE}/delete"),
        Route("GET", GROUP + every, identities.list, f"{RESOURCE_TYPE}/read"),
        Route("GET", SUBSCRIPTION + every, identities.list, f"{RESOURCE_TYPE}/read"),
    ]


class ManagedIdentityRoutes:
    """Answer the calls about identities.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def put(self, call: Call) -> Answer:
        """Make an identity, or give an existing one other tags."""
        identity_id, sent = _identity_id(call), call.json(ENVELOPE)
        existing = self._world.store.get(identity_id)
        if existing is not None:
            existing.body["tags"] = dict(sent.get("tags") or {})
            return Answer(200, existing.body)
        if not sent.get("location"):
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        resource = identity_resource(
            identity_id,
            location=sent["location"],
            tags=sent.get("tags") or {},
            tenant_id=self._world.settings.tenant_id,
            now=self._world.clock.now(),
        )
        return Answer(201, self._world.store.put(resource).body)

    async def patch(self, call: Call) -> Answer:
        """Replace the tags."""
        identity_id = _identity_id(call)
        resource = self._world.store.get(identity_id)
        if resource is None:
            raise resource_not_found(RESOURCE_TYPE, identity_id.name, identity_id.resource_group_name)
        resource.body["tags"] = dict(call.json(ENVELOPE).get("tags") or {})
        return Answer(200, resource.body)

    async def get(self, call: Call) -> Answer:
        """Show an identity."""
        identity_id = _identity_id(call)
        resource = self._world.store.get(identity_id)
        if resource is None:
            raise resource_not_found(RESOURCE_TYPE, identity_id.name, identity_id.resource_group_name)
        return Answer(200, resource.body)

    async def list(self, call: Call) -> Answer:
        """List the identities of a group or of the subscription."""
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"],
            resource_group_name=call.parameters.get("resource_group_name"),
            resource_type=RESOURCE_TYPE,
        )
        return Answer(200, page(call, [resource.body for resource in found], self._world.settings.list_page_size))

    async def delete(self, call: Call) -> Answer:
        """Delete an identity."""
        return Answer(200 if await self._world.delete(_identity_id(call)) else 204)


def _identity_id(call: Call) -> ResourceId:
    return group_resource_id(
        call, "Microsoft.ManagedIdentity", "userAssignedIdentities", call.parameters["identity_name"]
    )
