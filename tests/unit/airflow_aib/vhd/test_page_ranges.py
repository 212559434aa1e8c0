from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.vhd.page_ranges import PAGE_SIZE, PageRange, normalise, total

PAGES = 24
ranges = st.lists(
    st.builds(
        lambda first, count: PageRange(first * PAGE_SIZE, min(count, PAGES - first) * PAGE_SIZE),
        st.integers(0, PAGES - 1),
        st.integers(0, 6),
    ),
    max_size=8,
)


def pages_in(some: list[PageRange] | tuple[PageRange, ...]) -> set[int]:
    """Return the numbers of all pages in ranges."""
    return {page for one in some for page in range(one.offset // PAGE_SIZE, one.end // PAGE_SIZE)}


def test_touching_and_overlapping_ranges_are_joined() -> None:
    """However the service cuts what is allocated, the same pages give the same ranges."""
    assert normalise([PageRange(1024, 512), PageRange(0, 512), PageRange(512, 512), PageRange(1024, 1024)]) == (
        PageRange(0, 2048),
    )


def test_empty_ranges_vanish() -> None:
    """A range without bytes is none."""
    assert normalise([PageRange(512, 0)]) == ()


@given(ranges)
def test_normal_form(some: list[PageRange]) -> None:
    """The normal form holds the same pages, in order, with gaps between, and is its own normal form."""
    normal = normalise(some)

    assert pages_in(normal) == pages_in(some)
    assert all(before.end < after.offset for before, after in itertools.pairwise(normal))
    assert normalise(normal) == normal
    assert total(normal) == len(pages_in(some)) * PAGE_SIZE
