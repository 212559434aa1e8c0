"""Downloads of scripts and files from this machine, as the service makes them from anywhere."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ATTEMPTS = 10
"""As many as the service's message counts."""
MOST_REDIRECTS = 10
PATIENCE = aiohttp.ClientTimeout(total=20)
CHUNK = 64 * 1024
SERVER_ERROR = 500


class DownloadError(Exception):
    """A file could not be had."""


def is_on_this_machine(url: str) -> bool:
    """Whether `url` names loopback: the emulator reaches nothing else."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def checksum_of(url: str) -> str:
    """Return the SHA-256 of what lies at an address on this machine, or raise DownloadError."""
    async with aiohttp.ClientSession(timeout=PATIENCE, headers={"User-Agent": "VirtualMachineImages"}) as session:
        for _ in range(ATTEMPTS):
            try:
                return await _checksum(session, url)
            except (aiohttp.ClientConnectionError, _PassingError):
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                raise DownloadError(url) from error
    raise DownloadError(url)


class _PassingError(Exception):
    """The server failed: another attempt may do better."""


async def _checksum(session: aiohttp.ClientSession, url: str) -> str:
    for _ in range(MOST_REDIRECTS):
        # Nobody has certificates for a test server that the emulator would know.
        async with session.get(url, ssl=False, allow_redirects=False) as answer:
            if answer.status >= SERVER_ERROR:
                raise _PassingError
            if not answer.ok:
                raise DownloadError(url)
            if "Location" not in answer.headers:
                return await _digest(answer.content.iter_chunked(CHUNK))
            url = urljoin(url, answer.headers["Location"])
            if not is_on_this_machine(url):
                raise DownloadError(url)
    raise DownloadError(url)


async def _digest(chunks: AsyncIterator[bytes]) -> str:
    digest = hashlib.sha256()
    async for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
