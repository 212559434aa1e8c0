"""Which run of an image template somebody waits for, and whether a status describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import parse_service_time

if TYPE_CHECKING:
    from airflow_aib.image_run.run_status import LastRunStatus


@dataclass(frozen=True)
class WantedRun:
    """Choose a run: by its handle, or the first one after a moment, or else the last one.

    :param handle: the run itself
    :param started_after: without a handle: earlier runs do not count, ISO 8601
    """

    handle: ImageRunHandle | None = None
    started_after: str | None = None

    def __post_init__(self) -> None:
        """Refuse a moment that is none, without which any earlier run would count."""
        given: Any = self.started_after
        if given and (not isinstance(given, str) or parse_service_time(given) is None):
            raise ImageTemplateError(
                f"started_after is {given!r}, which is no moment",
                hint="Write it in the form of ISO 8601, as 2026-01-05T03:00:00+00:00, or {{ ts }} for the DAG run's.",
            )

    def is_described_by(self, status: LastRunStatus | None) -> bool:
        """Whether the status is the wanted run's."""
        if status is None or status.started_at is None:
            return False
        if self.handle is not None:
            return self.handle.matches(status)
        after = parse_service_time(self.started_after)
        return after is None or status.started_at > after

    def is_past(self, status: LastRunStatus | None) -> bool:
        """Whether the status is of a later run, so that nobody can say any more how the wanted one ended."""
        start_time = self.handle.start_time if self.handle else None
        started_at = parse_service_time(start_time)
        if status is None or started_at is None or status.start_time == start_time:
            return False
        return status.started_at is not None and status.started_at > started_at

    def is_decided(self, status: LastRunStatus | None) -> bool:
        """Whether waiting has an end: the wanted run is over, or past."""
        is_over = status is not None and status.is_over and self.is_described_by(status)
        return is_over or self.is_past(status)

    def to_json(self) -> dict[str, Any]:
        """Give the choice as JSON."""
        return {"handle": self.handle.to_json() if self.handle else None, "started_after": self.started_after}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WantedRun:
        """Read what `to_json` wrote; unknown keys are ignored."""
        handle = value.get("handle")
        return cls(ImageRunHandle.from_json(handle) if handle else None, value.get("started_after"))


def read_image_run(image_run: Any, image_template_id: str) -> ImageRunHandle | None:
    """Read which run of an image template a task was told to mean; None when it was told of none.

    :param image_run: what the task that started it has left as XCom `image_run`
    """
    if not image_run:
        return None
    if not (isinstance(image_run, Mapping) and {"image_template_id", "submit_time"} <= image_run.keys()):
        raise ImageTemplateError(
            f"image_run is no XCom `image_run` of a task that has started a run, but {_shape_of(image_run)}",
            hint="Pass `run.output['image_run']`, where `run` is that task.",
        )
    handle = ImageRunHandle.from_json(image_run)
    if handle.image_template_id.casefold() != image_template_id.casefold():
        raise ImageTemplateError(
            f"image_run is a run of {handle.image_template_id}, and the task is about {image_template_id}",
            hint="Name the same image template in both.",
        )
    return handle


def _shape_of(value: Any) -> str:
    return f"an object of {', '.join(map(repr, value)) or 'nothing'}" if isinstance(value, Mapping) else repr(value)
