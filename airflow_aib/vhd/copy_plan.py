"""What of a VHD is copied, and in which pieces."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.vhd.page_ranges import PAGE_SIZE, PageRange, Piece, cut, split_covered, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class CopyPlan:
    """Hold what is left to copy, and what is only to be compared.

    :param pieces: to copy, in the order of their offsets, each in whole pages, at most 4 MiB, aligned so that none
        crosses a multiple of 4 MiB
    :param held: pieces that the destination has already
    :param total_bytes: length of the VHD
    """

    pieces: tuple[Piece, ...]
    held: tuple[Piece, ...]
    total_bytes: int

    @property
    def left_bytes(self) -> int:
        """Bytes that are left to copy."""
        return total(self.pieces)

    @property
    def done_bytes(self) -> int:
        """Bytes that the destination has already."""
        return total(self.held)

    @property
    def allocated_bytes(self) -> int:
        """Bytes that the source has allocated."""
        return self.left_bytes + self.done_bytes


def plan_copy(source_ranges: Iterable[PageRange], length: int, *, done: Iterable[PageRange] = ()) -> CopyPlan:
    """Plan the copy of a page blob: only allocated pages travel.

    :param source_ranges: allocated ranges of the source
    :param length: bytes of the source
    :param done: ranges that the destination holds from an earlier try of the same source; a piece of which it holds
        only a part is copied again
    """
    _refuse_odd_length(length)
    held, pieces = split_covered(cut(_whole_pages(one, length) for one in source_ranges), done)
    return CopyPlan(pieces=pieces, held=held, total_bytes=length)


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


@dataclass(frozen=True)
class VhdCopyResult:
    """Report a VHD that was copied and found equal to its source, or verified where it lies.

    :param source: address without signature
    :param destination: address without signature; that of the source when it was verified in place
    :param run_output_name: of the distributor that left the VHD
    :param length: bytes
    :param allocated_bytes: bytes that are not empty
    :param copied_bytes: of these, what travelled this time; the rest was there from an earlier try
    :param sha256: digest over the allocated pages, equal on both sides
    :param source_etag: version of the source that was copied
    :param method: how it was copied: `pages`, `copy_blob`, or `none` when nothing had to travel
    """

    source: str
    destination: str
    run_output_name: str
    length: int
    allocated_bytes: int
    copied_bytes: int
    sha256: str
    source_etag: str = ""
    method: str = "pages"

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> VhdCopyResult:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__ if name in value})
