from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter
from airflow_aib.hooks.many_pieces import PIECE_ATTEMPTS, Lanes
from airflow_aib.hooks.page_blob import PieceDigests
from airflow_aib.hooks.vhd_pieces import PieceCopier
from airflow_aib.vhd.copy_plan import CopyPlan
from airflow_aib.vhd.page_ranges import PageRange
from tests.fakes import FakeClock, look_error

if TYPE_CHECKING:
    from airflow_aib.vhd.page_ranges import Piece

SEQUENCE_NUMBER = 7
LENGTH = 4 * 1024 * 1024
PIECES = tuple(PageRange(place * LENGTH, LENGTH) for place in range(200))


@dataclass
class FakePages:
    """Be a page blob with a byte or so in each piece.

    :param content: by piece
    :param refusals: what the next calls say instead of an answer
    """

    content: dict[Piece, bytes]
    refusals: list[ArmRequestError] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    puts: int = 0

    async def digest_piece(self, piece: Piece, *, etag: str | None = None) -> PieceDigests:
        """Read a piece, which takes a moment."""
        del etag
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for _ in range(30):
                await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        self._refuse()
        content = self.content[piece]
        return PieceDigests(hashlib.sha256(content).digest(), hashlib.md5(content, usedforsecurity=False).digest())

    async def put_pages_from(
        self, source: FakePages, piece: Piece, *, source_etag: str, md5: bytes, sequence_number: int
    ) -> None:
        """Take a piece over."""
        assert (source_etag, sequence_number) == ("1", SEQUENCE_NUMBER)
        assert len(md5) == 16
        self.puts += 1
        self._refuse()
        self.content[piece] = source.content[piece]

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


def filled(*different: Piece) -> FakePages:
    """Make a blob that has every piece, some of them with another content."""
    return FakePages({piece: b"other" if piece in different else str(piece.offset).encode() for piece in PIECES})


def copier(source: FakePages, target: FakePages, told: list[CopyProgress]) -> PieceCopier:
    """Make what copies from one to the other."""
    clock = FakeClock()
    return PieceCopier(
        source=cast("Any", source),
        target=cast("Any", target),
        source_etag="1",
        sequence_number=SEQUENCE_NUMBER,
        lanes=Lanes(16, clock),
        meter=ProgressMeter(told.append, len(PIECES) * LENGTH, 0, clock),
    )


def mismatch() -> ArmRequestError:
    """Make the refusal of pages that are not what the source has sent."""
    return ArmRequestError("No", status=400, code="Md5Mismatch", trouble="answer")


async def test_what_is_held_is_compared_as_quickly_as_storage_bears() -> None:
    """After Copy Blob all is to be compared: on as many lanes as it goes well on, and how far it is is told."""
    source, target, told = filled(), filled(PIECES[7]), list[CopyProgress]()

    digests = await copier(source, target, told).complete(CopyPlan(pieces=(), held=PIECES, total_bytes=1 << 30))

    assert len(digests) == len(PIECES)
    assert target.content == source.content
    assert min(source.most_at_once, target.most_at_once) > 4
    # Pieces of both sides lie in memory.
    assert source.most_at_once + target.most_at_once <= 16
    first, last = [progress.message for progress in told if progress.doing == "verified"]
    assert first.startswith("0 bytes of 800 MiB verified (0%)")
    assert last.startswith("800 MiB of 800 MiB verified (100%)")


async def test_a_source_that_is_busy_takes_lanes_away() -> None:
    """A copy leaves the source alone as well when that says that it has too much to do."""
    source = filled()
    copying = copier(source, filled(), [])
    copying.lanes.pace = copying.lanes.pace.__class__(lanes=16.0, is_starting=False)
    source.refusals = [look_error(503)]

    await copying.complete(CopyPlan(pieces=PIECES[:1], held=(), total_bytes=1 << 30))

    assert copying.lanes.pace.allowed == 8


async def test_a_piece_that_was_spoilt_between_the_services_is_copied_again() -> None:
    """The destination's service refuses what does not match its checksum; the next time it may match."""
    target = filled(PIECES[0])
    target.refusals = [mismatch(), mismatch()]

    await copier(filled(), target, []).complete(CopyPlan(pieces=PIECES[:1], held=(), total_bytes=1 << 30))

    assert target.content == filled().content
    assert target.puts == 3


async def test_a_piece_that_is_spoilt_every_time_is_an_error() -> None:
    """Tries are bounded."""
    target = filled()
    target.refusals = [mismatch() for _ in range(99)]

    with pytest.raises(ArmRequestError):
        await copier(filled(), target, []).complete(CopyPlan(pieces=PIECES[:1], held=(), total_bytes=1 << 30))

    assert target.puts == PIECE_ATTEMPTS


async def test_an_error_of_one_side_ends_the_reading_of_the_other() -> None:
    """Nothing is read on in the background once a comparison has failed."""
    source, target = filled(), filled()
    target.refusals = [look_error(403)]
    source.content = {}

    with pytest.raises((ArmRequestError, KeyError)):
        await copier(source, target, []).complete(CopyPlan(pieces=(), held=PIECES, total_bytes=1 << 30))

    assert len(asyncio.all_tasks()) == 1
