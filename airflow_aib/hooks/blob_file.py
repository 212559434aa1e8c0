"""One blob of any kind: look at it, read parts of it, write it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_facts import BlobFacts, read_facts
from airflow_aib.hooks.errors import CONFLICT, NOT_FOUND, PRECONDITION_FAILED
from airflow_aib.vhd.page_ranges import PageRange

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Mapping
    from datetime import datetime

    from azure.core.rest import AsyncHttpResponse
    from azure.storage.blob.aio import BlobClient

    from airflow_aib.hooks.storage_access import StorageAccess
    from airflow_aib.hooks.storage_address import BlobAddress

RANGE_NOT_SATISFIABLE = 416
OK_STATUSES = (200, 206)

# The oldest version of the protocol that signs in with tokens and knows everything that is asked for here.
STORAGE_API_VERSION = "2021-12-02"
# Storage computes the checksum of a part of at most so many bytes.
LARGEST_CHECKED = 4 * 1024 * 1024
CHECKED = {"x-ms-range-get-content-md5": "true"}
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/")


@dataclass(frozen=True)
class Content:
    """Identify some content.

    :param size: bytes
    :param sha256: digest in hex
    """

    size: int
    sha256: str


@dataclass(frozen=True)
class BlobPart:
    """Hold a part of a blob, and what the answer says of the blob besides.

    :param content: the bytes; none behind the end
    :param size: bytes of the whole blob at that moment; None where storage did not say it
    :param etag: of the blob at that moment; None where storage did not say it
    :param created_at: when the blob was made; None where storage did not say it
    """

    content: bytes
    size: int | None = None
    etag: str | None = None
    created_at: datetime | None = None


class BlobFile:
    """Work on one blob.

    :param access: how its account is reached
    :param address: where it lies
    """

    def __init__(self, access: StorageAccess, address: BlobAddress) -> None:
        self.access = access
        self.address = address

    @property
    def client(self) -> BlobClient:
        """The SDK's client for the blob."""
        return self.access.service.get_blob_client(self.address.container, self.address.blob)

    async def look(self) -> BlobFacts | None:
        """Describe the blob; None when there is none."""
        try:
            found = await self.call("look at blob", self._get_properties)
        except ArmRequestError as error:
            if error.status == NOT_FOUND and error.code != "ContainerNotFound":
                return None
            raise
        return read_facts(found)

    async def read(self, offset: int, length: int, *, etag: str | None = None) -> bytes:
        """Read some bytes; nothing behind the end.

        :param etag: refuses to read when the blob has changed since
        """
        return (await self.read_part(offset, length, etag=etag)).content

    async def read_part(self, offset: int, length: int, *, etag: str | None = None) -> BlobPart:
        """Read some bytes, and learn how long the blob is; nothing behind the end.

        :param etag: refuses to read when the blob has changed since
        """
        # The SDK would list all page ranges of a page blob once more for every single read.
        part: BlobPart = await self.call("read blob", lambda: self._get_range(offset, length, etag))
        return part

    async def write(self, pieces: AsyncIterable[bytes], metadata: Mapping[str, str], *, content_type: str) -> Content:
        """Write a block blob of any length piece by piece; it appears when all of it has arrived."""
        digest = hashlib.sha256()
        size = 0
        blocks: list[str] = []
        async for piece in pieces:
            digest.update(piece)
            size += len(piece)
            blocks.append(b64encode(f"{len(blocks):08d}".encode()).decode())
            await self._stage(blocks[-1], piece)
        content = Content(size, digest.hexdigest())
        await self._commit(blocks, {**metadata, "aib_sha256": content.sha256}, content_type)
        return content

    async def replace(self, content: bytes, *, content_type: str, replacing: str | None) -> bool:
        """Write a small block blob in one call; False when somebody else has written it meanwhile.

        :param replacing: etag of the blob that it may replace; None means that there must be none
        """
        from azure.storage.blob import ContentSettings

        settings = ContentSettings(content_type=content_type)
        try:
            await self.call(
                "write blob",
                lambda: self.client.upload_blob(
                    content, overwrite=replacing is not None, content_settings=settings, **write_condition(replacing)
                ),
            )
        except ArmRequestError as error:
            if error.status in {CONFLICT, PRECONDITION_FAILED}:
                return False
            raise
        return True

    async def set_metadata(self, metadata: Mapping[str, str], *, etag: str | None = None) -> None:
        """Replace the metadata.

        :param etag: refuses to when the blob has changed since
        """
        from azure.core import MatchConditions

        pinned: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        await self.call("write the metadata of blob", lambda: self.client.set_blob_metadata(dict(metadata), **pinned))

    async def _get_properties(self) -> Any:
        # Looked up at each call: the client changes when the account's key has to be used.
        return await self.client.get_blob_properties()

    async def _stage(self, block_id: str, piece: bytes) -> None:
        await self.call("write blob", lambda: self.client.stage_block(block_id, piece))

    async def _commit(self, blocks: list[str], metadata: Mapping[str, str], content_type: str) -> None:
        from azure.storage.blob import BlobBlock, ContentSettings

        await self.call(
            "write blob",
            lambda: self.client.commit_block_list(
                [BlobBlock(block_id=block) for block in blocks],
                metadata=dict(metadata),
                content_settings=ContentSettings(content_type=content_type),
            ),
        )

    async def _get_range(self, offset: int, length: int, etag: str | None) -> BlobPart:
        part, accepted = PageRange(offset, length), (*OK_STATUSES, RANGE_NOT_SATISFIABLE)
        more_headers = CHECKED if length <= LARGEST_CHECKED else {}
        async with await self.open_range(part, etag, more_headers, accepted=accepted) as response:
            content, headers = await response.read(), response.headers
            is_there = response.status_code in OK_STATUSES
        if is_there:
            await self._check(part, content, headers)
        return BlobPart(
            content=content if is_there else b"",
            size=_size_in(headers.get("Content-Range")),
            etag=headers.get("ETag"),
            created_at=_moment_in(headers.get("x-ms-creation-time")),
        )

    async def _check(self, part: PageRange, content: bytes, headers: Mapping[str, str]) -> None:
        """Raise what was spoilt on its way, by length and by checksum, as far as the answer tells them."""
        told = _CONTENT_RANGE.match(headers.get("Content-Range") or "")
        length = int(told["last"]) - int(told["first"]) + 1 if told else len(content)
        if len(content) != length:
            raise self.spoilt(part, f"{len(content)} of {length} bytes came")
        given = headers.get("Content-MD5")
        if given and b64decode(given) != await asyncio.to_thread(_md5, content):
            raise self.spoilt(part, "what came has another checksum than what was sent")

    def spoilt(self, part: PageRange, reason: str) -> ArmRequestError:
        """Make the error for an answer that is not what storage has sent."""
        return ArmRequestError(
            f"Could not read blob {self.address.url} at {part.offset}: {reason}",
            hint="The connection to storage was cut or spoilt: try again.",
            target=self.address.url,
            trouble="malformed",
        )

    async def open_range(
        self,
        piece: PageRange,
        etag: str | None,
        more_headers: Mapping[str, str] | None = None,
        *,
        accepted: Collection[int] = OK_STATUSES,
    ) -> AsyncHttpResponse:
        """Give the answer to reading a part, its body unread.

        :param accepted: statuses that are no error
        """
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest

        url, authorization = await self.access.signed(self.address)
        headers = {
            "x-ms-version": STORAGE_API_VERSION,
            "x-ms-range": f"bytes={piece.offset}-{piece.end - 1}",
            **(more_headers or {}),
        }
        if authorization:
            headers["Authorization"] = authorization
        if etag:
            headers["If-Match"] = etag
        response: AsyncHttpResponse = await self.access.web.send_request(
            HttpRequest("GET", url, headers=headers), stream=True
        )
        if response.status_code not in accepted:
            async with response:
                await response.read()
                raise HttpResponseError(response=response)
        return response

    async def call(self, doing: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call about this blob; its errors are ours."""
        return await self.access.call(call, doing=doing, target=self.address.url)


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _size_in(content_range: str | None) -> int | None:
    """Read a blob's size from `bytes 0-9/120`, or from `bytes */120` where there is nothing at an offset."""
    size = (content_range or "").rpartition("/")[2]
    return int(size) if size.isdecimal() else None


def _moment_in(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text or "")
    except ValueError:
        return None


def write_condition(replacing: str | None) -> dict[str, Any]:
    """Write only over the blob with this etag, or only where there is none."""
    from azure.core import MatchConditions

    if replacing is None:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": replacing, "match_condition": MatchConditions.IfNotModified}


async def digest(pieces: AsyncIterable[bytes]) -> Content:
    """Identify content that comes in pieces, without holding up the event loop."""
    running = hashlib.sha256()
    size = 0
    async for piece in pieces:
        await asyncio.to_thread(running.update, piece)
        size += len(piece)
    return Content(size, running.hexdigest())
