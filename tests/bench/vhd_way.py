"""Copies a VHD in one of several ways: `python -m tests.bench.vhd_way`, in a process of its own.

It reads one line of JSON that says how, what and where to.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_aib.vhd.copy_options import CopyMethod

    Way = Callable[["Order"], Awaitable[None]]

CONCURRENCY = 16
LOOK = 0.1  # seconds between two looks at a Copy Blob


@dataclass(frozen=True)
class Order:
    """Say what to copy.

    :param connection: Airflow's connection to the emulator, as JSON
    :param env: what the SDK needs to sign in
    :param ca_file: certificate authority of the emulator
    :param source: address of the VHD
    :param target: address of the copy
    """

    connection: dict[str, Any]
    env: dict[str, str]
    ca_file: str
    source: str
    target: str


async def ours(order: Order) -> None:
    """Copy as the operator does, piece by piece, and verify."""
    await _copy(order, "pages")


async def chosen(order: Order) -> None:
    """Copy as the operator does when nobody says how, and verify."""
    await _copy(order, "auto")


async def _copy(order: Order, method: CopyMethod) -> None:
    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.connection import settings_from_connection
    from airflow_aib.hooks.vhd_copy import copy_vhd
    from airflow_aib.vhd.copy_options import CopyOptions

    known = {key: order.connection[key] for key in ("conn_type", "login", "password", "extra")}
    destination, _, name = order.target.rpartition("/")
    async with AzureClients(settings_from_connection(**known)) as clients:
        options = CopyOptions(method=method, concurrency=CONCURRENCY)
        await copy_vhd(clients, order.source, destination, blob_name=name, options=options)


async def copy_blob(order: Order) -> None:
    """Have storage copy the blob in its own time, with a signature of the identity's own, and wait."""
    from azure.storage.blob import BlobSasPermissions, generate_blob_sas
    from azure.storage.blob.aio import BlobClient, BlobServiceClient

    async with signed_in(order) as shared:
        account_url, container, blob = order.source.rsplit("/", 2)
        now = datetime.now(UTC)
        key = await BlobServiceClient(account_url, **shared).get_user_delegation_key(now, now + timedelta(hours=1))
        signature = generate_blob_sas(
            account_url.rpartition("/")[2],
            container,
            blob,
            user_delegation_key=key,
            permission=BlobSasPermissions(read=True),
            expiry=now + timedelta(hours=1),
        )
        target = BlobClient.from_blob_url(order.target, **shared)
        await target.start_copy_from_url(f"{order.source}?{signature}")
        while (await target.get_blob_properties()).copy.status == "pending":  # noqa: ASYNC110 - storage tells nobody
            await asyncio.sleep(LOOK)


async def sdk(order: Order) -> None:
    """Download to a file and upload it, as the SDK's documentation shows, with its own care for empty pages."""
    from azure.storage.blob.aio import BlobClient

    async with signed_in(order) as shared:
        source = BlobClient.from_blob_url(order.source, **shared)
        target = BlobClient.from_blob_url(order.target, **shared)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "disk.vhd"
            with file.open("wb") as output:
                await (await source.download_blob(max_concurrency=CONCURRENCY)).readinto(output)
            with file.open("rb") as content:
                await target.upload_blob(
                    content, blob_type="PageBlob", length=file.stat().st_size, max_concurrency=CONCURRENCY
                )


async def nothing(_: Order) -> None:
    """Start and end, which is what the interpreter itself takes."""


WAYS: dict[str, Way] = {"ours": ours, "chosen": chosen, "copy_blob": copy_blob, "sdk": sdk, "nothing": nothing}


@asynccontextmanager
async def signed_in(order: Order) -> AsyncIterator[dict[str, Any]]:
    """Lend a credential and connections as arguments for the SDK's clients."""
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.identity.aio import ClientSecretCredential

    tls = ssl.create_default_context(cafile=order.ca_file)
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        transport: dict[str, Any] = {"transport": AioHttpTransport(session=session, session_owner=False)}
        credential = ClientSecretCredential(
            order.env["AZURE_TENANT_ID"],
            order.env["AZURE_CLIENT_ID"],
            order.env["AZURE_CLIENT_SECRET"],
            authority=order.env["AZURE_AUTHORITY_HOST"],
            **transport,
        )
        yield {**transport, "credential": credential}


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    asyncio.run(WAYS[asked.pop("way")](Order(**asked)))  # type: ignore[arg-type]  # every way is a coroutine function
