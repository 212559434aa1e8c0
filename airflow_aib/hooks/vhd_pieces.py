"""The pieces of a VHD: copied by storage, vouched for by storage's checksums, and digested on the way.

A piece is read once, at the source: that gives its digest, and the checksum that the source's service computed. With
that checksum the destination's service is asked to copy the piece, and it refuses what does not match. So both services
vouch for the same bytes, and nothing has to be read at the destination but what an earlier try has left there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_aib.hooks.copy_progress import ProgressMeter
from airflow_aib.hooks.many_pieces import Lanes, both

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_aib.hooks.page_blob import PageBlob, PieceDigests
    from airflow_aib.vhd.copy_plan import CopyPlan
    from airflow_aib.vhd.page_ranges import Piece

    Digests = dict[Piece, bytes]


@dataclass
class PieceCopier:
    """Copy pieces from one page blob to another.

    :param source: is read
    :param target: is written
    :param source_etag: version of the source
    :param sequence_number: that the target has as long as nobody replaces it by a copy of something else
    :param lanes: how many pieces are under way
    :param meter: counts what has arrived
    """

    source: PageBlob
    target: PageBlob
    source_etag: str
    sequence_number: int
    lanes: Lanes
    meter: ProgressMeter
    copied_bytes: int = 0

    async def complete(self, plan: CopyPlan) -> Digests:
        """Copy what is left, compare what is held, and copy that again where it differs; give the SHA-256 of each."""
        digests: Digests = {}

        async def copy(piece: Piece) -> None:
            digests[piece] = await self._copy(piece)

        await self.lanes.for_each(plan.pieces, copy)
        if not plan.held:
            return digests
        verified, lanes = (
            ProgressMeter(self.meter.tell, plan.done_bytes, 0, self.meter.clock, "verified"),
            self.lanes.for_pairs(),
        )

        async def compare(piece: Piece) -> None:
            digests[piece] = await self._compare(piece, lanes)
            verified.add(piece.length)

        await lanes.for_each(plan.held, compare)
        return digests

    async def _copy(self, piece: Piece) -> bytes:
        found = await self._read_source(piece)
        await self._put(piece, found)
        self.meter.add(piece.length)
        return found.sha256

    async def _compare(self, piece: Piece, lanes: Lanes) -> bytes:
        found, held = await lanes.timed(
            piece.length,
            lambda: both(self.source.digest_piece(piece, etag=self.source_etag), self.target.digest_piece(piece)),
        )
        if held.sha256 != found.sha256:
            # Somebody wrote into the unfinished copy.
            await self._put(piece, found)
        return found.sha256

    async def _read_source(self, piece: Piece) -> PieceDigests:
        # Its time is that of this machine's line as well, and says little about storage.
        return await self.lanes.untimed(lambda: self.source.digest_piece(piece, etag=self.source_etag))

    async def _put(self, piece: Piece, found: PieceDigests) -> None:
        await self.lanes.timed(
            piece.length,
            lambda: self.target.put_pages_from(
                self.source,
                piece,
                source_etag=self.source_etag,
                md5=found.md5,
                sequence_number=self.sequence_number,
            ),
        )
        self.copied_bytes += piece.length


async def digest_pieces(blob: PageBlob, pieces: Iterable[Piece], etag: str, lanes: Lanes) -> Digests:
    """Give the SHA-256 of each piece of a blob, if it has not changed.

    :param etag: version of the blob
    """
    digests: Digests = {}

    async def read(piece: Piece) -> None:
        found = await lanes.timed(piece.length, lambda: blob.digest_piece(piece, etag=etag))
        digests[piece] = found.sha256

    await lanes.for_each(pieces, read)
    return digests
