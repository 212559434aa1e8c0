"""Reach the blobs of an account: with a token first, with the account's key where that is refused and allowed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import FORBIDDEN, translated
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.storage_address import account_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from azure.storage.blob.aio import BlobServiceClient

    from airflow_aib.hooks.clients import AzureClients

T = TypeVar("T")

log = logging.getLogger(__name__)


class StorageAccess:
    """
    Call the blob service of one account.

    :param clients: how Azure is reached
    :param account_url: address of the account's blob service
    :param account_id: resource id of the account; looked for in the connection's subscription when it is needed
    :param retries: how often the SDK repeats a call by itself
    """

    def __init__(
        self, clients: AzureClients, account_url: str, *, account_id: str | None = None, retries: int = 3
    ) -> None:
        self.clients = clients
        self.account_url = account_url
        self._account_id = account_id
        self._retries = retries

    @property
    def account_key(self) -> str | None:
        """The account's key, once it had to be fetched."""
        return self.clients.account_keys.get(self.account_url)

    async def call(self, call: Callable[[BlobServiceClient], Awaitable[T]], *, doing: str, target: str) -> T:
        """
        Run a call with a client for the account; its errors are ours.

        :param call: gets the client; may be called twice, with the token and with the key
        :param doing: what is tried, as in "read blob"
        :param target: address that it concerns
        """
        key_before = self.account_key
        try:
            return await self._call_once(call, doing, target)
        except ArmRequestError as error:
            if error.status != FORBIDDEN or key_before is not None:
                raise
            await self._fetch_key(error)
        return await self._call_once(call, doing, target)

    async def _call_once(self, call: Callable[[BlobServiceClient], Awaitable[T]], doing: str, target: str) -> T:
        service = self.clients.blob_service(self.account_url, account_key=self.account_key, retries=self._retries)
        with translated(doing, target):
            return await call(service)

    async def _fetch_key(self, refusal: ArmRequestError) -> None:
        """Fetch the account's key, or raise the refusal of the token: a role is the better remedy."""
        if not self.clients.settings.allow_account_keys:
            raise refusal
        try:
            self.clients.account_keys[self.account_url] = await self._list_key()
        except ArmRequestError as error:
            raise refusal from error
        log.warning(
            "Storage account %s refuses the connection's token (%s); its account key is used instead. %s",
            account_name(self.account_url),
            refusal.code or refusal.status,
            refusal.hint or "",
        )

    async def _list_key(self) -> str:
        account_id = ResourceId.parse(self._account_id or await self._find_account_id())
        operations = self.clients.storage(account_id.subscription_id).storage_accounts
        with translated("list the keys of storage account", str(account_id)):
            answer = await operations.list_keys(account_id.resource_group_name, account_id.name)
        keys: list[dict[str, str]] = answer.as_dict().get("keys") or []
        if not keys:
            raise ArmRequestError(f"Storage account {account_id} shows no key", target=str(account_id))
        return keys[0]["value"]

    async def _find_account_id(self) -> str:
        name = account_name(self.account_url)
        with translated("list the storage accounts of", "the connection's subscription"):
            async for account in self.clients.storage().storage_accounts.list():
                if str(account.name).lower() == name.lower():
                    return str(account.id)
        raise ArmRequestError(
            f"Storage account {name} is not in the connection's subscription", target=self.account_url
        )
