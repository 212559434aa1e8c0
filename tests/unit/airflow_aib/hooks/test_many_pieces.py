from __future__ import annotations

import asyncio

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK
from airflow_aib.hooks.many_pieces import LONGEST_PAUSE, PIECE_ATTEMPTS, Lanes, patiently
from airflow_aib.vhd.pace import Pace
from airflow_aib.vhd.page_ranges import PageRange
from tests.fakes import FakeClock, look_error

PIECES = [PageRange(offset, 1) for offset in range(20)]


class Crowd:
    """Count who is at work, and let everybody take a moment."""

    def __init__(self) -> None:
        self.present = 0
        self.most = 0
        self.done: list[int] = []

    async def work(self, piece: PageRange) -> None:
        """Work on a piece; the later ones are quicker."""
        self.present += 1
        self.most = max(self.most, self.present)
        for _ in range(len(PIECES) - piece.offset):
            await asyncio.sleep(0)
        self.present -= 1
        self.done.append(piece.offset)


async def answer() -> bytes:
    """Give what storage would."""
    return b"content"


def settled(lanes: int) -> Lanes:
    """Return lanes that have found their number."""
    made = Lanes(lanes, FakeClock())
    made.pace = Pace(most=lanes, lanes=float(lanes))
    return made


async def test_all_pieces_are_worked_on_a_few_at_a_time() -> None:
    """As many pieces are under way as the pace allows, and no more."""
    crowd = Crowd()

    await settled(4).for_each(PIECES, crowd.work)

    assert sorted(crowd.done) == [piece.offset for piece in PIECES]
    assert crowd.most == 4


async def test_more_are_tried_while_it_goes_well() -> None:
    """Pieces that come back quickly add lanes, up to the bound."""
    crowd, lanes = Crowd(), Lanes(6, FakeClock())

    async def work(piece: PageRange) -> None:
        await crowd.work(piece)
        await lanes.timed(piece.length, answer)

    await lanes.for_each(PIECES, work)

    assert crowd.most == lanes.pace.allowed == 6


@pytest.mark.parametrize("status", [503, 429, 500, None])
async def test_a_busy_storage_takes_lanes_away(status: int | None) -> None:
    """A refusal for want of time, or no answer at all, halves the pieces that are under way."""
    lanes = settled(8)
    answers: list[ArmRequestError | None] = [
        ArmRequestError("Busy", status=status, trouble="answer" if status else "connection"),
        None,
    ]

    async def call() -> None:
        error = answers.pop(0)
        if error is not None:
            raise error

    await lanes.timed(512, call)

    assert lanes.pace.allowed == 4


async def test_the_first_error_ends_the_rest() -> None:
    """Nothing goes on in the background after an error."""
    crowd = Crowd()

    async def work(piece: PageRange) -> None:
        if piece.offset == 2:
            raise look_error(403)
        await crowd.work(piece)

    with pytest.raises(ArmRequestError):
        await settled(4).for_each(PIECES, work)
    count = len(crowd.done)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
    assert len(crowd.done) == count


async def test_no_pieces_are_no_work() -> None:
    """An empty disk is copied at once."""
    await settled(4).for_each([], Crowd().work)


async def test_a_lambda_is_awaited_too() -> None:
    """What a lambda calls is awaited, so that its caller gets the answer and not a coroutine."""
    assert await patiently(lambda: answer(), SYSTEM_CLOCK) == b"content"  # noqa: PLW0108 - the lambda is what is tested


async def test_a_piece_is_tried_again_while_its_error_may_pass() -> None:
    """Passing faults cost pauses that grow, and a bounded number of tries."""
    clock = FakeClock()
    tries = 0

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise look_error(503)

    with pytest.raises(ArmRequestError, match="Could not look"):
        await patiently(fail, clock)
    assert (tries, len(clock.pauses)) == (PIECE_ATTEMPTS, PIECE_ATTEMPTS - 1)
    assert clock.pauses[0] < clock.pauses[-1] <= LONGEST_PAUSE


async def test_a_refusal_is_not_tried_again() -> None:
    """What will not pass is raised at once."""
    clock = FakeClock()

    async def refuse() -> None:
        raise look_error(412)

    with pytest.raises(ArmRequestError):
        await patiently(refuse, clock)
    assert clock.pauses == []


async def test_the_pause_that_storage_asks_for_is_kept_within_bounds() -> None:
    """`Retry-After` counts, but not for hours."""
    clock = FakeClock()
    answers: list[ArmRequestError | None] = [look_error(503, retry_after=20), look_error(503, retry_after=9999), None]

    async def call() -> None:
        error = answers.pop(0)
        if error is not None:
            raise error

    await patiently(call, clock)

    assert clock.pauses == [20, LONGEST_PAUSE]
