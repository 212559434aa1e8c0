from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.vhd.page_ranges import (
    PAGE_SIZE,
    AllocatedDigest,
    PageRange,
    digest_of,
    normalise,
    subtract,
    total,
)

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


def content() -> bytes:
    """Return a blob in which every page is different."""
    return b"".join(bytes([page + 1]) * PAGE_SIZE for page in range(PAGES))


def test_touching_and_overlapping_ranges_are_joined() -> None:
    """However the service cuts what is allocated, the same pages give the same ranges."""
    assert normalise([PageRange(1024, 512), PageRange(0, 512), PageRange(512, 512), PageRange(1024, 1024)]) == (
        PageRange(0, 2048),
    )


def test_empty_ranges_vanish() -> None:
    """A range without bytes is none."""
    assert normalise([PageRange(512, 0)]) == ()


def test_subtraction_leaves_holes() -> None:
    """What was done is cut out of what is to do."""
    assert subtract([PageRange(0, 4096)], [PageRange(512, 512), PageRange(2048, 512)]) == (
        PageRange(0, 512),
        PageRange(1024, 1024),
        PageRange(2560, 1536),
    )


@given(ranges)
def test_normal_form(some: list[PageRange]) -> None:
    """The normal form holds the same pages, in order, with gaps between, and is its own normal form."""
    normal = normalise(some)

    assert pages_in(normal) == pages_in(some)
    assert all(before.end < after.offset for before, after in itertools.pairwise(normal))
    assert normalise(normal) == normal
    assert total(normal) == len(pages_in(some)) * PAGE_SIZE


@given(ranges, ranges)
def test_subtraction_is_that_of_pages(some: list[PageRange], done: list[PageRange]) -> None:
    """Subtracting ranges is subtracting their pages."""
    assert pages_in(subtract(some, done)) == pages_in(some) - pages_in(done)


def test_digest_is_as_written_down() -> None:
    """The digest is SHA-256 over each run's offset, length and bytes, as its definition says."""
    runs = [PageRange(512, 1024), PageRange(4096, 512)]
    by_hand = hashlib.sha256()
    for run in runs:
        by_hand.update(run.offset.to_bytes(8, "big"))
        by_hand.update(run.length.to_bytes(8, "big"))
        by_hand.update(content()[run.offset : run.end])

    assert digest_of(runs, content()) == by_hand.hexdigest()


def test_digest_of_nothing() -> None:
    """A blob without allocated pages has the digest of nothing."""
    assert AllocatedDigest([]).hexdigest() == hashlib.sha256().hexdigest()
    assert AllocatedDigest([]).next_offset is None


@given(ranges, st.integers(1, 2000))
def test_digest_does_not_depend_on_cuts(some: list[PageRange], size: int) -> None:
    """However ranges and bytes are cut, the digest is the same."""
    digest = AllocatedDigest(reversed(some))
    for run in normalise(some):
        for at in range(run.offset, run.end, size):
            digest.update(at, content()[at : min(at + size, run.end)])

    assert digest.hexdigest() == digest_of(some, content())


@given(ranges, ranges)
def test_other_pages_give_another_digest(some: list[PageRange], others: list[PageRange]) -> None:
    """Two sets of allocated pages have the same digest only if they are the same."""
    assert (digest_of(some, content()) == digest_of(others, content())) == (pages_in(some) == pages_in(others))


def test_one_changed_byte_gives_another_digest() -> None:
    """A copy with one wrong byte is told from its source."""
    damaged = bytearray(content())
    damaged[700] ^= 1

    assert digest_of([PageRange(512, 512)], bytes(damaged)) != digest_of([PageRange(512, 512)], content())


@pytest.mark.parametrize("offset", [0, 1024])
def test_digest_takes_bytes_in_order_only(offset: int) -> None:
    """Bytes that are not the next ones are refused."""
    with pytest.raises(ValueError, match="are not what comes next"):
        AllocatedDigest([PageRange(512, 512)]).update(offset, b"x")


def test_digest_takes_no_more_than_was_announced() -> None:
    """Bytes beyond a run are refused."""
    with pytest.raises(ValueError, match="are not what comes next"):
        AllocatedDigest([PageRange(512, 512)]).update(512, b"x" * 513)


def test_digest_needs_everything() -> None:
    """An incomplete digest is refused and says where it stopped."""
    digest = AllocatedDigest([PageRange(512, 512)])
    digest.update(512, b"x" * 100)

    assert digest.next_offset == 612
    with pytest.raises(ValueError, match="the bytes from 612 on are missing"):
        digest.hexdigest()
