"""Resource Manager's throttling by token buckets, as documented since 2024; off until somebody switches it on."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

HEADER = "x-ms-ratelimit-remaining"
KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
GLOBAL_FACTOR = 15
"""All principals of a subscription together may ask this much more than one of them."""


@dataclass(frozen=True)
class BucketSize:
    """Say how much a bucket holds.

    :param size: calls at once
    :param refill_per_second: calls that become possible again in a second
    """

    size: int
    refill_per_second: float

    def of_all_principals(self) -> BucketSize:
        """Return the size of the bucket that all principals share."""
        return BucketSize(self.size * GLOBAL_FACTOR, self.refill_per_second * GLOBAL_FACTOR)


DOCUMENTED = {"reads": BucketSize(250, 25), "writes": BucketSize(200, 10), "deletes": BucketSize(200, 10)}
"""By kind of call, for each principal, in each subscription and in the tenant."""


class Bucket:
    """Count the calls that are possible.

    :param size: how much it holds; it is full at first
    :param now: the present instant
    """

    def __init__(self, size: BucketSize, now: datetime) -> None:
        self._size = size
        self._left: float = size.size
        self._seen = now

    def left(self, now: datetime) -> float:
        """Return how many calls are possible now."""
        passed = max(0.0, (now - self._seen).total_seconds())
        self._left = min(self._size.size, self._left + passed * self._size.refill_per_second)
        self._seen = now
        return self._left

    def wait(self, now: datetime) -> float:
        """Return how many seconds pass until a call is possible."""
        return max(0.0, (1 - self.left(now)) / self._size.refill_per_second)

    def take(self) -> None:
        """Use one call up."""
        self._left -= 1


class Throttle:
    """Let calls pass as long as there is something in their buckets.

    :param sizes: by kind of call; None lets everything pass
    """

    def __init__(self, sizes: Mapping[str, BucketSize] | None = None) -> None:
        self.switch(sizes)

    def switch(self, sizes: Mapping[str, BucketSize] | None) -> None:
        """Throttle by buckets of these sizes, all full, or not at all."""
        self.sizes = None if sizes is None else dict(sizes)
        self.refused = 0
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def take(self, method: str, *, subscription_id: str | None, principal: str, now: datetime) -> dict[str, str]:
        """Use one call up and return the headers that say what is left, or raise what the caller is answered.

        :param subscription_id: which subscription the call is about; None is the tenant
        """
        if self.sizes is None:
            return usual_headers(method)
        kind = kind_of(method)
        buckets = self._buckets_of(kind, subscription_id, principal, self.sizes[kind], now)
        wait = max(bucket.wait(now) for bucket in buckets.values())
        if wait > 0:
            self.refused += 1
            left = {name: str(max(0, int(bucket.left(now)))) for name, bucket in buckets.items()}
            raise _throttled(kind, subscription_id, principal, ceil(wait), left)
        for bucket in buckets.values():
            bucket.take()
        return {name: str(int(bucket.left(now))) for name, bucket in buckets.items()}

    def _buckets_of(
        self, kind: str, subscription_id: str | None, principal: str, size: BucketSize, now: datetime
    ) -> dict[str, Bucket]:
        """Return the buckets that a call is taken from, by the header that tells what is left in them."""
        if subscription_id is None:
            return {f"{HEADER}-tenant-{kind}": self._bucket(("tenant", principal, kind), size, now)}
        shared = size.of_all_principals()
        return {
            f"{HEADER}-subscription-{kind}": self._bucket((subscription_id, principal, kind), size, now),
            f"{HEADER}-subscription-global-{kind}": self._bucket((subscription_id, "*", kind), shared, now),
        }

    def _bucket(self, key: tuple[str, str, str], size: BucketSize, now: datetime) -> Bucket:
        if key not in self._buckets:
            self._buckets[key] = Bucket(size, now)
        return self._buckets[key]


def kind_of(method: str) -> str:
    """Return which bucket a method is taken from."""
    return KINDS.get(method, "writes")


def usual_headers(method: str) -> dict[str, str]:
    """Return what the first call of a second is told, as it was recorded in 2025."""
    kind = kind_of(method)
    size = DOCUMENTED[kind]
    left = {kind: size.size - 1, f"global-{kind}": size.of_all_principals().size - 1}
    return {f"{HEADER}-subscription-{name}": str(value) for name, value in left.items()}


def _throttled(kind: str, subscription_id: str | None, principal: str, wait: int, left: Mapping[str, str]) -> ArmError:
    scope = "Tenant" if subscription_id is None else "Subscription"
    about = "tenant" if subscription_id is None else f"subscription '{subscription_id}'"
    message = (
        f"Number of '{kind.removesuffix('s')}' requests for {about} actor '{principal}' exceeded. "
        f"Please try again after '{wait}' seconds."
    )
    headers = {"Retry-After": str(wait), **left}
    return ArmError(429, f"{scope}RequestsThrottled", message, headers=headers)
