"""Keeps the emulator's storage accounts behind one TLS address, and writes what builds leave in them."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport

from aib_emulator.blob_front import (
    EMULATED_TIME,
    Backend,
    BlobAccount,
    BlobLimits,
    CopyPace,
    DataRoles,
    FrontParts,
    GateSettings,
    PendingCopies,
    PendingCopy,
    RateLimiter,
    blob_front,
    traffic_middleware,
)
from aib_emulator.blobs.azurite import Azurite
from aib_emulator.blobs.clients import delete_container, delete_even_leased, put_pages, service_client
from aib_emulator.blobs.vhd import Fragment, fragment_content, plan_vhd, vhd_footer
from aib_emulator.keeping.keeper import Keeper
from aib_emulator.listening import listen
from aib_emulator.settings import LOOPBACK, SHUTDOWN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from azure.storage.blob.aio import BlobClient, BlobServiceClient

    from aib_emulator.clock import Clock
    from aib_emulator.faults import Faults
    from aib_emulator.request_record import RequestRecord
    from aib_emulator.settings import EmulatorSettings
    from aib_emulator.tls import TlsFiles
    from aib_emulator.tokens import TokenAuthority

log = logging.getLogger(__name__)

FAMILY = "blob-account"
LONGEST_APPEND = 4 * 1024 * 1024
PARALLEL_WRITES = 4
KEEP_ALIVE_SECONDS = 120.0
"""Clients keep connections while they wait between polls, and do not repeat a POST that met a closing one."""


class AzuriteBlobStore:
    """Serve storage accounts, and do in them what the effects of a build ask for.

    :param settings: the port to listen on, and the tenant
    :param folder: where blobs are kept
    :param tls: certificate of the address
    :param tokens: checks bearer tokens
    :param clock: the emulated time
    :param faults: planned faults, which strike here too
    :param requests: where every call is noted
    :param granted: account name and object id -> what role assignments make of a principal
    :param keeper: told of every change of an account
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        *,
        folder: Path,
        tls: TlsFiles,
        tokens: TokenAuthority,
        clock: Clock,
        faults: Faults,
        requests: RequestRecord,
        granted: Callable[[str, str], str],
        keeper: Keeper | None = None,
    ) -> None:
        self._roles = DataRoles(granted)
        self._settings = settings
        self._tls = tls
        self._tokens = tokens
        self._clock = clock
        self._faults = faults
        self._requests = requests
        self._azurite = Azurite(folder, self._begin_to_revive)
        self._revival: asyncio.Task[None] | None = None
        self._backend = Backend(clock)
        self._copies = PendingCopies(self._backend, self, self._azurite.note_copy, clock, keeper)
        self._limiter = RateLimiter()
        self._accounts: dict[str, BlobAccount] = {}
        self._keeper = keeper or Keeper()
        self._keeper.add(FAMILY, self._accounts)
        self._changing_accounts = asyncio.Lock()
        self._clients: dict[str, BlobServiceClient] = {}
        self._transport: AioHttpTransport | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def public_url(self) -> str:
        """`https://127.0.0.1:<port>`: accounts are the first segment of the path."""
        return f"https://{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Start Azurite and listen."""
        await self._azurite.start()
        tenant = self._settings.tenant_id
        gate = GateSettings(
            tenant_id=tenant,
            # Clients take the tenant from it, and ask the authority that they know already.
            authorization_uri=f"https://login.microsoftonline.com/{tenant}/oauth2/authorize",
            delegation_seed=self._azurite.delegation_seed,
        )
        parts = FrontParts(
            azurite_url=self._azurite.url,
            accounts=self,
            tokens=self._tokens,
            roles=self._roles,
            gate_settings=gate,
            clock=self._clock,
            backend=self._backend,
            copies=self._copies,
            limiter=self._limiter,
        )
        app = blob_front(parts, [traffic_middleware(self._faults, self._requests, self._clock)])
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # a blob that is sent compressed is kept compressed
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._settings.blob_port, ssl_context=self._tls.server_context())
        await listen(site, self._settings.blob_port, "--blob-port")
        self._port = self._runner.addresses[0][1]
        self._transport = AioHttpTransport()

    async def close(self) -> None:
        """Answer nobody any more."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def stop(self, deadline: float) -> None:
        """End everything that was started; by that time of the event loop what has not ended is killed."""
        await self.close()
        if self._revival is not None:
            self._revival.cancel()
            await asyncio.gather(self._revival, return_exceptions=True)
        self._clients.clear()
        if self._transport is not None:
            await self._transport.close()
        await self._azurite.stop(max(0.0, deadline - asyncio.get_running_loop().time()))

    async def reset(self) -> None:
        """Delete every account with its blobs, and forget who may do what, how fast copies go and what a blob bears."""
        self._roles.clear()
        self._limiter.set(BlobLimits())
        self._copies.clear()
        for name in list(self._accounts):
            await self.delete_account(name)

    def _begin_to_revive(self) -> None:
        self._revival = asyncio.create_task(self._revive())

    async def _revive(self) -> None:
        async with self._changing_accounts:
            try:
                await self._azurite.start()
            except OSError:
                log.exception("Azurite could not be started again: no blob can be read or written any more")
            else:
                log.warning("Azurite runs again; what was written just before it ended may be lost")

    def account(self, name: str) -> BlobAccount | None:
        """Return the account of that name, if there is one."""
        return self._accounts.get(name)

    async def create_account(self, name: str) -> None:
        """Make an account; once more for an existing one changes nothing."""
        async with self._changing_accounts:
            if name not in self._accounts:
                await self._set_account(BlobAccount(name, (new_account_key(), new_account_key())))

    async def restore(self, accounts: Iterable[BlobAccount], copies: Iterable[PendingCopy]) -> None:
        """Let accounts exist again whose blobs are there, and copies go on."""
        self._copies.restore(copies)
        for account in accounts:
            await self._set_account(account)

    def set_policy(self, name: str, *, allows_shared_key: bool, allows_public_access: bool) -> None:
        """Say whether account keys are good for an account, and whether its containers may be opened to everybody."""
        self._keeper.touch(FAMILY, name)
        self._accounts[name] = replace(
            self._accounts[name], allows_shared_key=allows_shared_key, allows_public_access=allows_public_access
        )

    def set_data_role(self, role: str, *, account: str, object_id: str) -> None:
        """Let a principal be `none`, `reader` or `contributor` of an account's blobs; `*` is every one of them."""
        self._roles.assign(role, account=account, object_id=object_id)

    def clear_data_roles(self) -> None:
        """Let role assignments alone decide again."""
        self._roles.clear()

    def set_copy_pace(self, bytes_per_second: float | None, fail_at_bytes: int | None = None) -> None:
        """Say how fast Copy Blob goes in emulated time, and where reading its source fails; None is done at once."""
        self._copies.pace = CopyPace(bytes_per_second, fail_at_bytes)

    def set_blob_limits(
        self, requests_per_second: float | None, bytes_per_second: float | None, *, retry_after: int = 1
    ) -> None:
        """Say how much one blob bears in a second of emulated time; None is without limit."""
        self._limiter.set(BlobLimits(requests_per_second, bytes_per_second, retry_after))

    async def regenerate_key(self, name: str, index: int) -> None:
        """Replace one of the two keys; what the old one signed is worth nothing from now on."""
        async with self._changing_accounts:
            keys = [*self._accounts[name].keys]
            # What a build writes meanwhile is signed with the key that stays.
            self._clients[name] = self._client(name, keys[1 - index])
            keys[index] = new_account_key()
            await self._azurite.set_account(name, keys)
            self._keep(replace(self._accounts[name], keys=(keys[0], keys[1])))

    async def delete_account(self, name: str) -> None:
        """Delete an account with all that is in it; an absent one is fine."""
        await self._copies.settle()
        async with self._changing_accounts:
            if name not in self._accounts:
                return
            service = self._service(name)
            account = self._accounts.pop(name)  # nobody gets in any more
            try:
                containers = [container.name async for container in service.list_containers()]
                await asyncio.gather(*(delete_even_leased(service, container) for container in containers))
                await self._azurite.set_account(name, None)
            except BaseException:
                self._accounts[name] = account  # it is there still, and can be deleted once more
                raise
            self._clients.pop(name, None)
            self._keeper.touch(FAMILY, name)

    def account_keys(self, name: str) -> tuple[str, str]:
        """Return the two keys of an account, base64."""
        return self._accounts[name].keys

    def blob_url(self, account: str, container: str = "", blob: str = "") -> str:
        """Return the public address of an account, a container or a blob."""
        names = [account, container, quote(blob, safe="/~")]
        return "/".join([self.public_url, *(name for name in names if name)])

    async def create_container(self, account: str, container: str) -> None:
        """Make a container; once more for an existing one changes nothing."""
        with suppress(ResourceExistsError):
            await self._service(account).create_container(container)

    async def list_containers(self, account: str) -> list[str]:
        """Return the names of an account's containers."""
        return [container.name async for container in self._service(account).list_containers()]

    async def delete_container(self, account: str, container: str) -> None:
        """Delete a container with all that is in it; an absent one is fine."""
        await self._copies.settle()
        await delete_container(self._service(account), container)

    async def append_text(
        self, account: str, container: str, blob: str, text: str, *, at: datetime | None = None
    ) -> None:
        """Write at the end of an append blob, made with its container at the first time; at an instant, or now."""
        content, headers = text.encode(), self._time_header(at)
        for start in range(0, len(content), LONGEST_APPEND):
            client, piece = self._blob(account, container, blob), content[start : start + LONGEST_APPEND]
            try:
                await client.append_block(piece, headers=headers)
            except ResourceNotFoundError:
                await self.create_container(account, container)
                await client.create_append_blob(headers=headers)
                await client.append_block(piece, headers=headers)

    async def put_blob(self, account: str, container: str, blob: str, content: bytes) -> None:
        """Write a block blob, making its container at the first time."""
        client, headers = self._blob(account, container, blob), self._time_header()
        try:
            await client.upload_blob(content, overwrite=True, headers=headers)
        except ResourceNotFoundError:
            await self.create_container(account, container)
            await client.upload_blob(content, overwrite=True, headers=headers)

    async def put_sparse_vhd(
        self,
        account: str,
        container: str,
        blob: str,
        *,
        size_bytes: int,
        allocated_bytes: int,
        seed: str,
        at: datetime | None = None,
    ) -> None:
        """Write a fixed VHD as a page blob: `size_bytes` of disk, some of it data made from `seed`, and the footer.

        Of the blob's `size_bytes + 512`, exactly `allocated_bytes` are in allocated pages, the footer among them.
        """
        layout = plan_vhd(size_bytes, allocated_bytes, seed)
        await self.create_container(account, container)
        headers = self._time_header(at)
        await self._blob(account, container, blob).create_page_blob(layout.blob_bytes, headers=headers)
        limit = asyncio.Semaphore(PARALLEL_WRITES)

        async def write(fragment: Fragment) -> None:
            async with limit:
                content = await asyncio.to_thread(fragment_content, layout, fragment)
                await put_pages(self._blob(account, container, blob), fragment.offset, content, headers)

        await asyncio.gather(*(write(fragment) for fragment in layout.fragments))
        footer = vhd_footer(layout, at or self._clock.now())
        await put_pages(self._blob(account, container, blob), layout.disk_bytes, footer, headers)

    async def get_blob(self, account: str, container: str, blob: str) -> bytes | None:
        """Return the content of a blob, or None when there is none."""
        try:
            download = await self._blob(account, container, blob).download_blob()
        except ResourceNotFoundError:
            return None
        content: bytes = await download.readall()
        return content

    def _time_header(self, at: datetime | None = None) -> dict[str, str]:
        """Return the header that dates a change: what a build leaves has its own instant, however late it is made."""
        return {EMULATED_TIME: (at or self._clock.now()).isoformat()}

    async def _set_account(self, account: BlobAccount) -> None:
        await self._azurite.set_account(account.name, account.keys)
        self._keep(account)

    def _keep(self, account: BlobAccount) -> None:
        self._accounts[account.name] = account
        self._keeper.touch(FAMILY, account.name)

    def _service(self, account: str) -> BlobServiceClient:
        if account not in self._clients:
            self._clients[account] = self._client(account, self._accounts[account].keys[0])
        return self._clients[account]

    def _client(self, account: str, key: str) -> BlobServiceClient:
        return service_client(f"{self._azurite.url}/{account}", account, key, self._transport)

    def _blob(self, account: str, container: str, blob: str) -> BlobClient:
        return self._service(account).get_blob_client(container, blob)


def new_account_key() -> str:
    """Return a fresh account key: 64 random bytes in base64, as the service makes them."""
    return base64.b64encode(secrets.token_bytes(64)).decode()
