from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.vhd.content_digest import content_digest, digest_of
from airflow_aib.vhd.page_ranges import LARGEST_PIECE, PAGE_SIZE, PageRange

PAGES = 24
pages = st.integers(0, PAGES - 1).map(lambda page: PageRange(page * PAGE_SIZE, PAGE_SIZE))


def content() -> bytes:
    """Return a blob in which every page is different."""
    return b"".join(bytes([page + 1]) * PAGE_SIZE for page in range(PAGES))


def test_digest_is_as_written_down() -> None:
    """The digest is SHA-256 over each piece's offset, length and SHA-256, as its definition says."""
    pieces = [PageRange(512, 1024), PageRange(4096, 512)]
    by_hand = hashlib.sha256()
    for piece in pieces:
        by_hand.update(piece.offset.to_bytes(8, "big") + piece.length.to_bytes(8, "big"))
        by_hand.update(hashlib.sha256(content()[piece.offset : piece.end]).digest())

    assert digest_of(pieces, content()) == by_hand.hexdigest()


def test_pieces_are_those_that_are_copied() -> None:
    """A long range counts as the pieces into which it is cut, at multiples of 4 MiB."""
    disk = bytes(LARGEST_PIECE) + b"x" * PAGE_SIZE
    cut_by_hand = {
        PageRange(0, LARGEST_PIECE): hashlib.sha256(disk[:LARGEST_PIECE]).digest(),
        PageRange(LARGEST_PIECE, PAGE_SIZE): hashlib.sha256(disk[LARGEST_PIECE:]).digest(),
    }

    assert digest_of([PageRange(0, len(disk))], disk) == content_digest(cut_by_hand)


def test_nothing_has_a_digest() -> None:
    """An empty disk has the digest of nothing."""
    assert content_digest({}) == hashlib.sha256().hexdigest()


@given(st.lists(pages, max_size=12), st.randoms())
def test_order_and_cuts_do_not_matter(some: list[PageRange], dice: object) -> None:
    """However the service cuts what is allocated, and in whatever order: the digest is the same."""
    shuffled = sorted(some, key=lambda _: dice.random())  # type: ignore[attr-defined]  # it is one of Python's

    assert digest_of(shuffled, content()) == digest_of(some, content())


@pytest.mark.parametrize("place", [512, 1535, 4096])
def test_any_byte_counts(place: int) -> None:
    """A difference in any byte of an allocated page is one of the digest."""
    ranges = [PageRange(512, 1024), PageRange(4096, 512)]
    changed = bytearray(content())
    changed[place] ^= 1

    assert digest_of(ranges, bytes(changed)) != digest_of(ranges, content())


def test_only_allocated_bytes_count() -> None:
    """What is not allocated does not count, and where the bytes lie does."""
    changed = bytearray(content())
    changed[0] ^= 1

    assert digest_of([PageRange(512, 512)], bytes(changed)) == digest_of([PageRange(512, 512)], content())
    assert digest_of([PageRange(0, 512)], b"a" * 1024) != digest_of([PageRange(512, 512)], b"a" * 1024)
