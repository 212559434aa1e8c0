"""Reach the blobs of an account: with a token first, with the account's key where that is refused and allowed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.clouds import STORAGE_SCOPE
from airflow_aib.hooks.errors import FORBIDDEN, UNAUTHORIZED
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.storage_address import account_name
from airflow_aib.hooks.waiting import asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from azure.core import AsyncPipelineClient
    from azure.storage.blob import UserDelegationKey
    from azure.storage.blob.aio import BlobServiceClient

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.storage_address import BlobAddress

T = TypeVar("T")

log = logging.getLogger(__name__)

# The other account's answer, in a copy between two, with the status that it gave: the key of this one would not help.
SOURCE_REFUSED = frozenset({"CannotVerifyCopySource"})

# A signature is made anew for every request: it only has to live until that one has been carried out.
SIGNATURE_LIFE = timedelta(minutes=30)
SIGNATURE_SKEW = timedelta(minutes=5)
# What Entra gives to sign with serves many requests.
DELEGATION_LIFE = timedelta(hours=2)


class StorageAccess:
    """Call the blob service of one account.

    :param clients: how Azure is reached
    :param account_url: address of the account's blob service
    :param account_id: resource id of the account; looked for in the connection's subscription when it is needed
    :param retries: how often the SDK repeats a call by itself
    :param clock: tells the time
    """

    def __init__(
        self,
        clients: AzureClients,
        account_url: str,
        *,
        account_id: str | None = None,
        retries: int = 3,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.clients = clients
        self.account_url = account_url
        self.clock = clock
        self._account_id = account_id
        self._retries = retries
        self._signs = False
        self._delegation: tuple[UserDelegationKey, datetime] | None = None

    @property
    def account_key(self) -> str | None:
        """The account's key, once it had to be fetched."""
        return self.clients.account_keys.get(self.account_url)

    @property
    def service(self) -> BlobServiceClient:
        """The client for the account, with what is accepted as far as is known."""
        return self.clients.blob_service(self.account_url, account_key=self.account_key, retries=self._retries)

    @property
    def web(self) -> AsyncPipelineClient[Any, Any]:
        """The client for requests that carry their own authorization."""
        return self.clients.web(retries=self._retries)

    async def call(self, call: Callable[[], Awaitable[T]], *, doing: str, target: str) -> T:
        """Carry out a call; its errors are ours.

        A token that is over, as may happen in a copy of hours, is renewed once. Where a token is refused, the call is
        made once more with the account's key, if the connection allows that.

        :param call: makes the request with `service` or `signed`; may be called again
        :param doing: what is tried, as in "read blob"
        :param target: address that it concerns
        """
        had_key = self.account_key is not None
        try:
            async with asked(doing, target):
                return await call()
        except ArmRequestError as error:
            if error.status == UNAUTHORIZED:
                await self._renew(error)
            elif error.status == FORBIDDEN and not had_key and error.code not in SOURCE_REFUSED:
                await self._fetch_key(error)
            else:
                raise
        async with asked(doing, target):
            return await call()

    async def signed(self, address: BlobAddress) -> tuple[str, str | None]:
        """Give an address that may be read, and the `Authorization` that belongs to it; never log either."""
        if self.account_key is None and not self._signs:
            return address.url, f"Bearer {await self.clients.token(STORAGE_SCOPE)}"
        return await self.signed_url(address), None

    async def signed_url(self, address: BlobAddress, life: timedelta = SIGNATURE_LIFE) -> str:
        """Give an address that may be read by itself for some time; never log it.

        It is signed with a key that Entra gives for the connection's identity and for that time, or with the account's
        key where that had to be fetched.
        """
        if self.account_key is not None:
            return f"{address.url}?{self._signature(address, life, account_key=self.account_key)}"
        key = await self._get_delegation_key(life)
        return f"{address.url}?{self._signature(address, life, user_delegation_key=key)}"

    def sign_instead(self, refusal: ArmRequestError) -> bool:
        """Take to signatures, should another account not accept the token that it was to read this one with.

        :return: whether that is worth another try
        """
        # A source that is busy, or not there, would be that with a signature as well.
        is_refusal = refusal.code in SOURCE_REFUSED and refusal.status in {UNAUTHORIZED, FORBIDDEN}
        if self._signs or self.account_key is not None or not is_refusal:
            return False
        log.info("Storage does not pass the token on to %s: addresses are signed instead.", self.account_url)
        self._signs = True
        return True

    async def _get_delegation_key(self, life: timedelta) -> UserDelegationKey:
        now = self.clock.now()
        if self._delegation is None or self._delegation[1] < now + life:
            ends = now + max(life, DELEGATION_LIFE)
            async with asked("get a key for signatures from", self.account_url):
                self._delegation = await self.service.get_user_delegation_key(now - SIGNATURE_SKEW, ends), ends
        return self._delegation[0]

    def _signature(self, address: BlobAddress, life: timedelta, **key: Any) -> str:
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        now = self.clock.now()
        signature: str = generate_blob_sas(
            account_name=account_name(address.account_url),
            container_name=address.container,
            blob_name=address.blob,
            permission=BlobSasPermissions(read=True),
            start=now - SIGNATURE_SKEW,
            expiry=now + life,
            protocol="https",
            **key,
        )
        return signature

    async def _renew(self, refusal: ArmRequestError) -> None:
        async with asked("renew the token for", self.account_url):
            await self.clients.renew_token(STORAGE_SCOPE)
        log.info("Storage refused the token (%s): it was renewed.", refusal.code or refusal.status)

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
        async with asked("list the keys of storage account", str(account_id)):
            answer = await operations.list_keys(account_id.resource_group_name, account_id.name)
        keys: list[dict[str, str]] = answer.as_dict().get("keys") or []
        if not keys:
            raise ArmRequestError(
                f"Storage account {account_id} shows no key",
                hint="Give the connection's identity a data role on it instead. See docs/reference/permissions.md.",
                target=str(account_id),
            )
        return keys[0]["value"]

    async def _find_account_id(self) -> str:
        name = account_name(self.account_url)
        async with asked("list the storage accounts of", "the connection's subscription"):
            async for account in self.clients.storage().storage_accounts.list():
                if str(account.name).lower() == name.lower():
                    return str(account.id)
        raise ArmRequestError(
            f"Storage account {name} is not in the connection's subscription",
            hint="Give the connection's identity a data role on it: its key cannot be fetched from here.",
            target=self.account_url,
        )
