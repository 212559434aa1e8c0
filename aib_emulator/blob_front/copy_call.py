"""A request whose content is another blob's, and how what it causes is written to its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multidict import CIMultiDict

from aib_emulator.blob_front.access import Credential

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    import aiohttp
    from aiohttp import web

    from aib_emulator.blob_front.access import Access
    from aib_emulator.blob_front.backend import Backend
    from aib_emulator.blob_front.pending_copies import PendingCopies
    from aib_emulator.blob_front.target import Target

# A condition holds for the state before the copy: once its first part is written, the blob has another state.
ONE_TIME_CONDITIONS = (
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "x-ms-if-tags",
    "x-ms-if-sequence-number-le",
    "x-ms-if-sequence-number-lt",
    "x-ms-if-sequence-number-eq",
    "x-ms-blob-condition-appendpos",
    "x-ms-blob-condition-maxsize",
)
OWNERS = frozenset({Credential.BEARER, Credential.SHARED_KEY})


@dataclass(frozen=True)
class CopyCall:
    """A request whose content is another blob's.

    :param request: as it came
    :param target: what it writes
    :param access: the right that it comes with
    :param backend: Azurite
    :param copies: those that take their time
    :param headers: its headers without those about the source
    """

    request: web.Request
    target: Target
    access: Access
    backend: Backend
    copies: PendingCopies
    headers: CIMultiDict[str]

    async def put(
        self, more_headers: dict[str, str], body: bytes | AsyncIterable[bytes] | None = None, *, is_first: bool = True
    ) -> aiohttp.ClientResponse:
        """Write to the target with the caller's own right; the address stays the same for all these calls."""
        headers = CIMultiDict(self.headers) if is_first else self.unconditional_headers()
        headers.update(more_headers)
        key = self.access.account.keys[0] if self.access.credential in OWNERS else None
        return await self.backend.send("PUT", self.target, headers, body, key=key)

    def unconditional_headers(self) -> CIMultiDict[str]:
        """Return the headers without those that hold for the target's state before the copy."""
        headers = CIMultiDict(self.headers)
        for name in ONE_TIME_CONDITIONS:
            headers.pop(name, None)
        return headers
