"""One page blob: what of it is allocated, digests of its pieces, and storage copying into it."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import CHECKED, BlobFile, write_condition
from airflow_aib.vhd.page_ranges import PageRange, Piece, normalise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime


# Bytes that are hashed at once.
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class PieceDigests:
    """Identify a piece of a blob.

    :param sha256: of its bytes
    :param md5: of its bytes, the same that the service has computed
    """

    sha256: bytes
    md5: bytes


class PageBlob(BlobFile):
    """Work on one page blob."""

    async def page_ranges(self, *, etag: str | None = None) -> tuple[PageRange, ...]:
        """Give the parts of a page blob that are allocated, in order and joined."""
        from azure.core import MatchConditions

        pinned: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}

        async def ask() -> list[PageRange]:
            pages = [page async for page in self.client.list_page_ranges(**pinned) if not page.cleared]
            return [PageRange(int(page.start or 0), int(page.end or 0) - int(page.start or 0) + 1) for page in pages]

        return await asyncio.to_thread(normalise, await self.call("list the pages of blob", ask))

    async def digest_piece(self, piece: Piece, *, etag: str | None = None) -> PieceDigests:
        """Read exactly this part, and keep nothing of it but its digests; a shorter answer is an error that may pass.

        :param piece: at most 4 MiB, which is the most that the service computes a checksum for
        :param etag: refuses to read when the blob has changed since
        """
        found: PieceDigests = await self.call("read blob", lambda: self._digest_range(piece, etag))
        return found

    async def create_pages(
        self, size: int, metadata: Mapping[str, str], *, sequence_number: int = 0, replacing: str | None = None
    ) -> None:
        """Make an empty page blob.

        :param sequence_number: that it has from then on
        :param replacing: etag of the blob that it may replace; None means that there must be none
        """
        await self.call(
            "create blob",
            lambda: self.client.create_page_blob(
                size, metadata=dict(metadata), sequence_number=sequence_number, **write_condition(replacing)
            ),
        )

    async def put_pages_from(
        self, source: PageBlob, piece: Piece, *, source_etag: str, md5: bytes, sequence_number: int
    ) -> None:
        """Have storage copy a part of another page blob to the same place in this one, if that has not changed.

        :param md5: checksum that what arrives must have
        :param sequence_number: that this one must still have
        """
        from azure.core import MatchConditions

        async def put() -> None:
            url, authorization = await source.access.signed(source.address)
            await self.client.upload_pages_from_url(
                url,
                offset=piece.offset,
                length=piece.length,
                source_offset=piece.offset,
                source_authorization=authorization,
                source_content_md5=md5,
                source_etag=source_etag,
                source_match_condition=MatchConditions.IfNotModified,
                if_sequence_number_eq=sequence_number,
            )

        try:
            await self.call("copy pages to blob", put)
        except ArmRequestError as error:
            if not source.access.sign_instead(error):
                raise
            await self.call("copy pages to blob", put)

    async def start_copy_from(
        self, source_url: str, metadata: Mapping[str, str], *, source_etag: str, replacing: str | None
    ) -> None:
        """Begin to have storage copy another blob as a whole, if that has not changed.

        :param source_url: an address that storage may read
        :param replacing: etag of the blob that it may replace; None means that there must be none
        """
        from azure.core import MatchConditions

        await self.call(
            "copy to blob",
            lambda: self.client.start_copy_from_url(
                source_url,
                metadata=dict(metadata),
                source_etag=source_etag,
                source_match_condition=MatchConditions.IfNotModified,
                **write_condition(replacing),
            ),
        )

    async def abort_copy(self, copy_id: str) -> None:
        """End a Copy Blob that goes on; what it has copied is gone."""
        await self.call("end the copy to blob", lambda: self.client.abort_copy(copy_id))

    async def retain(self, until: datetime, *, is_locked: bool) -> None:
        """Keep the blob from being changed or deleted until then.

        :param is_locked: whether nobody can take that back or shorten it
        """
        from azure.storage.blob import ImmutabilityPolicy

        policy = ImmutabilityPolicy(expiry_time=until, policy_mode="Locked" if is_locked else "Unlocked")
        await self.call("set the immutability policy of blob", lambda: self.client.set_immutability_policy(policy))

    async def hold(self) -> None:
        """Keep the blob from being changed or deleted until somebody lifts the hold."""
        await self.call("set the legal hold of blob", lambda: self.client.set_legal_hold(legal_hold=True))

    async def _digest_range(self, piece: Piece, etag: str | None) -> PieceDigests:
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        async with await self.open_range(piece, etag, CHECKED) as response:
            async for chunk in _in_chunks(response.iter_raw()):
                size += len(chunk)
                # Off the loop, in chunks that are worth it.
                await asyncio.to_thread(_update, (sha256, md5), chunk)
            given = response.headers.get("Content-MD5")
        if size != piece.length:
            raise self.spoilt(piece, f"{size} of {piece.length} bytes came")
        if given and b64decode(given) != md5.digest():
            raise self.spoilt(piece, "what came has another checksum than what was sent")
        return PieceDigests(sha256.digest(), md5.digest())


async def _in_chunks(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join what a stream gives to chunks that are not too small."""
    chunk = bytearray()
    async for block in blocks:
        chunk += block
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)


def _update(hashes: tuple[hashlib._Hash, ...], chunk: bytes) -> None:
    for one in hashes:
        one.update(chunk)
