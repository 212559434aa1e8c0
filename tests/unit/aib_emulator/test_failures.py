from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.failures import CREATION, GET, RUN, Failures, PlannedFailure, PlannedFailureError


def test_a_failure_strikes_where_and_as_often_as_planned() -> None:
    """Name and point of life must fit, the name in any casing; after its count it strikes no more."""
    failures = Failures()
    failure = failures.plan(PlannedFailure(image_template="Mine", kind="hang", count=2))
    assert failures.take("other", RUN) is None
    assert failures.take("mine", CREATION) is None
    assert [failures.take("MINE", RUN) is failure for _ in range(3)] == [True, True, False]
    assert (failures.pending(), failure.struck) == ([], 2)


def test_failures_strike_in_the_order_of_their_planning() -> None:
    """The first that fits strikes; the next one waits for the next time."""
    failures = Failures()
    planned = [failures.plan(PlannedFailure(kind=kind)) for kind in ("partial", "spurious_error", "hang")]
    assert failures.take("x", GET) is planned[1]
    assert [failures.take("x", RUN), failures.take("x", RUN)] == [planned[0], planned[2]]


def test_one_failure_can_be_taken_back() -> None:
    """By its id it is removed, once."""
    failures = Failures()
    goes, stays = failures.plan(PlannedFailure()), failures.plan(PlannedFailure())
    assert (failures.remove(goes.failure_id), failures.remove(goes.failure_id)) == (True, False)
    assert failures.pending() == [stays]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "boredom"}, {"moment": "later"}, {"seconds": -1}, {"indexes": ["1"]}],
)
def test_a_senseless_failure_is_refused(wrong: dict[str, Any]) -> None:
    """A failure that could never strike as meant is not accepted."""
    with pytest.raises(PlannedFailureError):
        PlannedFailure(**wrong)
