"""How soon to look again at a run that may end any moment.

No input, no output, no clock of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from datetime import datetime

# A poll interval is a promise of how old knowledge is at most; near its end a run is looked at more often than that, as
# long as few waits do so: what seconds are worth to one build, a fleet pays for in requests.
SMALL_FLEET = 20
NEAR_END_SHARE = 0.25
SHORTEST_PAUSE = 5.0
# From which part of its usual duration on a run may end any moment, and from which on the past says nothing any more.
NEAR_END_FROM, NEAR_END_UNTIL = 0.9, 1.5
LAST_SUB_STATES = frozenset({"Distributing", "Optimizing"})
REMEMBERED = 10_000


class RunHistory:
    """Remember how long the last runs of image templates took."""

    def __init__(self) -> None:
        self._durations: OrderedDict[str, float] = OrderedDict()

    def note(self, image_template_id: str, body: Mapping[str, Any]) -> None:
        """Take in a look; one at a run that went well tells how long such a run takes."""
        status = read_last_run_status(body) if _has_succeeded(body) else None
        if status is None or status.started_at is None or status.ended_at is None:
            return
        self._durations[image_template_id] = (status.ended_at - status.started_at).total_seconds()
        self._durations.move_to_end(image_template_id)
        while len(self._durations) > REMEMBERED:
            self._durations.popitem(last=False)

    def usual_duration(self, image_template_id: str) -> float | None:
        """Give the seconds that a run takes, as far as one was seen."""
        return self._durations.get(image_template_id)


def paced(seconds: float, body: Mapping[str, Any] | None, usual: float | None, now: datetime, waits: int) -> float:
    """Give a pause that is shorter than the asked one where the run may end any moment, and the waits are few.

    :param body: what the last look has shown
    :param usual: seconds that an earlier run took
    :param waits: how many there are in all
    """
    status = read_last_run_status(body) if body is not None and waits <= SMALL_FLEET else None
    if status is None or status.is_over or not _is_near_end(status, usual, now):
        return seconds
    return min(seconds, max(seconds * NEAR_END_SHARE, SHORTEST_PAUSE))


def _has_succeeded(body: Mapping[str, Any]) -> bool:
    """Whether it is worth reading: each wait reads the status for itself, and few looks say anything here."""
    sent = (body.get("properties") or {}).get("lastRunStatus")
    return isinstance(sent, Mapping) and sent.get("runState") == RunState.SUCCEEDED


def _is_near_end(status: LastRunStatus, usual: float | None, now: datetime) -> bool:
    if usual is None or status.started_at is None:
        return status.run_sub_state in LAST_SUB_STATES
    age = (now - status.started_at).total_seconds()
    return NEAR_END_FROM * usual <= age <= NEAR_END_UNTIL * usual
