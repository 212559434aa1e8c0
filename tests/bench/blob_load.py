"""Loads a blob endpoint and says how long it took: `python -m tests.bench.blob_load`, in a process of its own.

It reads one line of JSON that says where to go, and writes one with the seconds that each load took.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from aib_emulator.blob_front.shared_key import authorization
from aib_emulator.blob_front.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    Load = Callable[["Endpoint"], Coroutine[None, None, None]]

MEBIBYTE = 1024 * 1024
PIECE = 4 * MEBIBYTE
PIECES = 16
SMALL_REQUESTS = 1000
CONCURRENCY = 8
VERSION = "2025-07-05"
CONTENT = bytes(range(256)) * (PIECE // 256)


@dataclass(frozen=True)
class Endpoint:
    """Say where to go, and with what right.

    :param url: scheme, host and port
    :param account: the storage account
    :param key: signs requests
    :param token: is shown instead, if there is one
    :param copies: whether it knows Put Page From URL; otherwise the client reads and writes
    :param session: sends the requests
    """

    url: str
    account: str
    key: str
    token: str
    copies: bool
    session: aiohttp.ClientSession

    async def send(self, method: str, place: str, body: bytes = b"", **headers: str) -> bytes:
        """Send a request about a place in the container and return the answer's body."""
        target = Target(f"/{self.account}/bench/{place}" if place else f"/{self.account}/bench?restype=container")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = CIMultiDict({"x-ms-version": VERSION, "Content-Length": str(len(body)), **named})
        sent["Authorization"] = f"Bearer {self.token}" if self.token else authorization(method, target, sent, self.key)
        url = URL(self.url + target.raw, encoded=True)
        async with self.session.request(method, url, headers=sent, data=body) as answer:
            content = await answer.read()
            if not answer.ok:
                raise RuntimeError(f"{method} {place}: {answer.status} {content.decode(errors='replace')}")
            return content


async def prepare(endpoint: Endpoint) -> None:
    """Make the container and the page blobs, one of them full."""
    await endpoint.send("PUT", "")
    for name in ("disk", "copy"):
        length = str(PIECES * PIECE)
        await endpoint.send("PUT", name, x_ms_blob_type="PageBlob", x_ms_blob_content_length=length)


async def write_blocks(endpoint: Endpoint) -> None:
    """Write a block blob in pieces."""
    names = [f"{number:08}" for number in range(PIECES)]
    await in_parallel(endpoint.send("PUT", f"blocks?comp=block&blockid={name}", CONTENT) for name in names)
    listed = "".join(f"<Latest>{name}</Latest>" for name in names)
    await endpoint.send("PUT", "blocks?comp=blocklist", f"<BlockList>{listed}</BlockList>".encode())


async def read_blocks(endpoint: Endpoint) -> None:
    """Read the block blob in ranges."""
    await in_parallel(endpoint.send("GET", "blocks", x_ms_range=piece(number)) for number in range(PIECES))


async def write_pages(endpoint: Endpoint) -> None:
    """Write the disk."""
    await in_parallel(write_page(endpoint, "disk", number, CONTENT) for number in range(PIECES))


async def read_pages(endpoint: Endpoint) -> None:
    """Read the disk in ranges."""
    await in_parallel(endpoint.send("GET", "disk", x_ms_range=piece(number)) for number in range(PIECES))


async def copy_pages(endpoint: Endpoint) -> None:
    """Copy the disk, by the service where it can and by reading and writing where it cannot."""
    await in_parallel(copy_page(endpoint, number) for number in range(PIECES))


async def small_requests(endpoint: Endpoint) -> None:
    """Ask for a blob's properties again and again."""
    await in_parallel(endpoint.send("HEAD", "disk") for _ in range(SMALL_REQUESTS))


LOADS: tuple[Load, ...] = (write_blocks, read_blocks, write_pages, read_pages, copy_pages, small_requests)


async def write_page(endpoint: Endpoint, blob: str, number: int, content: bytes) -> None:
    """Write one piece of a page blob."""
    await endpoint.send("PUT", f"{blob}?comp=page", content, x_ms_page_write="update", x_ms_range=piece(number))


async def copy_page(endpoint: Endpoint, number: int) -> None:
    """Copy one piece of the disk."""
    if not endpoint.copies:
        await write_page(endpoint, "copy", number, await endpoint.send("GET", "disk", x_ms_range=piece(number)))
        return
    source = f"{endpoint.url}/{endpoint.account}/bench/disk"
    await endpoint.send(
        "PUT",
        "copy?comp=page",
        x_ms_page_write="update",
        x_ms_range=piece(number),
        x_ms_source_range=piece(number),
        x_ms_copy_source=source,
        x_ms_copy_source_authorization=f"Bearer {endpoint.token}",
    )


def piece(number: int) -> str:
    """Return the range of a piece."""
    return f"bytes={number * PIECE}-{(number + 1) * PIECE - 1}"


async def in_parallel(sends: Iterable[Coroutine[None, None, object]]) -> None:
    """Do everything, a few at a time."""
    free = asyncio.Semaphore(CONCURRENCY)

    async def one(send: Coroutine[None, None, object]) -> None:
        async with free:
            await send

    await asyncio.gather(*map(one, sends))


async def measure(where: dict[str, str]) -> dict[str, float]:
    """Return the seconds that each load took."""
    context = ssl.create_default_context(cafile=where["ca_file"]) if where["ca_file"] else False
    connector = aiohttp.TCPConnector(ssl=context)
    skipped = ("Content-Type", "User-Agent")
    async with aiohttp.ClientSession(connector=connector, skip_auto_headers=skipped) as session:
        named = {name: where[name] for name in ("url", "account", "key", "token")}
        endpoint = Endpoint(**named, copies=bool(where["token"]), session=session)
        await prepare(endpoint)
        seconds = {}
        for load in LOADS:
            start = time.perf_counter()
            await load(endpoint)
            seconds[load.__name__] = time.perf_counter() - start
        await endpoint.send("DELETE", "")
        return seconds


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(json.loads(sys.stdin.readline())))))
