"""Storage accounts and their containers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call, group_resource_id
from aib_emulator.arm.errors import ArmError, resource_not_found
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.arm.shape import ENVELOPE
from aib_emulator.services.storage.resources import (
    CONTAINER_TYPE,
    DEFAULT_KIND,
    DEFAULT_SKU,
    RESOURCE_TYPE,
    StorageAccounts,
    check_container_name,
    container_body,
    containers_body,
)

if TYPE_CHECKING:
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.store import Resource
    from aib_emulator.world import World

CHECK_NAME = "Microsoft.Storage/checkNameAvailability/read"
SHAPE = {
    **ENVELOPE,
    "kind": str,
    "sku": {"name": str},
    "properties": {"allowBlobPublicAccess": bool, "allowSharedKeyAccess": bool},
}


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.Storage."""
    storage = StorageRoutes(world)
    every = f"/providers/{RESOURCE_TYPE}"
    one = f"{GROUP}{every}/{{account_name}}"
    containers = f"{one}/blobServices/default/containers"
    container = f"{containers}/{{container_name}}"
    return [
        Route(
            "POST", f"{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability", storage.check_name, CHECK_NAME
        ),
        Route("PUT", one, storage.put, f"{RESOURCE_TYPE}/write"),
        Route("PATCH", one, storage.patch, f"{RESOURCE_TYPE}/write"),
        Route("GET", one, storage.get, f"{RESOURCE_TYPE}/read"),
        Route("DELETE", one, storage.delete, f"{RESOURCE_TYPE}/delete"),
        Route("GET", GROUP + every, storage.list, f"{RESOURCE_TYPE}/read"),
        Route("GET", SUBSCRIPTION + every, storage.list, f"{RESOURCE_TYPE}/read"),
        Route("POST", f"{one}/listKeys", storage.list_keys, f"{RESOURCE_TYPE}/listKeys/action"),
        Route("POST", f"{one}/regenerateKey", storage.regenerate_key, f"{RESOURCE_TYPE}/regenerateKey/action"),
        Route("PUT", container, storage.put_container, f"{CONTAINER_TYPE}/write"),
        Route("GET", container, storage.get_container, f"{CONTAINER_TYPE}/read"),
        Route("DELETE", container, storage.delete_container, f"{CONTAINER_TYPE}/delete"),
        Route("GET", containers, storage.list_containers, f"{CONTAINER_TYPE}/read"),
    ]


class StorageRoutes:
    """Answer the calls about storage accounts; each is done when it is answered.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts = StorageAccounts(world.store, world.blobs, world.clock)

    async def check_name(self, call: Call) -> Answer:
        """Say whether a name is free."""
        return Answer(200, self._accounts.availability_body(str(call.json().get("name", ""))))

    async def put(self, call: Call) -> Answer:
        """Make an account, or change the one there is."""
        account_id, sent = _account_id(call), call.json(SHAPE)
        existing = self._world.store.get(account_id)
        if existing is not None:
            existing.body["tags"] = dict(sent.get("tags") or {})
            self._accounts.change_properties(existing, sent.get("properties") or {})
            return Answer(200, existing.body)
        if not sent.get("location"):
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        account = await self._accounts.create_account(
            account_id,
            location=sent["location"],
            tags=sent.get("tags") or {},
            sku=(sent.get("sku") or {}).get("name") or DEFAULT_SKU,
            kind=sent.get("kind") or DEFAULT_KIND,
            properties=sent.get("properties") or {},
        )
        return Answer(200, account.body)

    async def patch(self, call: Call) -> Answer:
        """Replace the tags and those properties that are sent."""
        account, sent = self._account(call), call.json(SHAPE)
        if "tags" in sent:
            account.body["tags"] = dict(sent["tags"] or {})
        self._accounts.change_properties(account, sent.get("properties") or {})
        return Answer(200, account.body)

    async def get(self, call: Call) -> Answer:
        """Show an account."""
        return Answer(200, self._account(call).body)

    async def delete(self, call: Call) -> Answer:
        """Delete an account with its blobs."""
        return Answer(200 if await self._world.delete(_account_id(call)) else 204)

    async def list(self, call: Call) -> Answer:
        """List the accounts of a group or of the subscription."""
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"],
            resource_group_name=call.parameters.get("resource_group_name"),
            resource_type=RESOURCE_TYPE,
        )
        return Answer(200, page(call, [account.body for account in found], self._world.settings.list_page_size))

    async def list_keys(self, call: Call) -> Answer:
        """Show the account keys."""
        return Answer(200, self._accounts.keys_body(self._account(call)))

    async def regenerate_key(self, call: Call) -> Answer:
        """Replace an account key, and show both."""
        account = self._account(call)
        await self._accounts.regenerate_key(account, str(call.json().get("keyName", "")))
        return Answer(200, self._accounts.keys_body(account))

    async def put_container(self, call: Call) -> Answer:
        """Make a blob container."""
        account, name = self._account(call), call.parameters["container_name"]
        check_container_name(name)
        is_new = name not in await self._world.blobs.list_containers(account.id.name)
        await self._world.blobs.create_container(account.id.name, name)
        return Answer(201 if is_new else 200, container_body(account, name))

    async def get_container(self, call: Call) -> Answer:
        """Show a blob container."""
        account, name = self._account(call), call.parameters["container_name"]
        if name not in await self._world.blobs.list_containers(account.id.name):
            raise ArmError(404, "ContainerNotFound", "The specified container does not exist.")
        return Answer(200, container_body(account, name))

    async def delete_container(self, call: Call) -> Answer:
        """Delete a blob container with its blobs."""
        account, name = self._account(call), call.parameters["container_name"]
        was_there = name in await self._world.blobs.list_containers(account.id.name)
        await self._world.blobs.delete_container(account.id.name, name)
        return Answer(200 if was_there else 204)

    async def list_containers(self, call: Call) -> Answer:
        """List the blob containers of an account."""
        account = self._account(call)
        return Answer(200, containers_body(account, await self._world.blobs.list_containers(account.id.name)))

    def _account(self, call: Call) -> Resource:
        account_id = _account_id(call)
        account = self._world.store.get(account_id)
        if account is None:
            raise resource_not_found(RESOURCE_TYPE, account_id.name, account_id.resource_group_name)
        return account


def _account_id(call: Call) -> ResourceId:
    return group_resource_id(call, "Microsoft.Storage", "storageAccounts", call.parameters["account_name"])
