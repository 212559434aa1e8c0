"""What it takes to copy a VHD: ours, from storage to storage, beside the SDK's download and upload."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientSecretCredential
from azure.storage.blob.aio import BlobClient

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from airflow_aib.hooks.clients import AzureClients
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.vhd_copy import copy_vhd
from airflow_aib.vhd.copy_options import CopyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Copy = Callable[[EmulatorThread, str, str, "Traffic"], Coroutine[None, None, None]]

ROUNDS = 3
VHD_SIZE = 2048 * MEBIBYTE
ALLOCATED = 128 * MEBIBYTE
CONCURRENCY = 8  # of both


@dataclass
class Traffic:
    """Count the bodies that pass through this process, and the calls."""

    read: int = 0
    written: int = 0
    calls: int = 0

    def config(self) -> aiohttp.TraceConfig:
        """Return what makes an aiohttp session report here."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._count)
        config.freeze()
        return config

    async def _count(self, _session: Any, _context: Any, end: aiohttp.TraceRequestEndParams) -> None:
        self.calls += 1
        self.written += int(end.response.request_info.headers.get("Content-Length", 0))
        if end.method != "HEAD":
            self.read += int(end.response.headers.get("Content-Length", 0))


@dataclass(frozen=True)
class CopyCost:
    """Hold what one way of copying took.

    :param seconds: wall time, the shortest of the rounds
    :param read: bytes that passed into the worker
    :param written: bytes that passed out of it
    :param calls: requests to storage and for tokens
    """

    seconds: float
    read: int
    written: int
    calls: int


def measure_copies() -> tuple[CopyCost, CopyCost]:
    """Return our cost and the peer's, on the same emulator, in turns."""
    settings = EmulatorSettings(vhd_size_bytes=VHD_SIZE, vhd_allocated_bytes=ALLOCATED)
    with EmulatorThread(settings) as thread:
        source = _make_vhd(thread)
        rounds = [
            (_timed(_copy_ours, thread, source, f"ours{turn}"), _timed(_copy_peer, thread, source, f"peer{turn}"))
            for turn in range(ROUNDS)
        ]
    ours, peer = ([cost[side] for cost in rounds] for side in (0, 1))
    return min(ours, key=lambda cost: cost.seconds), min(peer, key=lambda cost: cost.seconds)


def _make_vhd(thread: EmulatorThread) -> str:
    blobs, loop = thread.emulator.world.blobs, thread._loop
    making = blobs.put_sparse_vhd(
        "imagestore", "vhds", "source.vhd", size_bytes=VHD_SIZE, allocated_bytes=ALLOCATED, seed="bench"
    )
    if loop is None:
        raise RuntimeError("the emulator has ended")
    asyncio.run_coroutine_threadsafe(making, loop).result(120)
    return blobs.blob_url("imagestore", "vhds", "source.vhd")


def _timed(copy: Copy, thread: EmulatorThread, source: str, name: str) -> CopyCost:
    traffic = Traffic()
    start = time.perf_counter()
    asyncio.run(copy(thread, source, name, traffic))
    return CopyCost(time.perf_counter() - start, traffic.read, traffic.written, traffic.calls)


async def _copy_ours(thread: EmulatorThread, source: str, name: str, traffic: Traffic) -> None:
    connection = json.loads(thread.settings_json)
    known = {key: connection[key] for key in ("conn_type", "login", "password", "extra")}
    async with AzureClients(settings_from_connection(**known)) as clients:
        if clients._session is None:
            raise RuntimeError("the clients have no session")
        clients._session.trace_configs.append(traffic.config())
        options = CopyOptions(method="pages", concurrency=CONCURRENCY)
        await copy_vhd(clients, source, "imagestore/images", blob_name=f"{name}.vhd", options=options)


async def _copy_peer(thread: EmulatorThread, source: str, name: str, traffic: Traffic) -> None:
    """Download to a file and upload it, as the SDK's documentation shows, with its own care for empty pages."""
    env = thread.env
    tls = ssl.create_default_context(cafile=str(thread.emulator.ca_file))
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[traffic.config()], auto_decompress=False
    ) as session:
        shared: dict[str, Any] = {"transport": AioHttpTransport(session=session, session_owner=False)}
        credential = ClientSecretCredential(
            env["AZURE_TENANT_ID"],
            env["AZURE_CLIENT_ID"],
            env["AZURE_CLIENT_SECRET"],
            authority=env["AZURE_AUTHORITY_HOST"],
            **shared,
        )
        target = f"{thread.emulator.blob_url}/imagestore/images/{name}.vhd"
        reading = BlobClient.from_blob_url(source, credential=credential, **shared)
        writing = BlobClient.from_blob_url(target, credential=credential, **shared)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "disk.vhd"
            with file.open("wb") as output:
                await (await reading.download_blob(max_concurrency=CONCURRENCY)).readinto(output)
            with file.open("rb") as content:
                await writing.upload_blob(
                    content, blob_type="PageBlob", length=file.stat().st_size, max_concurrency=CONCURRENCY
                )
