from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.vhd.copy_plan import VhdCopyResult, plan_copy
from airflow_aib.vhd.page_ranges import LARGEST_PIECE, PAGE_SIZE, PageRange, Piece, normalise, total

GIBIBYTE = 1024**3
LENGTH = 8 * LARGEST_PIECE

page_ranges = st.lists(
    st.builds(
        lambda first, count: PageRange(first * PAGE_SIZE, min(count * PAGE_SIZE, LENGTH - first * PAGE_SIZE)),
        st.integers(0, LENGTH // PAGE_SIZE - 1),
        st.integers(1, 3 * LARGEST_PIECE // PAGE_SIZE),
    ),
    max_size=6,
)


def covers(done: list[PageRange], piece: Piece) -> bool:
    """Say whether some ranges hold every page of a piece."""
    return any(one.offset <= piece.offset and piece.end <= one.end for one in normalise(done))


def test_only_allocated_pages_travel() -> None:
    """Of a large sparse disk only what is allocated is copied."""
    plan = plan_copy([PageRange(0, 512), PageRange(GIBIBYTE, 1024)], 127 * GIBIBYTE)

    assert plan.pieces == (Piece(0, 512), Piece(GIBIBYTE, 1024))
    assert (plan.total_bytes, plan.allocated_bytes, plan.left_bytes) == (127 * GIBIBYTE, 1536, 1536)


def test_pieces_are_cut_at_multiples_of_their_size() -> None:
    """A long range is cut where pieces of 4 MiB begin, so that a second try finds the same cuts."""
    plan = plan_copy([PageRange(LARGEST_PIECE - 512, LARGEST_PIECE + 1024)], LENGTH)

    assert plan.pieces == (
        Piece(LARGEST_PIECE - 512, 512),
        Piece(LARGEST_PIECE, LARGEST_PIECE),
        Piece(2 * LARGEST_PIECE, 512),
    )


def test_a_second_try_copies_the_rest() -> None:
    """What the destination holds is not copied again, but compared."""
    plan = plan_copy([PageRange(0, 512), PageRange(1024, 4096)], LENGTH, done=[PageRange(1024, 4096)])

    assert (plan.pieces, plan.held) == ((Piece(0, 512),), (Piece(1024, 4096),))
    assert (plan.allocated_bytes, plan.done_bytes, plan.left_bytes) == (4608, 4096, 512)


@pytest.mark.parametrize("part", [PageRange(0, 512), PageRange(512, 1024), PageRange(2048, 2048)])
def test_a_part_of_a_piece_is_none(part: PageRange) -> None:
    """A piece of which only some pages are there is copied as a whole, so that both sides have it from one request."""
    assert plan_copy([PageRange(0, 4096)], LENGTH, done=[part]).pieces == (Piece(0, 4096),)


def test_nothing_is_left() -> None:
    """A complete destination leaves nothing to do, also if it holds more."""
    plan = plan_copy([PageRange(512, 512)], LENGTH, done=[PageRange(0, 2048)])

    assert (plan.pieces, plan.done_bytes) == ((), 512)


def test_empty_source() -> None:
    """A disk without any allocated page has nothing to copy."""
    assert plan_copy([], LENGTH).pieces == ()
    assert plan_copy([], 0).total_bytes == 0


def test_ranges_are_widened_to_pages() -> None:
    """Only whole pages can be written."""
    assert plan_copy([PageRange(700, 10)], LENGTH).pieces == (Piece(512, 512),)


@pytest.mark.parametrize("length", [511, 513, -512])
def test_odd_lengths(length: int) -> None:
    """A length that is no whole number of pages is that of no page blob."""
    with pytest.raises(VhdCopyError, match="no whole number of pages"):
        plan_copy([], length)


@pytest.mark.parametrize("outside", [PageRange(LENGTH, 512), PageRange(LENGTH - 512, 1024), PageRange(-512, 512)])
def test_ranges_outside_the_blob(outside: PageRange) -> None:
    """A range outside the blob means that the source has changed."""
    with pytest.raises(VhdCopyError, match="outside a blob"):
        plan_copy([outside], LENGTH)


@given(page_ranges, page_ranges)
def test_plan_covers_exactly_what_is_left(source: list[PageRange], done: list[PageRange]) -> None:
    """Pieces are what is allocated, none too large, none crossing a border, in order; held is what is done."""
    plan = plan_copy(source, LENGTH, done=done)

    whole = sorted((*plan.pieces, *plan.held))
    assert normalise(whole) == normalise(source)
    assert total(plan.pieces) == plan.left_bytes == plan.allocated_bytes - plan.done_bytes
    assert all(0 < piece.length <= LARGEST_PIECE for piece in whole)
    assert all(piece.offset % PAGE_SIZE == piece.length % PAGE_SIZE == 0 for piece in whole)
    assert all(piece.offset // LARGEST_PIECE == (piece.end - 1) // LARGEST_PIECE for piece in whole)
    assert all(before.end <= after.offset for before, after in itertools.pairwise(whole))
    assert all(covers(done, piece) for piece in plan.held)
    assert not any(covers(done, piece) for piece in plan.pieces)


@given(page_ranges, st.integers(0, 20))
def test_an_interrupted_copy_ends_where_a_whole_one_ends(source: list[PageRange], after: int) -> None:
    """Copying some pieces, and then what a new plan says, writes the same as copying all at once."""
    whole = plan_copy(source, LENGTH)
    done = whole.pieces[:after]
    rest = plan_copy(source, LENGTH, done=done)

    assert rest.pieces == whole.pieces[after:]


def test_result_travels_as_json() -> None:
    """The result of a copy can be kept as JSON."""
    result = VhdCopyResult("https://a/b", "https://c/d", "vhd", 1024, 512, 512, "abc", "etag")

    assert VhdCopyResult.from_json({**json.loads(json.dumps(result.to_json())), "new": 1}) == result
