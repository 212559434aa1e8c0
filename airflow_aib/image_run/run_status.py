"""The image template's summary of its last run, read from the body that Azure sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

from airflow_aib.masking import mask

# Go's zero time: how the service writes "not yet".
NOT_YET = "0001-01-01T00:00:00Z"

# Go writes up to nine fractional digits and trims trailing zeros; Python keeps six.
_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<clock>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9})\d*)?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


class RunState(StrEnum):
    """List the run states of the service."""

    RUNNING = "Running"
    CANCELING = "Canceling"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


FINAL_RUN_STATES = frozenset(
    {RunState.SUCCEEDED, RunState.PARTIALLY_SUCCEEDED, RunState.FAILED, RunState.CANCELED},
)


@dataclass(frozen=True)
class LastRunStatus:
    """Hold what an image template says about its last run.

    :param run_state: as sent; unknown words are kept, and are not an end
    :param run_sub_state: phase of a running build; absent before and after
    :param start_time: verbatim, since it is the run's identity
    :param end_time: verbatim, or None while it has not ended
    :param message: the service's own words, without signatures and keys
    """

    run_state: str
    run_sub_state: str | None
    start_time: str
    end_time: str | None
    message: str

    @property
    def started_at(self) -> datetime | None:
        """When the run started, to the microsecond."""
        return parse_service_time(self.start_time)

    @property
    def ended_at(self) -> datetime | None:
        """When the run ended, to the microsecond."""
        return parse_service_time(self.end_time)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to this run."""
        return self.run_state in FINAL_RUN_STATES

    @property
    def has_succeeded(self) -> bool:
        """Whether every distributor has its image; a partial success is none."""
        return self.run_state == RunState.SUCCEEDED

    @property
    def may_have_made_images(self) -> bool:
        """Whether the run got as far as an image at least; then it also has a log."""
        return self.run_state in {RunState.SUCCEEDED, RunState.PARTIALLY_SUCCEEDED}

    @property
    def phase(self) -> str:
        """State and phase in one word, as `Running/Building`."""
        return f"{self.run_state}/{self.run_sub_state}" if self.run_sub_state else self.run_state

    def to_json(self) -> dict[str, Any]:
        """Give the status as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LastRunStatus:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(
            run_state=str(value["run_state"]),
            run_sub_state=value.get("run_sub_state") or None,
            start_time=str(value["start_time"]),
            end_time=value.get("end_time") or None,
            message=str(value.get("message") or ""),
        )


def read_last_run_status(image_template_body: Mapping[str, Any]) -> LastRunStatus | None:
    """Read the last run's status from an image template; None before its first run."""
    properties = image_template_body.get("properties") or {}
    sent = properties.get("lastRunStatus") if isinstance(properties, Mapping) else None
    if not isinstance(sent, Mapping) or not sent.get("runState"):
        return None
    end_time = sent.get("endTime")
    return LastRunStatus(
        run_state=str(sent["runState"]),
        run_sub_state=sent.get("runSubState") or None,
        start_time=str(sent.get("startTime") or NOT_YET),
        end_time=str(end_time) if end_time and end_time != NOT_YET else None,
        # It quotes what failed, as the address of a script, with the signature that opens it.
        message=mask(str(sent.get("message") or "")),
    )


def parse_service_time(text: str | None) -> datetime | None:
    """Read a time of the service, to the microsecond; None for "not yet" and for what is no time at all."""
    match = _TIME.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['clock']}.{fraction}")
        # Nothing of this service happened in year 1: that is the sentinel, however many zeros it carries.
        return None if moment.year == 1 else moment.replace(tzinfo=_zone(match["zone"])).astimezone(UTC)
    except (ValueError, OverflowError):
        # Month 13, an offset of 99 hours and the like: looks like a time and is none.
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    hours, minutes = text[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(offset if text[0] == "+" else -offset)
