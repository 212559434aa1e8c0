"""How many pieces may be under way at once: a controller that grows by one and shrinks by half. Pure.

Like congestion control of TCP: while pieces come back quickly, one more is tried in every round; when storage says that
it is busy, half as many are. A queue shows as latency before it shows as a refusal, so latency counts too. The first
rounds double, to find out what storage bears.

Latency varies without any queue, and the more it does, the farther its average lies from the quickest piece. So times
are compared as ratios, that is by their logarithms, and what their own spread explains is taken for no queue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

FIRST_LANES = 2.0
MOST_LANES = 16

# Pieces are compared with pieces of about their size: a class reaches from a power of two to the next. Within it they
# are compared by what a piece weighs, since a request takes its time whatever it carries.
SIZE_CLASSES = 24
REQUEST_WEIGHT = 1024 * 1024
# What a clock that stands still would measure.
LEAST_SECONDS = 1e-6

# A piece counts this much in the running averages of how slow pieces are, and of how far they lie apart.
WEIGHT, SPREAD_WEIGHT = 0.2, 0.1
# So many times the spread lies between the quickest piece and the average one where there is no queue.
USUAL_SPREAD = 1.2
# The quickest piece is forgotten by so much with each piece that comes alone, which waits in no queue; with each of
# several, by the third power of their number less. One that is quicker by more than a half is not believed at once.
FADING, FADING_POWER = 0.1, 3.0
MOST_BELIEVED = math.log(2)
# By how much pieces are slower than the quickest of their size, on average, when no lane is added, and when some go.
SLOW, TOO_SLOW = math.log(3), math.log(6)
# What is left of the lanes then, and after a refusal.
AFTER_SLOWNESS, AFTER_REFUSAL = 0.75, 0.5


@dataclass(frozen=True)
class Pace:
    """Hold how many pieces may be under way, and what that was learnt from.

    :param most: never more lanes than this
    :param lanes: how many there are, with fractions, since they grow by one in a round
    :param quickest: logarithm of the time of the quickest piece, for its weight, of each class of sizes; None before it
    :param slowness: how much slower recent pieces are, on average: logarithm of the ratio
    :param spread: how far recent pieces lie from the one before, on average
    :param last: slowness of the last piece
    :param is_starting: whether it still doubles
    :param grace: how many more pieces must come back before it may shrink again: they were under way before
    """

    most: int = MOST_LANES
    lanes: float = FIRST_LANES
    quickest: tuple[float | None, ...] = (None,) * SIZE_CLASSES
    slowness: float = 0.0
    spread: float = 0.0
    last: float = 0.0
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
        place = min(length.bit_length(), SIZE_CLASSES - 1)
        time = math.log(max(seconds, LEAST_SECONDS) / (REQUEST_WEIGHT + length))
        before = self.quickest[place]
        late = time - before if before is not None else 0.0
        quickest = time - late + self._learnt(late)
        # However late a single piece comes, it is one piece.
        late = min(max(0.0, late), 2 * TOO_SLOW)
        known = replace(
            self,
            quickest=(*self.quickest[:place], quickest, *self.quickest[place + 1 :]),
            slowness=self.slowness + WEIGHT * (late - self.slowness),
            spread=self.spread + SPREAD_WEIGHT * (abs(late - self.last) - self.spread),
            last=late,
            grace=max(0, self.grace - 1),
        )
        waiting = known.slowness - USUAL_SPREAD * known.spread
        if waiting > TOO_SLOW:
            return _shrunk(known, AFTER_SLOWNESS)
        return replace(known, is_starting=False) if waiting > SLOW else _grown(known)

    def _learnt(self, late: float) -> float:
        """Give by how much the quickest piece is to be moved, after one that came so much later."""
        if late < 0:
            return max(late, -MOST_BELIEVED)
        return min(late, 2 * TOO_SLOW) * FADING / math.pow(self.allowed, FADING_POWER)

    def after_refusal(self) -> Pace:
        """Give the pace after storage has said that it is busy, or has not answered."""
        return _shrunk(replace(self, grace=max(0, self.grace - 1)), AFTER_REFUSAL)


def _grown(pace: Pace) -> Pace:
    step = 1.0 if pace.is_starting else 1.0 / pace.lanes
    return replace(pace, lanes=min(pace.lanes + step, float(pace.most)))


def _shrunk(pace: Pace, share: float) -> Pace:
    if pace.grace:
        return replace(pace, is_starting=False)
    # What is under way was sent at the old pace: its troubles are the same trouble.
    lanes = max(1.0, min(pace.lanes, float(pace.most)) * share)
    return replace(pace, lanes=lanes, is_starting=False, grace=pace.allowed, slowness=0.0)
