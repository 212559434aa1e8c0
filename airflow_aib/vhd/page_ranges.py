"""Ranges of bytes that a page blob has allocated: normalised, cut, compared, and the digest over them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Page blobs are written in pages of this size, at offsets that are multiples of it.
PAGE_SIZE = 512


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


def normalise(ranges: Iterable[PageRange]) -> tuple[PageRange, ...]:
    """Order ranges and join those that touch or overlap, since a service may cut them as it likes."""
    joined: list[PageRange] = []
    for one in sorted(each for each in ranges if each.length > 0):
        if joined and one.offset <= joined[-1].end:
            last = joined.pop()
            one = PageRange(last.offset, max(last.end, one.end) - last.offset)  # noqa: PLW2901 - grows the last range
        joined.append(one)
    return tuple(joined)


def subtract(ranges: Iterable[PageRange], done: Iterable[PageRange]) -> tuple[PageRange, ...]:
    """Give what is in `ranges` and not in `done`."""
    taken = normalise(done)
    return tuple(left for one in normalise(ranges) for left in _without(one, taken))


def total(ranges: Iterable[PageRange]) -> int:
    """Count the bytes of normalised ranges."""
    return sum(one.length for one in ranges)


def _without(one: PageRange, taken: tuple[PageRange, ...]) -> Iterator[PageRange]:
    at = one.offset
    for hole in taken:
        if hole.end <= at or hole.offset >= one.end:
            continue
        if hole.offset > at:
            yield PageRange(at, hole.offset - at)
        at = max(at, hole.end)
    if at < one.end:
        yield PageRange(at, one.end - at)


class AllocatedDigest:
    """Compute the digest by which a VHD and its copy are compared.

    It is SHA-256 over the allocated pages in the order of their offsets. Each run, which is a longest stretch of
    allocated pages without a gap, contributes its offset and its length, each as 8 bytes, unsigned, the highest byte
    first, and then its bytes. Pages that are not allocated contribute nothing. A run may be handed in in pieces.

    :param ranges: all allocated ranges, in any order and cut anyhow
    """

    def __init__(self, ranges: Iterable[PageRange]) -> None:
        self._runs = {one.offset: one for one in normalise(ranges)}
        self._expected = list(self._runs.values())
        self._sha256 = hashlib.sha256()
        self._run = 0
        self._at = self._expected[0].offset if self._expected else 0

    @property
    def next_offset(self) -> int | None:
        """Where the next piece must begin; None when everything was handed in."""
        return self._at if self._run < len(self._expected) else None

    def update(self, offset: int, data: bytes) -> None:
        """Take the bytes at an offset, which must be the next ones."""
        run = self._expected[self._run] if self._run < len(self._expected) else None
        if run is None or offset != self._at or offset + len(data) > run.end:
            raise ValueError(f"{len(data)} bytes at {offset} are not what comes next ({self.next_offset})")
        if offset == run.offset:
            self._sha256.update(run.offset.to_bytes(8, "big") + run.length.to_bytes(8, "big"))
        self._sha256.update(data)
        self._at += len(data)
        if self._at == run.end:
            self._run += 1
            self._at = self._expected[self._run].offset if self._run < len(self._expected) else 0

    def hexdigest(self) -> str:
        """Give the digest; everything must have been handed in."""
        if self.next_offset is not None:
            raise ValueError(f"the bytes from {self.next_offset} on are missing")
        return self._sha256.hexdigest()


def digest_of(ranges: Iterable[PageRange], content: bytes) -> str:
    """Compute the digest of a VHD that is in memory."""
    runs = normalise(ranges)
    digest = AllocatedDigest(runs)
    for run in runs:
        digest.update(run.offset, content[run.offset : run.end])
    return digest.hexdigest()
