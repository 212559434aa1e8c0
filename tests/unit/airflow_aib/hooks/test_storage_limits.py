"""Lanes against the emulator's own limits of a blob, in a time that passes only when somebody waits."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.rate_limits import BlobLimits, RateLimiter
from aib_emulator.blob_front.target import Target
from aib_emulator.settings import MEBIBYTE
from airflow_aib.hooks.many_pieces import Lanes
from airflow_aib.vhd.pace import MOST_LANES
from airflow_aib.vhd.page_ranges import PageRange
from tests.fakes import SteppedClock, look_error

BLOB = Target("/imagestore/images/disk.vhd")
LONGEST = 4 * MEBIBYTE
# As documented for page blobs of standard accounts.
DOCUMENTED = BlobLimits(requests_per_second=500, bytes_per_second=60 * MEBIBYTE)
MANY = 600


@dataclass
class LimitedBlob:
    """Take pieces, each in some time, as long as the limits allow it.

    :param limits: what it bears
    :param seconds: that a piece takes, more or less
    :param length: of each piece
    """

    limits: BlobLimits
    seconds: float
    length: int = LONGEST
    clock: SteppedClock = field(default_factory=SteppedClock)
    asked: int = 0
    refused: int = 0
    lanes_seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lanes = Lanes(MOST_LANES, self.clock)
        self.limiter = RateLimiter()
        self.limiter.set(self.limits)
        self._chance = random.Random(7)  # noqa: S311 - nothing is secret here

    async def put(self) -> None:
        """Take a piece, or refuse it."""
        self.asked += 1
        try:
            self.limiter.admit(BLOB, self.length, self.clock.now())
        except StorageError as error:
            self.refused += 1
            raise look_error(503, retry_after=self.limits.retry_after) from error
        await self.clock.sleep(self.seconds * self._chance.lognormvariate(0, 0.3))

    async def fill(self, count: int) -> float:
        """Bring pieces over, and give how many seconds that took."""

        async def work(piece: PageRange) -> None:
            await self.lanes.timed(piece.length, self.put)
            self.lanes_seen.append(self.lanes.pace.allowed)

        begun = self.clock.now()
        pieces = [PageRange(place * self.length, self.length) for place in range(count)]
        copying = asyncio.create_task(self.lanes.for_each(pieces, work))
        while not copying.done():
            await self.clock.advance(1.0)
        await copying
        return (self.clock.now() - begun).total_seconds()

    def least_seconds(self, count: int) -> float:
        """Give how long pieces take at least, by the limits."""
        return max(
            count / (self.limits.requests_per_second or count),
            count * self.length / (self.limits.bytes_per_second or count * self.length),
        )


@pytest.mark.parametrize(
    ("limits", "seconds", "length", "most_refused"),
    [
        (DOCUMENTED, 0.05, LONGEST, 0.2),
        (DOCUMENTED, 0.2, LONGEST, 0.1),
        (DOCUMENTED, 1.0, LONGEST, 0.02),
        (DOCUMENTED, 0.02, 64 * 1024, 0.0),
        (BlobLimits(requests_per_second=20), 0.05, 64 * 1024, 0.2),
    ],
)
async def test_what_a_blob_bears_is_used_and_not_much_more_asked_for(
    limits: BlobLimits, seconds: float, length: int, most_refused: float
) -> None:
    """Of the requests few are refused, and the copy goes on nearly as quickly as the limits allow."""
    blob = LimitedBlob(limits, seconds, length)

    took = await blob.fill(MANY)

    assert blob.refused <= most_refused * blob.asked
    assert took <= 1.25 * max(blob.least_seconds(MANY), MANY * seconds / MOST_LANES) + 1.0


async def test_refusals_never_leave_one_lane_for_good() -> None:
    """However often it is refused, the copy keeps several pieces under way, and all of its lanes once it may."""
    blob = LimitedBlob(DOCUMENTED, seconds=0.05)
    await blob.fill(MANY)
    later = blob.lanes_seen[MANY // 2 :]

    assert blob.refused > 0
    assert sum(later) / len(later) > 2
    assert all(max(later[start : start + 50]) > 1 for start in range(0, len(later), 50))
    blob.limiter.set(BlobLimits())
    await blob.fill(MANY)
    assert blob.lanes.pace.allowed == MOST_LANES
