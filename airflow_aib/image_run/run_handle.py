"""The identity of one run, from the moment it was asked for: AIB itself gives a run no id."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.image_run.run_status import LastRunStatus


@dataclass(frozen=True)
class ImageRunHandle:
    """Identify one run of an image template.

    :param image_template_id: resource id
    :param submit_time: when it was asked for by our clock, ISO 8601
    :param previous_start_time: verbatim start time of the run before, which `lastRunStatus` may still describe
    :param start_time: verbatim start time, once the service has shown it
    """

    image_template_id: str
    submit_time: str
    previous_start_time: str | None = None
    start_time: str | None = None

    def matches(self, status: LastRunStatus | None) -> bool:
        """Whether the status describes this run, and not the one before or a later one."""
        if status is None or status.started_at is None:
            return False
        if self.start_time is not None:
            return status.start_time == self.start_time
        return status.start_time != self.previous_start_time

    def joined_to(self, status: LastRunStatus) -> ImageRunHandle:
        """Give the same handle with the start time that the service has shown."""
        return replace(self, start_time=status.start_time)

    def to_json(self) -> dict[str, Any]:
        """Give the handle as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ImageRunHandle:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(
            image_template_id=str(value["image_template_id"]),
            submit_time=str(value["submit_time"]),
            previous_start_time=value.get("previous_start_time"),
            start_time=value.get("start_time"),
        )
