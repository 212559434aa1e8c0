from __future__ import annotations

import math
import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.vhd.pace import FIRST_LANES, MOST_LANES, Pace

PIECE = 4 * 1024 * 1024
QUICK = 0.1


def after_pieces(pace: Pace, count: int, seconds: float = QUICK) -> Pace:
    """Let pieces come back one after the other."""
    for _ in range(count):
        pace = pace.after_piece(seconds, PIECE)
    return pace


class Storage:
    """Carry out pieces in rounds: it bears some lanes, queues what is more, and refuses what is far too much.

    :param bears: pieces that it works on at once
    :param refuses_above: pieces at which it says that it is busy
    :param sigma: how much its times vary
    :param seed: begins what varies
    """

    def __init__(self, bears: int, refuses_above: int = 1000, sigma: float = 0.0, seed: int = 0) -> None:
        self.bears = bears
        self.refuses_above = refuses_above
        self.sigma = sigma
        self.chance = random.Random(seed)  # noqa: S311 - nothing is secret here

    def rounds(self, pace: Pace, count: int) -> list[Pace]:
        """Keep as many pieces under way as the pace allows, and give the pace after each round."""
        seen = []
        for _ in range(count):
            under_way = pace.allowed
            for place in range(under_way):
                if place >= self.refuses_above:
                    pace = pace.after_refusal()
                else:
                    seconds = QUICK * max(1.0, under_way / self.bears)
                    pace = pace.after_piece(seconds * math.exp(self.chance.gauss(0, self.sigma)), PIECE)
            seen.append(pace)
        return seen


def test_it_doubles_at_first() -> None:
    """A round of pieces that come back quickly gives as many lanes more."""
    assert after_pieces(Pace(), 2).lanes == 2 * FIRST_LANES


def test_it_grows_by_one_in_a_round_afterwards() -> None:
    """After the first trouble one lane is added for all pieces of a round together."""
    pace = after_pieces(Pace(lanes=8.0, is_starting=False), 8)

    assert 8.9 < pace.lanes <= 9.0


def test_it_never_exceeds_its_bound() -> None:
    """However quick storage is, there are never more lanes than allowed."""
    assert after_pieces(Pace(most=6), 200).allowed == 6


def test_a_refusal_halves_it() -> None:
    """When storage is busy, half as many pieces are under way."""
    assert Pace(lanes=16.0).after_refusal().allowed == 8


def test_refusals_of_one_round_count_once() -> None:
    """What was under way at the old pace is refused for the same reason."""
    pace = Pace(lanes=16.0)
    for _ in range(16):
        pace = pace.after_refusal()

    assert pace.allowed == 8
    assert pace.after_refusal().allowed == 4


def test_one_lane_is_left() -> None:
    """A copy never stops altogether."""
    pace = Pace()
    for _ in range(100):
        pace = pace.after_refusal()

    assert pace.allowed == 1


def test_a_growing_latency_stops_the_growth() -> None:
    """Pieces that take several times as long wait in a queue: no lane is added."""
    pace = after_pieces(Pace(lanes=8.0, is_starting=False), 20)
    slowed = after_pieces(pace, 10, seconds=4 * QUICK)

    assert after_pieces(slowed, 20, seconds=4 * QUICK).lanes == slowed.lanes


def test_a_latency_beyond_measure_takes_lanes_away() -> None:
    """Pieces that take many times as long are too many."""
    pace = after_pieces(Pace(lanes=16.0, is_starting=False), 20)

    assert after_pieces(pace, 20, seconds=20 * QUICK).lanes < pace.lanes


def test_small_pieces_are_not_slow() -> None:
    """A piece of one page takes as long as its request, and that is no queue."""
    pace = after_pieces(Pace(), 10)
    for _ in range(50):
        pace = pace.after_piece(QUICK / 5, 512)

    assert pace.allowed == MOST_LANES


def varying(sigma: float, seed: int, count: int = 2000) -> list[float]:
    """Let pieces come back from storage that has no queue and whose latency varies; give the lanes after each."""
    chance, pace, seen = random.Random(seed), Pace(), []  # noqa: S311 - nothing is secret here
    for _ in range(count):
        pace = pace.after_piece(QUICK * math.exp(chance.gauss(0, sigma)), PIECE)
        seen.append(pace.lanes)
    return seen


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("sigma", "average", "least"), [(0.5, 15.0, 10.0), (1.0, 7.0, 3.0)])
def test_a_latency_that_varies_is_no_queue(sigma: float, average: float, least: float, seed: int) -> None:
    """Where pieces take now a third and now three times as long, lanes are many on average, and never one alone."""
    lanes = varying(sigma, seed)[100:]

    assert sum(lanes) / len(lanes) > average
    assert min(lanes) >= least


def test_one_piece_that_was_ever_so_quick_is_forgotten() -> None:
    """An answer that came out of a cache does not make all others slow."""
    pace = after_pieces(Pace(), 20).after_piece(QUICK / 50, PIECE)

    assert after_pieces(pace, 100).lanes == MOST_LANES


def test_storage_that_became_slower_for_good_is_not_left_with_one_lane() -> None:
    """What is slow where lanes are few has no queue for its reason, and is what is usual now."""
    pace = after_pieces(Pace(), 100)

    assert after_pieces(pace, 60, seconds=30 * QUICK).allowed < MOST_LANES // 2
    assert after_pieces(pace, 1000, seconds=30 * QUICK).allowed == MOST_LANES


def test_one_piece_that_comes_late_takes_no_lane_away() -> None:
    """A request that hangs until its timeout is one piece, and no queue."""
    pace = after_pieces(Pace(), 20)

    assert pace.after_piece(600.0, PIECE).lanes == pace.lanes


@pytest.mark.parametrize("seconds_per_byte", [0.0, 1e-8, 1e-6])
def test_pieces_of_one_class_are_compared_by_what_they_weigh(seconds_per_byte: float) -> None:
    """Whether requests or bytes take the time, twice as many bytes are not slow."""
    pace = Pace()
    for count in range(200):
        length = PIECE // 2 + (PIECE // 2 - 512) * (count % 2)
        pace = pace.after_piece(0.02 + seconds_per_byte * length, length)

    assert pace.allowed == MOST_LANES


@pytest.mark.parametrize("bears", [1, 3, 8])
def test_it_finds_what_storage_bears(bears: int) -> None:
    """Lanes settle between what is worked on at once and a queue of several times as many."""
    paces = Storage(bears).rounds(Pace(), 60)

    assert all(bears <= pace.allowed <= 5 * bears + 6 for pace in paces[-20:])


def test_a_queue_shows_also_where_times_vary() -> None:
    """Storage that works on one piece at a time is not sent all that is allowed, as a rule."""
    lanes = [Storage(1, sigma=0.3, seed=seed).rounds(Pace(), 60)[-1].allowed for seed in range(20)]

    assert sum(lanes) / len(lanes) < 12.5


def test_it_settles_below_what_is_refused() -> None:
    """Refusals stay rare: most rounds keep within what storage takes."""
    paces = Storage(64, refuses_above=10).rounds(Pace(), 80)

    within = deque(pace.allowed <= 11 for pace in paces[20:])
    assert within.count(True) > 0.9 * len(within)
    assert max(pace.allowed for pace in paces[20:]) >= 8


def test_it_recovers() -> None:
    """Once the trouble is over, it grows again to where it was."""
    pace = Storage(8, refuses_above=1).rounds(Pace(), 20)[-1]
    assert pace.allowed <= 2

    assert Storage(32).rounds(pace, 60)[-1].allowed >= 16


@given(st.lists(st.one_of(st.none(), st.floats(1e-6, 600.0)), max_size=200), st.integers(1, 64))
def test_it_stays_within_its_bounds(course: list[float | None], most: int) -> None:
    """Whatever happens, there is at least one lane and never more than the most."""
    pace = Pace(most=most)
    for seconds in course:
        pace = pace.after_refusal() if seconds is None else pace.after_piece(seconds, PIECE)

        assert 1 <= pace.allowed <= most
