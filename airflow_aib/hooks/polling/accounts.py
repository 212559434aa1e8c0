"""The staging storage accounts of all waits of a process: found together, and within the poller's request limits.

Each image template has a resource group of its own for staging, so that a thousand builds would be a thousand requests.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import FORBIDDEN
from airflow_aib.hooks.polling.gathering import QUIET
from airflow_aib.hooks.polling.shared_work import SharedWork
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.staging_account import StorageAccount, account_of, all_accounts, group_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.clock import Clock

    Found = StorageAccount | None

# For more groups than this the accounts of the whole subscription are asked for.
FEW = 3
# Seconds for which a group that has no account is not asked again.
ABSENCE = 60.0
# Seconds that a wait gives to it: the account is known at one of its next looks then.
PATIENCE = 30.0
# Requests at a time.
AT_ONCE = 4


class SharedAccounts:
    """Find the storage accounts of staging resource groups for many waits.

    :param clients: how Azure is reached
    :param admit: waits until a subscription has a read left
    :param clock: tells the time and waits
    """

    def __init__(self, clients: AzureClients, admit: Callable[[str], Awaitable[None]], clock: Clock) -> None:
        self._clients = clients
        self._admit = admit
        self._clock = clock
        self._known: dict[str, StorageAccount] = {}
        self._absent: dict[str, float] = {}
        self._wanted: dict[str, dict[str, asyncio.Future[Found]]] = defaultdict(dict)
        self._forbidden: set[str] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._open: set[asyncio.Future[Found]] = set()
        self._work = SharedWork(self._end_waits)

    async def find(self, group_id: str) -> StorageAccount | None:
        """Give the storage account of a resource group; None when it has none, or is not found yet."""
        key = group_key(group_id)
        if key in self._known:
            return self._known[key]
        if self._now() < self._absent.get(key, 0.0):
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                # One wait that ends takes nothing from the others.
                return await asyncio.shield(self._want(key))
        except TimeoutError:
            return None

    def forget(self, account: StorageAccount) -> None:
        """Look for it anew the next time, since it was not reached."""
        self._known.pop(account.group_key, None)

    async def close(self) -> None:
        """End all that is under way."""
        await self._work.close()

    def _want(self, key: str) -> asyncio.Future[Found]:
        subscription_id = ResourceId.parse(key).subscription_id
        wanted = self._wanted[subscription_id]
        if not wanted:
            self._work.begin(self._look(subscription_id))
        if key not in wanted:
            wanted[key] = future = asyncio.get_running_loop().create_future()
            self._open.add(future)
            future.add_done_callback(self._open.discard)
        return wanted[key]

    def _end_waits(self, error: BaseException) -> None:
        """Tell everybody who waits what the work has died of."""
        for future in tuple(self._open):
            _fail(future, error)

    async def _look(self, subscription_id: str) -> None:
        """Gather who wants an account, then find all of them."""
        await self._clock.sleep(QUIET)
        wanted = self._wanted.pop(subscription_id)
        if sum(key not in self._known for key in wanted) > FEW and subscription_id not in self._forbidden:
            await self._look_at_all(subscription_id)
        await asyncio.gather(*(self._settle(key, future, subscription_id) for key, future in wanted.items()))

    async def _look_at_all(self, subscription_id: str) -> None:
        """Take in all accounts of the subscription; whom they do not show is looked at singly."""
        try:
            async for account in all_accounts(self._clients, subscription_id, lambda: self._admit(subscription_id)):
                self._known.setdefault(account.group_key, account)
        except ArmRequestError as error:
            if error.status == FORBIDDEN:
                self._forbidden.add(subscription_id)

    async def _settle(self, key: str, future: asyncio.Future[Found], subscription_id: str) -> None:
        try:
            future.set_result(self._known.get(key) or await self._look_at_one(key, subscription_id))
        except Exception as error:  # noqa: BLE001 - it is told to those who wait for it
            _fail(future, error)

    async def _look_at_one(self, key: str, subscription_id: str) -> Found:
        async with self._gate:
            await self._admit(subscription_id)
            account = await account_of(self._clients, key)
        if account is not None:
            self._known[key] = account
        else:
            self._absent[key] = self._now() + ABSENCE
        return account

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _fail(future: asyncio.Future[Found], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        # Nobody may be left to hear of it.
        future.exception()
