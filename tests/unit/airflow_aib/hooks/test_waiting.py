from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.waiting import JITTER, Patience, Wait, bounded, pauses
from tests.fakes import START, FakeClock, look_error

if TYPE_CHECKING:
    from collections.abc import Callable


class Looks:
    """Answer looks from a script; the last answer lasts."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)

    async def __call__(self) -> int:
        """Look."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def wait(
    looks: Looks,
    clock: FakeClock,
    *,
    within: float = 60,
    error_budget: float = 30,
    spread: Callable[[float, float], float] = lambda _low, _high: 1.0,
) -> int:
    """Wait until the answer is 3, without spreading looks unless told so."""
    patience = Patience(8, timedelta(seconds=within), timedelta(seconds=error_budget))
    waiting = Wait(
        looks, lambda seen: seen == 3, lambda seen: ArmRequestError(f"It is {seen}"), patience, clock, spread
    )
    return await waiting.until_done()


def test_pauses_grow_up_to_the_interval() -> None:
    """What is done soon is seen soon; what takes long is looked at by the interval."""
    assert list(islice(pauses(8), 6)) == [1, 2, 4, 8, 8, 8]
    assert list(islice(pauses(0.2), 3)) == [0.2, 0.2, 0.2]


async def test_what_holds_already_costs_one_look_and_no_pause() -> None:
    """The first look may be the last."""
    clock = FakeClock()

    assert await wait(Looks(3), clock) == 3
    assert clock.pauses == []


async def test_it_looks_until_it_is_so() -> None:
    """Looks go on until the condition holds."""
    assert await wait(Looks(1, 2, 3), FakeClock()) == 3


async def test_time_is_bounded_and_ends_with_a_look() -> None:
    """When time is up there is one more look, then the error tells what was seen last."""
    clock = FakeClock()

    with pytest.raises(ArmRequestError, match="It is 1"):
        await wait(Looks(1), clock, within=20)
    assert clock.now() == START + timedelta(seconds=20)


async def test_the_error_tells_that_the_last_look_failed() -> None:
    """Who waits in vain learns that nobody could look at the end, and why."""
    with pytest.raises(ArmRequestError, match="It is 1; the last look failed: Could not look"):
        await wait(Looks(1, look_error(500)), FakeClock(), within=20)


async def test_failed_looks_are_borne_for_a_while() -> None:
    """An error that may pass does not end the wait."""
    assert await wait(Looks(look_error(500), look_error(429), 3), FakeClock()) == 3


async def test_failed_looks_in_a_row_are_bounded() -> None:
    """Errors that last longer than the budget end the wait, sooner than its time."""
    clock = FakeClock()

    with pytest.raises(ArmRequestError, match="Could not look"):
        await wait(Looks(look_error(500)), clock, within=600)
    assert clock.now() <= START + timedelta(seconds=40)


async def test_a_good_look_renews_the_budget() -> None:
    """Only errors in a row count."""
    answers: list[int | Exception] = [look_error(500), 1] * 30
    assert await wait(Looks(*answers, 3), FakeClock(), within=6000) == 3


async def test_a_refusal_ends_the_wait_at_once() -> None:
    """An error that will not pass is not borne."""
    clock = FakeClock()

    with pytest.raises(ArmRequestError, match="Could not look"):
        await wait(Looks(look_error(403)), clock)
    assert clock.pauses == []


async def test_the_pause_that_azure_asks_for_is_kept() -> None:
    """`Retry-After` makes the pause longer, never shorter."""
    clock = FakeClock()

    await wait(Looks(look_error(429, retry_after=17), look_error(429, retry_after=0.1), 3), clock)
    assert clock.pauses == [17, 2]


async def test_a_huge_pause_that_azure_asks_for_does_not_outlast_the_budget() -> None:
    """Who is told to come back tomorrow looks once more when the budget ends, and then says what it was."""
    clock = FakeClock()

    with pytest.raises(ArmRequestError, match="Could not look"):
        await wait(Looks(look_error(429, retry_after=86_400)), clock, within=600)
    assert clock.pauses == [30]


async def test_looks_are_spread() -> None:
    """Pauses vary by a tenth; one that Azure asks for only grows, since it was asked of many at once."""
    bounds: list[tuple[float, float]] = []

    def spread(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    clock = FakeClock()
    await wait(Looks(1, look_error(429, retry_after=10), 3), clock, spread=spread)

    assert bounds == [(1 - JITTER, 1 + JITTER), (1, 1 + JITTER)]
    assert clock.pauses == [pytest.approx(1.1), pytest.approx(11)]


async def test_a_call_that_does_not_come_to_an_end_counts_as_not_answered() -> None:
    """An answer that drips, or a sign-in that is told to come back tomorrow, holds nobody up."""
    with pytest.raises(ArmRequestError, match=r"Could not read x: there was no whole answer within 0\.01 s") as caught:
        async with bounded(0.01, "read", "x"):
            await asyncio.Event().wait()
    assert is_transient(caught.value)


async def test_a_call_that_times_out_by_itself_is_left_to_its_caller() -> None:
    """Only the bound's own end is translated."""
    with pytest.raises(TimeoutError):
        async with bounded(60, "read", "x"):
            raise TimeoutError
