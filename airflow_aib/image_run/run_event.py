"""The one event with which watching a run ends, as it travels from the trigger to the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_aib.exceptions import ImageRunWatchError
from airflow_aib.image_run.artifacts import ImageArtifact
from airflow_aib.image_run.customization_log import CustomizationLog
from airflow_aib.image_run.run_status import LastRunStatus

if TYPE_CHECKING:
    from airflow_aib.image_run.deadline import TimeLimit

RunEventStatus = Literal["over", "timeout", "unwatchable", "gone"]
RUN_EVENT_STATUSES: tuple[RunEventStatus, ...] = get_args(RunEventStatus)

RunEventReason = Literal["deleted", "replaced", "never appeared", "stuck", "not cancelled"]
RUN_EVENT_REASONS: tuple[RunEventReason, ...] = get_args(RunEventReason)


@dataclass(frozen=True)
class RunEvent:
    """Say how watching a run ended.

    :param status: `over`: the run has ended, well or badly; `timeout`: its time has passed; `unwatchable`: it could not
        be looked at for too long; `gone`: the image template or the run is no longer there
    :param image_template_id: resource id
    :param last_run_status: the last one seen, as `LastRunStatus.to_json` writes it
    :param message: one sentence for a person
    :param reason: why it is gone: the image template is `deleted`, another run has `replaced` it, or it `never
        appeared`; why it goes on after its time: it is `stuck` in its cancel, or was `not cancelled`
    :param time_limit: which limit's time has passed
    :param is_late: whether a run that succeeded did so only after its deadline
    :param late_artifacts: what appeared after the run had ended otherwise, as `ImageArtifact.to_json` writes it
    :param customization_log: its log, as `CustomizationLog.to_json` writes it, where all of it was relayed: so that
        nobody has to read it once more
    """

    status: RunEventStatus
    image_template_id: str
    last_run_status: dict[str, Any] | None = None
    message: str = ""
    reason: RunEventReason | None = None
    time_limit: TimeLimit = "build_timeout"
    is_late: bool = False
    late_artifacts: tuple[dict[str, Any], ...] = ()
    customization_log: dict[str, Any] | None = None

    def read_last_run_status(self) -> LastRunStatus | None:
        """Give the last status that was seen."""
        return LastRunStatus.from_json(self.last_run_status) if self.last_run_status else None

    @property
    def found_none_in_time(self) -> bool:
        """Whether the deadline has passed, the watch has never seen the run, and none was there to be cancelled."""
        return self.status == "timeout" and self.last_run_status is None and self.reason is None

    def read_late_artifacts(self) -> tuple[ImageArtifact, ...]:
        """Give what appeared after the run had ended otherwise."""
        return tuple(map(ImageArtifact.from_json, self.late_artifacts))

    def read_customization_log(self) -> CustomizationLog | None:
        """Give the log, where it is known."""
        return CustomizationLog.from_json(self.customization_log) if self.customization_log else None

    def to_payload(self) -> dict[str, Any]:
        """Give the payload of Airflow's trigger event."""
        return asdict(self) | {"late_artifacts": list(self.late_artifacts)}

    @classmethod
    def from_payload(cls, payload: Any) -> RunEvent:
        """Read a trigger event's payload; an unreadable one is an error of watching, unknown keys are ignored."""
        if not isinstance(payload, Mapping):
            raise ImageRunWatchError(
                f"The trigger sent {type(payload).__name__} instead of a run event",
                hint="The run itself goes on: look at the image template, or clear the task to watch it again.",
            )
        status = payload.get("status")
        image_template_id = payload.get("image_template_id")
        if status not in RUN_EVENT_STATUSES or not isinstance(image_template_id, str):
            raise ImageRunWatchError(
                f"The trigger sent a run event with status {status!r} for image template {image_template_id!r}: "
                f"{payload.get('message') or 'no message'}",
                hint="The run itself goes on: look at the image template, or clear the task to watch it again.",
            )
        return cls(
            status=status,
            image_template_id=image_template_id,
            last_run_status=payload.get("last_run_status"),
            message=str(payload.get("message") or ""),
            reason=payload.get("reason") if payload.get("reason") in RUN_EVENT_REASONS else None,
            time_limit="execution_timeout" if payload.get("time_limit") == "execution_timeout" else "build_timeout",
            is_late=payload.get("is_late") is True,
            late_artifacts=tuple(payload.get("late_artifacts") or ()),
            customization_log=payload.get("customization_log"),
        )
