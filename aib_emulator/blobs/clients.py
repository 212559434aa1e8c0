"""The SDK's clients of blobs, as the emulator itself uses them: with patience, and whoever has a lease."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, BlobServiceClient

if TYPE_CHECKING:
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.storage.blob.aio import BlobClient

LONGEST_PUT_PAGE = 4 * 1024 * 1024
REQUEST_LOG = logging.getLogger("aib_emulator.blobs.requests")
REQUEST_LOG.setLevel(logging.WARNING)
"""What the SDK logs of the emulator's own requests: whoever logs those of a program under test wants none of them."""

RETRIES: dict[str, Any] = {
    "retry_total": 30,
    "retry_connect": 30,
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 1,
}
"""While Azurite is started again, what a build writes waits for it: about a minute."""


def service_client(url: str, account: str, key: str, transport: AioHttpTransport | None) -> BlobServiceClient:
    """Return a client of an account's blobs that signs with a key."""
    credential = {"account_name": account, "account_key": key}
    return BlobServiceClient(url, credential=credential, transport=transport, logger=REQUEST_LOG, **RETRIES)


async def delete_container(service: BlobServiceClient, container: str) -> None:
    """Delete a container with all that is in it; an absent one is fine."""
    with suppress(ResourceNotFoundError):
        await service.delete_container(container)


async def delete_even_leased(service: BlobServiceClient, container: str) -> None:
    """Delete a container, whoever has a lease: an account goes with everything in it."""
    try:
        await delete_container(service, container)
    except HttpResponseError as error:
        if error.error_code != "LeaseIdMissing":  # type: ignore[attr-defined] # the SDK of blobs sets it
            raise
        await BlobLeaseClient(service.get_container_client(container)).break_lease(lease_break_period=0)
        await delete_container(service, container)


async def put_pages(client: BlobClient, offset: int, content: bytes, headers: dict[str, str]) -> None:
    """Write pages, in as many calls as their length takes."""
    for start in range(0, len(content), LONGEST_PUT_PAGE):
        piece = content[start : start + LONGEST_PUT_PAGE]
        await client.upload_page(piece, offset=offset + start, length=len(piece), headers=headers)
