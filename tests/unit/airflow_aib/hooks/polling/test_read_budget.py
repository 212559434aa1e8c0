from __future__ import annotations

import pytest

from airflow_aib.hooks.polling.read_budget import BUCKET_SIZE, LONGEST_HOLD, REFILL_PER_SECOND, RESERVE, ReadBudget

READS = "x-ms-ratelimit-remaining-subscription-reads"
GLOBAL_READS = "x-ms-ratelimit-remaining-subscription-global-reads"
NOW = 1_000_000.0


def test_a_full_bucket_lets_reads_pass_until_the_reserve() -> None:
    """A burst uses the bucket up to what is kept for others, then reads go at the pace of the refill."""
    budget = ReadBudget(counted_at=NOW)
    sent = 0
    while budget.wait(NOW) == 0:
        budget.spend(NOW)
        sent += 1

    assert sent == BUCKET_SIZE - RESERVE
    assert budget.wait(NOW) == pytest.approx(1 / REFILL_PER_SECOND)
    assert budget.wait(NOW + 1) == 0


def test_what_azure_says_is_left_counts() -> None:
    """Others use the same bucket: the header knows of them, for the principal and for all principals."""
    budget = ReadBudget(counted_at=NOW)

    budget.note({READS: "249", GLOBAL_READS: "20"}, NOW)

    assert budget.wait(NOW) == pytest.approx((1 + RESERVE - 20) / REFILL_PER_SECOND)


@pytest.mark.parametrize("headers", [{}, {READS: "many"}, {READS: ""}, {READS: "-5"}])
def test_an_answer_that_says_nothing_changes_nothing(headers: dict[str, str]) -> None:
    """A header that is missing or senseless is no limit."""
    budget = ReadBudget(counted_at=NOW)

    budget.note(headers, NOW)

    assert budget.left == BUCKET_SIZE


def test_older_limits_by_the_hour_are_understood() -> None:
    """A subscription that tells of 11999 reads is not slowed down."""
    budget = ReadBudget(counted_at=NOW)

    budget.note({READS: "11999"}, NOW)
    for _ in range(1000):
        assert budget.wait(NOW) == 0
        budget.spend(NOW)


def test_a_pause_that_is_asked_for_holds_all_reads_of_the_subscription() -> None:
    """After a refusal nobody reads until the time is over; a huge pause is bounded."""
    budget = ReadBudget(counted_at=NOW)

    budget.hold(17, NOW)
    assert budget.wait(NOW) == 17
    budget.hold(3, NOW)
    assert budget.wait(NOW) == 17

    budget.hold(1e9, NOW)
    assert budget.wait(NOW) == LONGEST_HOLD


def test_what_decides_is_not_held() -> None:
    """A look at a deadline may use what is kept for others, and goes out in spite of a pause."""
    budget = ReadBudget(left=RESERVE, counted_at=NOW)
    budget.hold(60, NOW)

    assert budget.wait(NOW, in_person=True) == 0


def test_a_read_that_was_not_sent_is_given_back() -> None:
    """Whoever has ended meanwhile takes nothing from the others."""
    budget = ReadBudget(left=RESERVE + 1, counted_at=NOW)

    budget.spend(NOW)
    assert budget.wait(NOW) > 0
    budget.give_back()

    assert budget.wait(NOW) == 0
