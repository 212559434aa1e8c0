"""How many reads of a subscription are left: Resource Manager's token bucket, as its headers tell it.

No input, no output, no clock of its own. Moments are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# As documented since 2024, for one principal in one subscription.
BUCKET_SIZE = 250.0
REFILL_PER_SECOND = 25.0
# Left for whoever else works with the same identity: a task that starts a build must not be refused for our looks.
RESERVE = 50.0
# Seconds to keep still at most, whatever Azure asks: who must look at a moment of its own looks anyway.
LONGEST_HOLD = 120.0

_HEADERS = (
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-ratelimit-remaining-subscription-global-reads",
)


@dataclass
class ReadBudget:
    """Count what is left of a subscription's reads.

    :param left: how many, when they were last counted
    :param counted_at: when that was
    :param held_until: until when Azure has asked to keep still
    """

    left: float = BUCKET_SIZE
    counted_at: float = 0.0
    held_until: float = 0.0

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Take in what an answer's headers say is left, for us or for all together."""
        told = [int(text) for name in _HEADERS if (text := str(headers.get(name, ""))).isdecimal()]
        if told:
            self.left, self.counted_at = float(min(told)), now

    def hold(self, seconds: float, now: float) -> None:
        """Keep still for as long as Azure asks, within bounds."""
        self.held_until = max(self.held_until, now + min(seconds, LONGEST_HOLD))

    def spend(self, now: float) -> None:
        """Count one read."""
        self.left = self._left_at(now) - 1
        self.counted_at = now

    def give_back(self) -> None:
        """Count one read less: it was not sent."""
        self.left += 1

    def wait(self, now: float, *, in_person: bool = False) -> float:
        """Give the seconds until the next read may be sent.

        :param in_person: whether it is one that cannot wait: it may use what is kept for others, and is not held
        """
        missing = 1 + (0 if in_person else RESERVE) - self._left_at(now)
        held = 0.0 if in_person else self.held_until - now
        return max(0.0, missing / REFILL_PER_SECOND, held)

    def _left_at(self, now: float) -> float:
        if self.left >= BUCKET_SIZE:
            # Older limits were by the hour, and larger.
            return self.left
        return min(BUCKET_SIZE, self.left + max(0.0, now - self.counted_at) * REFILL_PER_SECOND)
