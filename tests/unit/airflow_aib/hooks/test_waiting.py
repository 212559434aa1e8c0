from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.waiting import Patience, Wait, pauses
from tests.fakes import START, FakeClock, look_error


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


async def wait(looks: Looks, clock: FakeClock, *, within: float = 60, error_budget: float = 30) -> int:
    """Wait until the answer is 3."""
    patience = Patience(8, timedelta(seconds=within), timedelta(seconds=error_budget))
    waiting = Wait(looks, lambda seen: seen == 3, lambda seen: ArmRequestError(f"It is {seen}"), patience, clock)
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
