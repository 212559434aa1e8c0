from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.blob_front.page_ranges import ByteRange, read_page_list, read_range, runs_within


def test_range_header_is_read() -> None:
    """Both ends of a range header belong to the range."""
    assert read_range("bytes=512-1023") == ByteRange(512, 512)
    assert ByteRange(512, 512).header == "bytes=512-1023"


@pytest.mark.parametrize("header", [None, "", "bytes=5-", "bytes=9-5", "pages=0-511"])
def test_anything_else_is_no_range(header: str | None) -> None:
    """Open, reversed and foreign ranges are none."""
    assert read_range(header) is None


def test_page_list_is_read() -> None:
    """The ranges of a page list are those of its PageRange elements."""
    body = (
        b"<PageList><PageRange><Start>0</Start><End>511</End></PageRange>"
        b"<ClearRange><Start>512</Start><End>1023</End></ClearRange>"
        b"<PageRange><Start>4096</Start><End>8191</End></PageRange></PageList>"
    )
    assert read_page_list(body) == [ByteRange(0, 512), ByteRange(4096, 4096)]


def test_runs_are_cut_at_the_window() -> None:
    """What reaches over a border of the window is cut there, what lies outside falls away."""
    allocated = [ByteRange(0, 1024), ByteRange(2048, 512), ByteRange(4096, 4096), ByteRange(9216, 512)]
    assert runs_within(allocated, ByteRange(512, 4096)) == [
        ByteRange(512, 512),
        ByteRange(2048, 512),
        ByteRange(4096, 512),
    ]


def test_neighbours_become_one_run() -> None:
    """Ranges that touch are read and written as one."""
    assert runs_within([ByteRange(0, 512), ByteRange(512, 512)], ByteRange(0, 4096)) == [ByteRange(0, 1024)]


@given(st.sets(st.integers(0, 63)), st.integers(0, 63), st.integers(1, 64))
def test_runs_cover_exactly_the_allocated_pages(pages: set[int], first: int, count: int) -> None:
    """Every allocated page of the window is in one run, and no other page is."""
    window = ByteRange(first * 512, count * 512)
    runs = runs_within([ByteRange(page * 512, 512) for page in pages], window)
    covered = [page for run in runs for page in range(run.offset // 512, run.end // 512)]
    assert covered == sorted(page for page in pages if first <= page < first + count)
