"""A log as bytes, plain or compressed with gzip, in pieces cut anywhere, read in bounded memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.log_splitter import LogSplitter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_run.customization_log import LogReading

GZIP_BEGIN = b"\x1f\x8b"
# zlib's number for gzip with the largest window. It writes no time into the header: equal content stays equal.
GZIP = 31
_LARGEST_PIECE = 1 << 20


class LogUnreadableError(ValueError):
    """Report bytes that begin as gzip and go on otherwise."""


class LogBytes:
    """Hand a log's lines to a reading, as its bytes come.

    :param reading: what follows the log
    """

    def __init__(self, reading: LogReading) -> None:
        self._reading = reading
        self._lines = LogSplitter()
        self._begin: bytes | None = b""
        self._unpacker: Any = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        if self._begin is not None:
            # A piece may be a single byte: which form it is, only two can tell.
            piece = self._begin + piece
            if len(piece) < len(GZIP_BEGIN):
                self._begin = piece
                return
            self._begin = None
            self._unpacker = zlib.decompressobj(wbits=GZIP) if piece.startswith(GZIP_BEGIN) else None
        for content in [piece] if self._unpacker is None else self._unpacked(piece):
            self._reading.take(self._lines.feed(content))

    def finish(self) -> None:
        """Take the last line, which never got an end; a compressed log that is cut off is read as far as it goes."""
        if self._begin:
            self._reading.take(self._lines.feed(self._begin))
        self._reading.take(self._lines.finish())

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        """Decompress, with a bound for what one piece may become; a file may be several archives in a row."""
        rest = piece
        try:
            while rest:
                if self._unpacker.eof:
                    self._unpacker = zlib.decompressobj(wbits=GZIP)
                yield self._unpacker.decompress(rest, _LARGEST_PIECE)
                rest = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        except zlib.error as error:
            raise LogUnreadableError(f"it begins as gzip and cannot be decompressed: {error}") from error
