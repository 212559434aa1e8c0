"""How many pieces may be under way at once: a controller that grows by one and shrinks by half. Pure.

Like congestion control of TCP: while pieces come back quickly, one more is tried in every round; when storage says that
it is busy, half as many are. A queue shows as latency before it shows as a refusal, so latency counts too. The first
rounds double, to find out what storage bears.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_LANES = 2.0
MOST_LANES = 16

# Pieces are compared with pieces of about their size: a class reaches from a power of four to the next.
SIZE_CLASSES = 16

# A piece counts this much in the running average.
WEIGHT = 0.2
# By how much pieces are slower than the quickest of their size, on average, when no lane is added, and when some go.
SLOW, TOO_SLOW = 3.0, 6.0
# What is left of the lanes then, and after a refusal.
AFTER_SLOWNESS, AFTER_REFUSAL = 0.75, 0.5


@dataclass(frozen=True)
class Pace:
    """Hold how many pieces may be under way, and what that was learnt from.

    :param most: never more lanes than this
    :param lanes: how many there are, with fractions, since they grow by one in a round
    :param quickest: seconds of the quickest piece of each size, by the class of the size; 0 before the first
    :param slowness: of recent pieces, on average: seconds in terms of the quickest of their size
    :param is_starting: whether it still doubles
    :param grace: how many more pieces must come back before it may shrink again: they were under way before
    """

    most: int = MOST_LANES
    lanes: float = FIRST_LANES
    quickest: tuple[float, ...] = (0.0,) * SIZE_CLASSES
    slowness: float = 1.0
    is_starting: bool = True
    grace: int = 0

    @property
    def allowed(self) -> int:
        """How many pieces may be under way now."""
        return max(1, min(int(self.lanes), self.most))

    def after_piece(self, seconds: float, length: int) -> Pace:
        """Give the pace after a piece that was copied in some time.

        :param length: bytes of the piece
        """
        place = _size_class(length)
        quickest = min(self.quickest[place] or seconds, seconds)
        slowness = seconds / quickest if quickest else 1.0
        known = replace(
            self,
            quickest=(*self.quickest[:place], quickest, *self.quickest[place + 1 :]),
            slowness=self.slowness + WEIGHT * (slowness - self.slowness),
            grace=max(0, self.grace - 1),
        )
        if known.slowness > TOO_SLOW:
            return _shrunk(known, AFTER_SLOWNESS)
        return replace(known, is_starting=False) if known.slowness > SLOW else _grown(known)

    def after_refusal(self) -> Pace:
        """Give the pace after storage has said that it is busy, or has not answered."""
        return _shrunk(replace(self, grace=max(0, self.grace - 1)), AFTER_REFUSAL)


def _size_class(length: int) -> int:
    return min(length.bit_length() // 2, SIZE_CLASSES - 1)


def _grown(pace: Pace) -> Pace:
    step = 1.0 if pace.is_starting else 1.0 / pace.lanes
    return replace(pace, lanes=min(pace.lanes + step, float(pace.most)))


def _shrunk(pace: Pace, share: float) -> Pace:
    if pace.grace:
        return replace(pace, is_starting=False)
    # What is under way was sent at the old pace: its troubles are the same trouble.
    lanes = max(1.0, min(pace.lanes, float(pace.most)) * share)
    return replace(pace, lanes=lanes, is_starting=False, grace=pace.allowed, slowness=1.0)
