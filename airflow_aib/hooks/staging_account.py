"""The storage account in a staging resource group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.waiting import asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.connection import AzureSettings


@dataclass(frozen=True)
class StorageAccount:
    """Name a staging storage account.

    :param resource_id: of the account
    :param account_url: address of its blob service
    """

    resource_id: str
    account_url: str

    @property
    def group_key(self) -> str:
        """Its resource group, as `group_key` writes it."""
        return group_key(self.resource_id)


class StagingAccounts(Protocol):
    """Find the storage accounts of staging resource groups."""

    async def find(self, group_id: str) -> StorageAccount | None:
        """Give the storage account of a resource group; None when it has none."""
        ...

    def forget(self, account: StorageAccount) -> None:
        """Look for it anew the next time, since it was not reached."""
        ...


class OwnAccounts:
    """Ask for each resource group's account by itself, once.

    :param clients: how Azure is reached
    """

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients
        # A staging resource group keeps its account for as long as the image template lives.
        self._known: dict[str, StorageAccount] = {}

    async def find(self, group_id: str) -> StorageAccount | None:
        """Give the storage account of a resource group; None when it has none."""
        key = group_key(group_id)
        if key not in self._known:
            account = await account_of(self._clients, group_id)
            if account is not None:
                self._known[key] = account
        return self._known.get(key)

    def forget(self, account: StorageAccount) -> None:
        """Look for it anew the next time, since it was not reached."""
        self._known.pop(account.group_key, None)


def group_key(resource_id: str) -> str:
    """Give the id of the resource group in which something lies, in one spelling."""
    found = ResourceId.parse(resource_id)
    return str(ResourceId(found.subscription_id, found.resource_group_name)).lower()


async def account_of(clients: AzureClients, group_id: str) -> StorageAccount | None:
    """Ask for the first storage account of a resource group; None when there is none, or no such group."""
    group = ResourceId.parse(group_id)
    operations = clients.storage(group.subscription_id).storage_accounts
    try:
        async with asked("list the storage accounts of", group_id):
            async for account in operations.list_by_resource_group(group.resource_group_name):
                return _read_account(clients.settings, account.as_dict())
    except ArmRequestError as error:
        if error.status != NOT_FOUND:
            raise
    return None


async def all_accounts(
    clients: AzureClients, subscription_id: str, before_page: Callable[[], Awaitable[None]]
) -> AsyncIterator[StorageAccount]:
    """Ask for all storage accounts of a subscription.

    :param before_page: is awaited before each request
    """
    operations = clients.storage(subscription_id).storage_accounts
    pages = operations.list().by_page()
    while True:
        await before_page()
        async with asked("list the storage accounts of", f"subscription {subscription_id}"):
            page = await anext(pages, None)
            accounts = [account async for account in page] if page is not None else None
        if accounts is None:
            return
        for account in accounts:
            yield _read_account(clients.settings, account.as_dict())


def _read_account(settings: AzureSettings, account: Mapping[str, Any]) -> StorageAccount:
    endpoints: Mapping[str, Any] = (account.get("properties") or {}).get("primaryEndpoints") or {}
    url = str(endpoints.get("blob") or "").rstrip("/")
    return StorageAccount(
        resource_id=str(account["id"]),
        account_url=url or settings.cloud.blob_endpoint(str(account["name"])),
    )
