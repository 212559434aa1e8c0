from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.throttling import DOCUMENTED, BucketSize, Throttle, usual_headers

START = datetime(2026, 1, 1, tzinfo=UTC)
READS = "x-ms-ratelimit-remaining-subscription-reads"
ALL_READS = "x-ms-ratelimit-remaining-subscription-global-reads"


def take(throttle: Throttle, method: str = "GET", *, who: str = "p1", at: float = 0.0) -> dict[str, str]:
    """Use one call of a subscription up."""
    return throttle.take(method, subscription_id="s", principal=who, now=START + timedelta(seconds=at))


def calls_until_refused(throttle: Throttle, method: str, most: int = 10_000) -> int:
    """Return how many calls pass at one instant."""
    for passed in range(most):
        try:
            take(throttle, method)
        except ArmError:
            return passed
    raise AssertionError(f"more than {most} calls passed")


@pytest.mark.parametrize(("method", "size"), [("GET", 250), ("HEAD", 250), ("PUT", 200), ("DELETE", 200)])
def test_the_documented_number_of_calls_passes_at_once(method: str, size: int) -> None:
    """Each kind of call has its own bucket, as large as documented."""
    assert calls_until_refused(Throttle(DOCUMENTED), method) == size


def test_the_first_call_is_told_what_was_recorded() -> None:
    """The true numbers of a full bucket are those of the recordings, which are sent while nothing is throttled."""
    assert take(Throttle(DOCUMENTED)) == usual_headers("GET") == {READS: "249", ALL_READS: "3749"}
    assert take(Throttle()) == usual_headers("GET")


def test_what_is_left_is_told_truly() -> None:
    """Each call is told what the next ones have."""
    throttle = Throttle(DOCUMENTED)
    assert [take(throttle)[READS] for _ in range(3)] == ["249", "248", "247"]
    assert take(throttle, at=0.1)[READS] == "248"


def test_a_refusal_says_when_to_ask_again() -> None:
    """`Retry-After` is when the next call is possible, in whole seconds, and then it is."""
    throttle = Throttle({**DOCUMENTED, "reads": BucketSize(1, 0.1)})
    take(throttle)
    with pytest.raises(ArmError) as refused:
        take(throttle, at=2)
    error = refused.value
    assert (error.status, error.code) == (429, "SubscriptionRequestsThrottled")
    assert error.headers == {"Retry-After": "8", READS: "0", ALL_READS: "15"}
    assert "actor 'p1' exceeded. Please try again after '8' seconds." in error.message
    assert take(throttle, at=10)[READS] == "0"
    assert throttle.refused == 1


def test_principals_have_buckets_of_their_own_and_one_together() -> None:
    """One principal's calls leave another's alone, up to fifteen times as many for all of them."""
    throttle = Throttle({**DOCUMENTED, "reads": BucketSize(1, 0.001)})
    for principal in range(15):
        take(throttle, who=f"p{principal}")
    with pytest.raises(ArmError):
        take(throttle, who="another")


def test_the_tenant_has_buckets_of_its_own() -> None:
    """A call about no subscription is counted for the tenant, and says so."""
    throttle = Throttle({**DOCUMENTED, "reads": BucketSize(1, 1)})
    take(throttle)
    headers = throttle.take("GET", subscription_id=None, principal="p1", now=START)
    assert headers == {"x-ms-ratelimit-remaining-tenant-reads": "0"}
    with pytest.raises(ArmError, match="TenantRequestsThrottled"):
        throttle.take("GET", subscription_id=None, principal="p1", now=START)


def test_a_bucket_never_holds_more_than_its_size() -> None:
    """However long nobody asks, no more calls are possible than at first; time that goes back changes nothing."""
    throttle = Throttle(DOCUMENTED)
    take(throttle, at=0)
    assert take(throttle, at=1000)[READS] == "249"
    assert take(throttle, at=500)[READS] == "248"
