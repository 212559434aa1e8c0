"""Ranges of bytes: read from headers and page lists, cut to what a copy needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RANGE_HEADER = re.compile(r"bytes=(\d+)-(\d+)")
PAGE_RANGE = re.compile(rb"<PageRange>\s*<Start>(\d+)</Start>\s*<End>(\d+)</End>\s*</PageRange>")


@dataclass(frozen=True)
class ByteRange:
    """A run of bytes.

    :param offset: the first byte.
    :param length: how many.
    """

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The byte after the last one."""
        return self.offset + self.length

    @property
    def header(self) -> str:
        """The range as HTTP writes it."""
        return f"bytes={self.offset}-{self.end - 1}"

    def moved(self, distance: int) -> ByteRange:
        """Return the same run elsewhere."""
        return ByteRange(self.offset + distance, self.length)


def read_range(header: str | None) -> ByteRange | None:
    """Read `bytes=<first>-<last>`; None for anything else."""
    found = RANGE_HEADER.fullmatch(header or "")
    if found is None or int(found[2]) < int(found[1]):
        return None
    return ByteRange(int(found[1]), int(found[2]) - int(found[1]) + 1)


def read_page_list(body: bytes) -> list[ByteRange]:
    """Return the allocated ranges that a page list names; `comp=pagelist` answers one."""
    found = ((int(first), int(last)) for first, last in PAGE_RANGE.findall(body))
    return [ByteRange(first, last - first + 1) for first, last in found]


def runs_within(allocated: Iterable[ByteRange], window: ByteRange) -> list[ByteRange]:
    """Return the allocated runs inside `window`, neighbours joined, cut at its borders."""
    runs: list[ByteRange] = []
    for pages in sorted(allocated, key=lambda pages: pages.offset):
        start, end = max(pages.offset, window.offset), min(pages.end, window.end)
        if start >= end:
            continue
        if runs and runs[-1].end >= start:
            start = runs.pop().offset
        runs.append(ByteRange(start, end - start))
    return runs
