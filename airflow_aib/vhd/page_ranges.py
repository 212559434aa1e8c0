"""Ranges of bytes that a page blob has allocated: normalised, compared, cut into pieces."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Page blobs are written in pages of this size, at offsets that are multiples of it.
PAGE_SIZE = 512

# The most that one Put Page From URL takes, and the most whose checksum a read is answered with.
LARGEST_PIECE = 4 * 1024 * 1024


@dataclass(frozen=True, order=True)
class PageRange:
    """Hold a range of bytes.

    :param offset: first byte
    :param length: bytes
    """

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.offset + self.length


# A range of at most `LARGEST_PIECE` that crosses no multiple of it.
Piece = PageRange


def normalise(ranges: Iterable[PageRange]) -> tuple[PageRange, ...]:
    """Order ranges and join those that touch or overlap, since a service may cut them as it likes."""
    joined: list[PageRange] = []
    for one in sorted(each for each in ranges if each.length > 0):
        if joined and one.offset <= joined[-1].end:
            last = joined.pop()
            one = PageRange(last.offset, max(last.end, one.end) - last.offset)  # noqa: PLW2901 - grows the last range
        joined.append(one)
    return tuple(joined)


def cut(ranges: Iterable[PageRange]) -> tuple[Piece, ...]:
    """Cut ranges into pieces; the same pages give the same pieces, however the service has cut them."""
    return tuple(piece for one in normalise(ranges) for piece in _cut_one(one))


def split_covered(pieces: Iterable[Piece], held: Iterable[PageRange]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Part pieces into those that are held as a whole, and the others.

    :param held: ranges that the destination has allocated
    """
    ranges = normalise(held)
    ends = [one.end for one in ranges]
    covered: list[Piece] = []
    others: list[Piece] = []
    for piece in pieces:
        place = bisect_right(ends, piece.offset)
        is_covered = place < len(ranges) and ranges[place].offset <= piece.offset and piece.end <= ends[place]
        (covered if is_covered else others).append(piece)
    return tuple(covered), tuple(others)


def total(ranges: Iterable[PageRange]) -> int:
    """Count the bytes of normalised ranges."""
    return sum(one.length for one in ranges)


def _cut_one(one: PageRange) -> Iterator[Piece]:
    at = one.offset
    while at < one.end:
        until = min(one.end, (at // LARGEST_PIECE + 1) * LARGEST_PIECE)
        yield Piece(at, until - at)
        at = until
