"""The one event with which waiting for an image template's state ends, as it travels from trigger to operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from airflow_aib.exceptions import ArmRequestError, ImageRunTimeoutError
from airflow_aib.masking import mask

StateEventStatus = Literal["reached", "not reached"]
STATE_EVENT_STATUSES: tuple[StateEventStatus, ...] = get_args(StateEventStatus)

NotReachedReason = Literal["overdue", "unwatchable", "other"]
NOT_REACHED_REASONS: tuple[NotReachedReason, ...] = get_args(NotReachedReason)


@dataclass(frozen=True)
class StateEvent:
    """Say how waiting for a state ended.

    :param status: `reached`, or `not reached`: it never will be, or not in time, or nobody could look
    :param image_template_id: resource id
    :param message: one sentence for a person
    :param reason: why it was not reached: `overdue`, the deadline has passed; `unwatchable`, Azure did not let itself
        be asked; `other`, which the message tells
    """

    status: StateEventStatus
    image_template_id: str
    message: str = ""
    reason: NotReachedReason | None = None

    @classmethod
    def not_reached(cls, image_template_id: str, error: Exception) -> StateEvent:
        """Say with which error waiting has ended."""
        return cls("not reached", image_template_id, mask(str(error)), _reason(error))

    def to_payload(self) -> dict[str, Any]:
        """Give the payload of Airflow's trigger event."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Any) -> StateEvent:
        """Read a trigger event's payload; unknown keys are ignored."""
        is_event = isinstance(payload, Mapping)
        status = payload.get("status") if is_event else None
        image_template_id = payload.get("image_template_id") if is_event else None
        if status not in STATE_EVENT_STATUSES or not isinstance(image_template_id, str):
            raise ArmRequestError(
                f"The trigger sent {payload!r} instead of a state event",
                hint="Azure goes on with what it was asked to do: clear the task to look again.",
            )
        reason = payload.get("reason") if status == "not reached" else None
        if status == "not reached" and reason not in NOT_REACHED_REASONS:
            reason = "other"
        return cls(status, image_template_id, str(payload.get("message") or ""), reason)


def _reason(error: Exception) -> NotReachedReason:
    if isinstance(error, ImageRunTimeoutError):
        return "overdue"
    if not isinstance(error, ArmRequestError):
        return "other"
    if error.code == "Overdue":
        return "overdue"
    # Only a call that failed has had trouble; what Azure's answers say of the image template is an error of our own.
    return "unwatchable" if error.data.get("trouble") else "other"
