from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from multidict import CIMultiDict

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.rate_limits import BlobLimits, RateLimiter, request_volume
from aib_emulator.blob_front.target import Target

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BLOB, OTHER = Target("/acct/c/b"), Target("/acct/c/other")


def admitted(limiter: RateLimiter, count: int, volume: int = 0, target: Target = BLOB, at: float = 0) -> int:
    """Return how many of so many requests pass at an instant."""
    passed = 0
    with suppress(StorageError):
        for passed in range(count):  # noqa: B007 - what is left of it is the answer
            limiter.admit(target, volume, NOW + timedelta(seconds=at))
        passed = count
    return passed


def limiter(**limits: float) -> RateLimiter:
    """Return a limiter with limits."""
    made = RateLimiter()
    made.set(BlobLimits(**limits))  # type: ignore[arg-type]  # retry_after is left out
    return made


def test_nothing_is_refused_without_limits() -> None:
    """At first a blob bears anything."""
    assert admitted(RateLimiter(), 10_000, 10**9) == 10_000


def test_requests_beyond_a_seconds_worth_are_refused() -> None:
    """A second's worth passes at once, and then what time brings back, never more than a second's worth."""
    limited = limiter(requests_per_second=10)
    assert [admitted(limited, 20, at=instant) for instant in (0, 0.5, 60)] == [10, 5, 10]


def test_bytes_beyond_a_seconds_worth_are_refused() -> None:
    """A request larger than what is left passes, and what it took too much is missing afterwards."""
    limited = limiter(bytes_per_second=1000)
    assert [admitted(limited, 1, volume=2500, at=instant) for instant in (0, 1, 1.4, 1.6)] == [1, 0, 0, 1]


def test_each_blob_has_its_own_allowance() -> None:
    """What one blob has used up, another one still has; containers have no limit."""
    limited = limiter(requests_per_second=1)
    container = Target("/acct/c?restype=container")
    assert [admitted(limited, 3, target=target) for target in (BLOB, OTHER, container)] == [1, 1, 3]


def test_slow_limit_lets_single_requests_pass() -> None:
    """A limit of less than one request per second lets one pass from time to time."""
    limited = limiter(requests_per_second=0.5)
    assert [admitted(limited, 2, at=instant) for instant in (0, 1, 2)] == [1, 0, 1]


def test_refusal_says_when_to_come_back() -> None:
    """A refusal is ServerBusy, and Retry-After is as it was chosen."""
    busy = RateLimiter()
    busy.set(BlobLimits(requests_per_second=1, retry_after=7))
    busy.admit(BLOB, 0, NOW)
    with pytest.raises(StorageError) as caught:
        busy.admit(BLOB, 0, NOW)
    refusal = caught.value
    assert (refusal.status, refusal.code, refusal.headers) == (503, "ServerBusy", {"Retry-After": "7"})


@pytest.mark.parametrize(
    ("headers", "volume"),
    [
        ({}, 0),
        ({"Content-Length": "512"}, 512),
        ({"x-ms-range": "bytes=0-4095"}, 4096),
        ({"Content-Length": "0", "x-ms-source-range": "bytes=512-1023", "x-ms-range": "bytes=0-511"}, 512),
        ({"Range": "bytes=5-", "Content-Length": "nonsense"}, 0),
    ],
)
def test_volume_is_what_is_sent_copied_or_asked_for(headers: dict[str, str], volume: int) -> None:
    """The volume of a request follows from its headers."""
    assert request_volume(CIMultiDict(headers)) == volume
