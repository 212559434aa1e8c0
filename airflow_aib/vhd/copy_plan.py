"""What of a VHD is copied, and in which pieces."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.vhd.page_ranges import PAGE_SIZE, PageRange, normalise, subtract, total

if TYPE_CHECKING:
    from collections.abc import Iterable

# The most that one Put Page From URL takes.
LARGEST_PIECE = 4 * 1024 * 1024

Piece = PageRange


@dataclass(frozen=True)
class CopyPlan:
    """Hold what is left to copy.

    :param pieces: in the order of their offsets, each in whole pages, at most 4 MiB, aligned so that none crosses a
        multiple of 4 MiB
    :param total_bytes: length of the VHD
    :param allocated_bytes: of these, what the source has allocated
    :param done_bytes: of these, what the destination has already
    """

    pieces: tuple[Piece, ...]
    total_bytes: int
    allocated_bytes: int
    done_bytes: int = 0

    @property
    def left_bytes(self) -> int:
        """Bytes that are left to copy."""
        return total(self.pieces)


def plan_copy(source_ranges: Iterable[PageRange], length: int, *, done: Iterable[PageRange] = ()) -> CopyPlan:
    """Plan the copy of a page blob: only allocated pages travel.

    :param source_ranges: allocated ranges of the source
    :param length: bytes of the source
    :param done: ranges that the destination holds from an earlier try of the same source
    """
    _refuse_odd_length(length)
    allocated = normalise(_whole_pages(one, length) for one in source_ranges)
    left = subtract(allocated, done)
    allocated_bytes = total(allocated)
    return CopyPlan(
        pieces=tuple(piece for one in left for piece in _cut(one)),
        total_bytes=length,
        allocated_bytes=allocated_bytes,
        done_bytes=allocated_bytes - total(left),
    )


def _refuse_odd_length(length: int) -> None:
    if length < 0 or length % PAGE_SIZE:
        raise VhdCopyError(
            f"{length} bytes are no whole number of pages of {PAGE_SIZE} bytes", hint="The source is no page blob."
        )


def _whole_pages(one: PageRange, length: int) -> PageRange:
    """Widen a range to whole pages; beyond the end of the blob there are none."""
    if one.offset < 0 or one.end > length:
        raise VhdCopyError(
            f"The allocated range from {one.offset} to {one.end} is outside a blob of {length} bytes",
            hint="The source changed while it was looked at: copy again.",
        )
    begin = one.offset - one.offset % PAGE_SIZE
    end = one.end + -one.end % PAGE_SIZE
    return PageRange(begin, end - begin)


def _cut(one: PageRange) -> Iterable[Piece]:
    at = one.offset
    while at < one.end:
        until = min(one.end, (at // LARGEST_PIECE + 1) * LARGEST_PIECE)
        yield Piece(at, until - at)
        at = until


@dataclass(frozen=True)
class VhdCopyResult:
    """Report a VHD that was copied and found equal to its source.

    :param source: address without signature
    :param destination: address without signature
    :param run_output_name: of the distributor that left the VHD
    :param length: bytes
    :param allocated_bytes: bytes that are not empty
    :param copied_bytes: of these, what travelled this time; the rest was there from an earlier try
    :param sha256: digest over the allocated pages, equal on both sides
    :param source_etag: version of the source that was copied
    """

    source: str
    destination: str
    run_output_name: str
    length: int
    allocated_bytes: int
    copied_bytes: int
    sha256: str
    source_etag: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON."""
        return asdict(self)
