"""How far an image version has come in each region, computed from the clock: nothing moves by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

PUBLISHING = timedelta(seconds=345)
"""From the request to the first region; with that one a version takes the 405 seconds that were measured."""
PER_REGION = timedelta(seconds=60)
"""What each region takes, one after the other."""


@dataclass(frozen=True)
class RegionalCopy:
    """The copy of an image version in one region.

    :param region: its name as people read it
    :param started: when copying began
    :param completed: when it is there
    """

    region: str
    started: datetime
    completed: datetime

    def summary(self, now: datetime) -> dict[str, Any]:
        """Return how far it is."""
        is_done = now >= self.completed
        return {
            "region": self.region,
            "state": "Completed" if is_done else "Replicating",
            "details": "",
            "progress": 100 if is_done else self._percent(now),
        }

    def _percent(self, now: datetime) -> int:
        done = (now - self.started) / (self.completed - self.started)
        return min(99, max(0, int(done * 100)))


def plan_copies(regions: Iterable[str], started: datetime, *, head_start: timedelta = PUBLISHING) -> list[RegionalCopy]:
    """Return the copies that a request at `started` leads to, region after region."""
    copies = []
    begin = started
    for region in regions:
        end = (begin + head_start if begin == started else begin) + PER_REGION
        copies.append(RegionalCopy(region, begin, end))
        begin = end
    return copies


def copies_between(regions: Iterable[str], started: datetime, completed: datetime) -> list[RegionalCopy]:
    """Return copies of which the last one is there at `completed`; the first takes what the others leave."""
    names = list(regions)
    ends = [max(started, completed - PER_REGION * after) for after in reversed(range(len(names)))]
    begins = [started, *ends][: len(names)]
    return [RegionalCopy(name, begin, end) for name, begin, end in zip(names, begins, ends, strict=True)]


def next_copies(known: Mapping[str, RegionalCopy], regions: Iterable[str], now: datetime) -> list[RegionalCopy]:
    """Return the copies after a change of the regions: known ones go on, new ones begin now."""
    wanted = list(regions)
    fresh = plan_copies([region for region in wanted if region not in known], now, head_start=timedelta())
    every = {**known, **{copy.region: copy for copy in fresh}}
    return [every[region] for region in wanted]


def replication_status(copies: Iterable[RegionalCopy], now: datetime) -> dict[str, Any]:
    """Return the member that `$expand=ReplicationStatus` adds."""
    summary = [copy.summary(now) for copy in copies]
    is_done = all(region["state"] == "Completed" for region in summary)
    return {"aggregatedState": "Completed" if is_done else "InProgress", "summary": summary}


def completion(copies: Iterable[RegionalCopy], otherwise: datetime) -> datetime:
    """Return when the last copy is there."""
    return max((copy.completed for copy in copies), default=otherwise)
