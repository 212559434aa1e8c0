"""How many bytes of log may be relayed: a budget for one run, and one that all runs of an event loop share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from airflow_aib.hooks.staging import MEBIBYTE

if TYPE_CHECKING:
    from datetime import datetime

# A whole triggerer carries about 430 kB of log a second: one run must leave room for the others, and all runs together
# must leave room for other tasks.
BYTES_PER_SECOND = 16 * 1024
SHARED_BYTES_PER_SECOND = 160 * 1024
LARGEST_READ = MEBIBYTE
# From so many relays on each takes its turn: they look at the same moment, and the first ones would take it all.
CROWD = 8
# Bytes that many relays may read at once after a pause: hundreds of them that read in one moment would hold up others.
CROWD_BURST = 64 * 1024
# The turns of one round are spread over so much of the time until the next look, and over so many seconds at most.
TURN_SHARE = 0.8
LONGEST_TURN = 60.0
# Seconds that the end of a log may wait for its turn, and bytes of it that are shown unless too many end together.
END_PATIENCE = 30.0
LEAST_END = 64 * 1024


@dataclass
class ByteBudget:
    """Say how many bytes may be relayed now.

    :param bytes_per_second: in the long run
    :param most: at once, after a long pause
    """

    bytes_per_second: int
    most: int
    _left: float = 0
    _counted_at: datetime | None = None
    _relays: WeakSet[object] = field(default_factory=WeakSet, init=False, repr=False)
    _ending: WeakSet[object] = field(default_factory=WeakSet, init=False, repr=False)

    def allowance(self, now: datetime) -> int:
        """Give the bytes that may be read now."""
        if self._counted_at is None:
            self._left, self._counted_at = self.most, now
        # Whoever asks may have waited since he read the clock: what was counted meanwhile does not count twice.
        counted_at, self._counted_at = self._counted_at, max(now, self._counted_at)
        self._left += (self._counted_at - counted_at).total_seconds() * self.bytes_per_second
        self._left = min(self._left, self.most if self._is_alone else min(self.most, CROWD_BURST))
        return max(0, int(self._left))

    def spend(self, count: int) -> None:
        """Count bytes that are read; a negative count gives some back."""
        self._left -= count

    def obtainable(self, now: datetime, within: float) -> int:
        """Give the bytes that may be read by then, when they are booked now."""
        self.allowance(now)
        return max(0, int(self._left + within * self.bytes_per_second))

    def book(self, count: int, now: datetime) -> float:
        """Count bytes ahead, and give the seconds after which they may be read."""
        self.allowance(now)
        self.spend(count)
        return max(0.0, -self._left / self.bytes_per_second)

    def until_full(self, now: datetime) -> float:
        """Give the seconds after which all that was spent is there again."""
        self.allowance(now)
        return max(0.0, (self.most - self._left) / self.bytes_per_second)

    def join(self, relay: object) -> None:
        """Count one more who shares this budget, until nobody holds it any more."""
        self._relays.add(relay)

    @property
    def _is_alone(self) -> bool:
        return len(self._relays) < CROWD

    def turn(self, now: datetime, patience: float) -> int | None:
        """Give the bytes that one of many relays may read when its turn comes; None while they are few.

        :param patience: seconds within which it comes
        """
        part = self.part(patience)
        return None if part is None else min(part, self.obtainable(now, patience))

    def part(self, patience: float) -> int | None:
        """Give the bytes that one of many may read in so many seconds; None while they are few."""
        return None if self._is_alone else int(self.bytes_per_second * patience / len(self._relays))

    def enter_end(self, relay: object) -> None:
        """Count one whose log is over and who has not booked its end yet."""
        self._ending.add(relay)

    def leave_end(self, relay: object) -> None:
        """Count it no more."""
        self._ending.discard(relay)

    def end_part(self, now: datetime) -> int:
        """Give the bytes of its log's end that one of those may read within the patience.

        Where many relays share, others are likely to end in the next moment: one leaves most to them, and those that
        end together have equal parts, so that all of them together never have more than there is.
        """
        obtainable = self.obtainable(now, END_PATIENCE)
        most = obtainable if self._is_alone else obtainable // CROWD
        return min(max(LEAST_END, most), obtainable // max(1, len(self._ending)))


def turn_patience(poll_interval: float) -> float:
    """Give the seconds that a relay may wait for its turn: it must be over when the next look is due."""
    return min(poll_interval * TURN_SHARE, LONGEST_TURN)


_shared_budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, ByteBudget] = WeakKeyDictionary()


def shared_budget() -> ByteBudget:
    """Give the budget that all relays of this event loop share: on a triggerer those of all runs."""
    loop = asyncio.get_running_loop()
    return _shared_budgets.setdefault(loop, ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ))
