"""Asks Azurite: requests go out exactly as they are given, signed with the account's key where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from aib_emulator.blob_front.shared_key import authorization

if TYPE_CHECKING:
    from collections.abc import AsyncIterable
    from datetime import datetime

    from aib_emulator.blob_front.target import Target
    from aib_emulator.clock import Clock

EMULATED_TIME = "aib-emulated-time"
"""The header that tells Azurite what time it is."""
INVENTED_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
IDLE_SECONDS = 3.0
"""Azurite closes an idle connection after five seconds; shorter, so that no request hits a closing one."""

CONNECT_SECONDS, SILENT_SECONDS = 10.0, 60.0
"""After which Azurite cannot be reached: while it accepts no connection, or sends nothing of an answer."""


class Backend:
    """Send requests to Azurite.

    :param clock: the emulated time
    """

    def __init__(self, clock: Clock) -> None:
        self._url = ""
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def open(self, url: str) -> None:
        """Prepare the connections to Azurite at `url`; call it inside the running loop."""
        self._url = url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS),
            auto_decompress=False,
            skip_auto_headers=INVENTED_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        method: str,
        target: Target,
        headers: CIMultiDict[str],
        body: bytes | AsyncIterable[bytes] | None = None,
        *,
        key: str | None = None,
        at: datetime | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request and return the answer, its body unread; release it when done.

        :param headers: every header to send but `Authorization`, when a `key` is given
        :param key: account key to sign with; None sends the request as it is
        :param at: the emulated instant of what is done; None is now
        """
        if self._session is None:
            raise RuntimeError("The connections to Azurite are not open.")
        headers = CIMultiDict(headers)
        headers[EMULATED_TIME] = (at or self._clock.now()).isoformat()
        if key is not None:
            headers["Authorization"] = authorization(method, target, headers, key)
        return await self._session.request(
            method, URL(self._url + target.raw, encoded=True), headers=headers, data=body, allow_redirects=False
        )
