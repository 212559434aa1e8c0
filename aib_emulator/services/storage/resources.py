"""What storage accounts and containers look like, which names they may have, and what deleting one takes along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import short_name
from aib_emulator.arm.time_format import offset_text
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.clock import Clock
    from aib_emulator.ports import BlobStore
    from aib_emulator.store import Store

RESOURCE_TYPE = "Microsoft.Storage/storageAccounts"
CONTAINER_TYPE = f"{RESOURCE_TYPE}/blobServices/containers"
ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
CONTAINER_NAME = re.compile(r"\$root|\$web|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
KEY_NAMES = ("key1", "key2")
DEFAULT_SKU = "Standard_LRS"
DEFAULT_KIND = "StorageV2"
CHANGEABLE = (
    "accessTier",
    "allowBlobPublicAccess",
    "allowSharedKeyAccess",
    "minimumTlsVersion",
    "networkAcls",
    "publicNetworkAccess",
    "supportsHttpsTrafficOnly",
)


class StorageAccounts:
    """Keep storage accounts: the resource in the store, the blobs in the blob store.

    :param store: the resources
    :param blobs: the accounts' blobs
    :param clock: the emulated time
    """

    def __init__(self, store: Store, blobs: BlobStore, clock: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock

    async def create_account(
        self,
        account_id: ResourceId,
        *,
        location: str,
        tags: Mapping[str, str],
        sku: str = DEFAULT_SKU,
        kind: str = DEFAULT_KIND,
        properties: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Put a storage account into the store and the blob store; its name is nobody else's."""
        check_account_name(account_id.name)
        owner = self.find_by_name(account_id.name)
        if owner is not None and owner.id.key != account_id.key:
            message = f"The storage account named {account_id.name} is already taken."
            raise ArmError(409, "StorageAccountAlreadyTaken", message)
        await self._blobs.create_account(account_id.name)
        now = self._clock.now()
        body = account_body(
            account_id,
            location=location,
            sku=sku,
            kind=kind,
            blob_url=self._blobs.blob_url(account_id.name),
            now=now,
        )
        body["tags"] = dict(tags)
        resource = self._store.put(Resource(account_id, body, created=now, changed=now))
        self.change_properties(resource, properties or {})
        return resource

    def change_properties(self, account: Resource, properties: Mapping[str, Any]) -> None:
        """Take over the members that a caller may change; the blob endpoint follows at once."""
        known = account.body["properties"]
        known.update({name: properties[name] for name in CHANGEABLE if properties.get(name) is not None})
        self._blobs.set_policy(
            account.id.name,
            allows_shared_key=known.get("allowSharedKeyAccess", True),
            allows_public_access=known["allowBlobPublicAccess"],
        )
        account.changed = self._clock.now()

    async def delete_blobs(self, account: Resource) -> None:
        """Delete what a storage account holds, before the account itself is forgotten."""
        await self._blobs.delete_account(account.id.name)

    def find_by_name(self, name: str) -> Resource | None:
        """Return the account of that name, wherever it lies: names are unique in all of Azure."""
        return next(iter(self._store.named(RESOURCE_TYPE, name)), None)

    def keys_body(self, account: Resource) -> dict[str, Any]:
        """Return the account's keys as listKeys answers them."""
        created = account.body["properties"]["keyCreationTime"]
        values = zip(KEY_NAMES, self._blobs.account_keys(account.id.name), strict=True)
        return {
            "keys": [
                {"creationTime": created[name], "keyName": name, "value": value, "permissions": "FULL"}
                for name, value in values
            ]
        }

    async def regenerate_key(self, account: Resource, key_name: str) -> None:
        """Replace one of the account's keys."""
        if key_name not in KEY_NAMES:
            raise ArmError(400, "InvalidValuesForRequestParameters", "Values for request parameters are invalid: key.")
        await self._blobs.regenerate_key(account.id.name, KEY_NAMES.index(key_name))
        account.body["properties"]["keyCreationTime"][key_name] = offset_text(self._clock.now())

    def availability_body(self, name: str) -> dict[str, Any]:
        """Return what checkNameAvailability answers."""
        try:
            check_account_name(name)
        except ArmError as error:
            return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": error.message}
        if self.find_by_name(name) is None:
            return {"nameAvailable": True}
        message = f"The storage account named {name} is already taken."
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": message}


def check_account_name(name: str) -> None:
    """Raise what the service answers to an impossible name."""
    if not ACCOUNT_NAME.fullmatch(name):
        message = (
            f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
            "length and use numbers and lower-case letters only."
        )
        raise ArmError(400, "AccountNameInvalid", message)


def check_container_name(name: str) -> None:
    """Raise what the service answers to an impossible container name."""
    if not CONTAINER_NAME.fullmatch(name):
        raise ArmError(400, "ContainerOperationFailure", "The specified resource name contains invalid characters.")


def account_body(
    account_id: ResourceId, *, location: str, sku: str, kind: str, blob_url: str, now: datetime
) -> dict[str, Any]:
    """Return a new account."""
    created = offset_text(now)
    encrypted = {"keyType": "Account", "enabled": True, "lastEnabledTime": created}
    return {
        "sku": {"name": sku, "tier": sku.partition("_")[0]},
        "kind": kind,
        "id": account_id.write(),
        "name": account_id.name,
        "type": RESOURCE_TYPE,
        "location": short_name(location),
        "tags": {},
        "properties": {
            "keyCreationTime": {"key1": created, "key2": created},
            "privateEndpointConnections": [],
            "minimumTlsVersion": "TLS1_2",
            "allowBlobPublicAccess": False,
            "networkAcls": {
                "bypass": "AzureServices",
                "virtualNetworkRules": [],
                "ipRules": [],
                "defaultAction": "Allow",
            },
            "supportsHttpsTrafficOnly": True,
            "encryption": {"services": {"file": encrypted, "blob": encrypted}, "keySource": "Microsoft.Storage"},
            "accessTier": "Hot",
            "provisioningState": "Succeeded",
            "creationTime": created,
            "primaryEndpoints": {"blob": f"{blob_url}/"},
            "primaryLocation": short_name(location),
            "statusOfPrimary": "available",
        },
    }


def container_body(account: Resource, name: str) -> dict[str, Any]:
    """Return a blob container."""
    container_id = account.id.child("blobServices", "default", "containers", name)
    return {
        "id": container_id.write(),
        "name": name,
        "type": CONTAINER_TYPE,
        "properties": {"publicAccess": "None", "leaseStatus": "Unlocked", "leaseState": "Available", "deleted": False},
    }


def containers_body(account: Resource, names: Sequence[str]) -> dict[str, Any]:
    """Return a list of blob containers."""
    return {"value": [container_body(account, name) for name in names]}
