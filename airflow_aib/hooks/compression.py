"""Compress and decompress content that comes in pieces, in constant memory and off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import Content
from airflow_aib.image_run.log_bytes import GZIP, LogBytes, LogUnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

# Compressed pieces are gathered: storage takes at most 50,000 blocks.
GATHERED_BYTES = 4 * 1024 * 1024


@dataclass
class Observed:
    """Say what has passed by: its length and its digest.

    :param log: reads it on the way, so that it need not be fetched twice
    :param size: bytes
    """

    log: LogBytes | None = None
    size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    async def watch(self, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Give the pieces on as they are."""
        async for piece in pieces:
            await asyncio.to_thread(self._take, piece)
            self.size += len(piece)
            yield piece
        if self.log is not None:
            self.log.finish()

    def _take(self, piece: bytes) -> None:
        self._digest.update(piece)
        if self.log is None:
            return
        try:
            self.log.feed(piece)
        except LogUnreadableError:
            # It is archived as it is, whatever it is.
            self.log = None

    @property
    def content(self) -> Content:
        """What has passed so far."""
        return Content(self.size, self._digest.hexdigest())


async def compressed(pieces: AsyncIterable[bytes], *, gathered: int = GATHERED_BYTES) -> AsyncIterator[bytes]:
    """Compress with gzip, and give pieces of at least `gathered` bytes; only the last one may be shorter."""
    packer = zlib.compressobj(wbits=GZIP)
    waiting = bytearray()
    async for piece in pieces:
        waiting += await asyncio.to_thread(packer.compress, piece)
        if len(waiting) >= gathered:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting + packer.flush())


async def decompressed(
    pieces: AsyncIterable[bytes], *, target: str, most: int = GATHERED_BYTES
) -> AsyncIterator[bytes]:
    """Decompress what `compressed` has written, in pieces of at most `most` bytes.

    :param target: address of what is read, for the error when it is cut off or no gzip at all
    """
    unpacker = zlib.decompressobj(wbits=GZIP)
    try:
        async for piece in pieces:
            rest = piece
            while rest:
                content = await asyncio.to_thread(unpacker.decompress, rest, most)
                rest = unpacker.unconsumed_tail
                yield content
    except zlib.error as error:
        raise _unreadable(target, str(error)) from error
    if not unpacker.eof:
        raise _unreadable(target, "its end is missing")


def _unreadable(target: str, why: str) -> ArmRequestError:
    return ArmRequestError(
        f"The compressed file {target} cannot be read: {why}",
        hint="Archive the log again: it is written anew.",
        code="ArchiveUnreadable",
        target=target,
    )
