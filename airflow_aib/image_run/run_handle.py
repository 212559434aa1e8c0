"""The identity of one run, from the moment it was asked for: AIB itself gives a run no id."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.run_status import parse_service_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.image_run.run_status import LastRunStatus

# How long after it was asked for a run may begin: a gateway gives up after minutes. It is less than a build takes, so
# that whose run began, ended and was followed by another is not told that the other is its own.
BEGINS_WITHIN = timedelta(minutes=5)
# A run that Azure has accepted has begun by then, but for what clocks and whole seconds differ.
BEGAN_WITH_CONSENT = timedelta(minutes=1)


class RunOwnership(StrEnum):
    """List how sure it is whose a run is.

    `OWN`: Azure has accepted our request. `UNCONFIRMED`: our request was not answered; the first run that begins within
    its time is taken for ours, and never cancelled. `FOREIGN`: somebody else's, adopted.
    """

    OWN = "own"
    UNCONFIRMED = "unconfirmed"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class ImageRunHandle:
    """Identify one run of an image template.

    :param image_template_id: resource id
    :param submit_time: when it was asked for by our clock, ISO 8601
    :param previous_start_time: verbatim start time of the run before, which `lastRunStatus` may still describe
    :param start_time: verbatim start time, once the service has shown it
    :param ownership: how sure it is that the run is ours, one of `RunOwnership`
    :param asked_at: when it was asked for, or accepted, by the service's clock, ISO 8601; None where that did not say
    """

    image_template_id: str
    submit_time: str
    previous_start_time: str | None = None
    start_time: str | None = None
    ownership: str = RunOwnership.OWN
    asked_at: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether the run is certainly ours, so that it may be cancelled."""
        return self.ownership == RunOwnership.OWN

    def matches(self, status: LastRunStatus | None) -> bool:
        """Whether the status describes this run, and not the one before or a later one."""
        if status is None or status.started_at is None:
            return False
        if self.start_time is not None:
            return status.start_time == self.start_time
        return status.start_time != self.previous_start_time and self._begins_in_time(status)

    def is_overtaken_by(self, status: LastRunStatus | None) -> bool:
        """Whether the status is of a later run, so that nobody can say any more what became of this one."""
        if status is None or status.started_at is None or self.matches(status):
            return False
        started_at = parse_service_time(self.start_time)
        if started_at is not None:
            return status.started_at > started_at
        return status.start_time != self.previous_start_time

    def follows(self, status: LastRunStatus) -> bool:
        """Whether the status is of a run before this one, which has been seen already."""
        started_at = parse_service_time(self.start_time)
        return started_at is not None and status.started_at is not None and status.started_at < started_at

    def joined_to(self, status: LastRunStatus) -> ImageRunHandle:
        """Give the same handle with the start time that the service has shown."""
        return replace(self, start_time=status.start_time)

    def accepted(self, at: str | None) -> ImageRunHandle:
        """Give the same handle as that of a run which Azure has accepted.

        :param at: when, by the service's clock; without it nobody can tell a run of much later from this one, so that
            it is not certainly ours until its start has been seen
        """
        return replace(self, ownership=RunOwnership.UNCONFIRMED if at is None else RunOwnership.OWN, asked_at=at)

    def confirmed_by(self, status: LastRunStatus) -> ImageRunHandle:
        """Give the same handle as that of a run which Azure has accepted a moment ago, and shows now."""
        return replace(self.joined_to(status), ownership=RunOwnership.OWN)

    def asked_again(self, now: datetime) -> ImageRunHandle:
        """Give the same handle as that of a run which is asked for once more, after a pause that Azure has asked for.

        :param now: by our clock
        """
        asked_at, passed = parse_service_time(self.asked_at), now - datetime.fromisoformat(self.submit_time)
        again = (asked_at + passed).isoformat() if asked_at is not None else None
        return replace(self, submit_time=now.isoformat(), asked_at=again)

    def to_json(self) -> dict[str, Any]:
        """Give the handle as JSON."""
        return {**asdict(self), "ownership": str(self.ownership)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ImageRunHandle:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(
            image_template_id=str(value["image_template_id"]),
            submit_time=str(value["submit_time"]),
            previous_start_time=value.get("previous_start_time"),
            start_time=value.get("start_time"),
            ownership=str(value.get("ownership") or RunOwnership.OWN),
            asked_at=value.get("asked_at"),
        )

    def _begins_in_time(self, status: LastRunStatus) -> bool:
        asked_at = parse_service_time(self.asked_at)
        if asked_at is None or status.started_at is None:
            return True
        return status.started_at <= asked_at + (BEGAN_WITH_CONSENT if self.is_own else BEGINS_WITHIN)
