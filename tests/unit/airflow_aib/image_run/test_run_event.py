from __future__ import annotations

import json

import pytest

from airflow_aib.exceptions import ImageRunWatchError
from airflow_aib.image_run.run_event import RUN_EVENT_STATUSES, RunEvent, RunEventStatus
from airflow_aib.image_run.run_status import LastRunStatus

STATUS = LastRunStatus("Succeeded", None, "2023-08-29T06:38:40.04274578Z", "2023-08-29T06:48:40Z", "")


@pytest.mark.parametrize("status", RUN_EVENT_STATUSES)
def test_event_travels_as_payload(status: RunEventStatus) -> None:
    """An event survives the way through Airflow's database, and a member of a later release does no harm."""
    event = RunEvent(
        status,
        "/subscriptions/s",
        STATUS.to_json(),
        "one sentence",
        "stuck",
        "execution_timeout",
        is_late=True,
        late_artifacts=({"kind": "VHD"},),
    )
    payload = json.loads(json.dumps(event.to_payload())) | {"a_later_member": 1}

    assert RunEvent.from_payload(payload) == event


@pytest.mark.parametrize("reason", [None, "a later one", ["stuck"]])
def test_a_reason_that_is_not_known_is_none(reason: object) -> None:
    """A reason of a later release, or of nobody, does no harm."""
    payload = {"status": "gone", "image_template_id": "/subscriptions/s", "reason": reason}

    assert RunEvent.from_payload(payload) == RunEvent("gone", "/subscriptions/s")


@pytest.mark.parametrize(
    ("event", "has_found_none"),
    [
        (RunEvent("timeout", "/subscriptions/s"), True),
        (RunEvent("timeout", "/subscriptions/s", STATUS.to_json()), False),
        (RunEvent("timeout", "/subscriptions/s", reason="not cancelled"), False),
        (RunEvent("unwatchable", "/subscriptions/s"), False),
    ],
    ids=["none", "seen", "not cancelled", "not to be seen"],
)
def test_a_run_that_nobody_has_seen_by_its_deadline(event: RunEvent, *, has_found_none: bool) -> None:
    """It is told from one that was seen, and from one that may go on."""
    assert event.found_none_in_time is has_found_none


def test_a_time_limit_that_is_not_known_is_the_builds() -> None:
    """A trigger of an earlier release names none: its deadline was the build's, as a rule."""
    payload = {"status": "timeout", "image_template_id": "/subscriptions/s", "time_limit": "a later one"}

    assert RunEvent.from_payload(payload) == RunEvent("timeout", "/subscriptions/s")


def test_status_inside_is_read() -> None:
    """The last status of an event is a LastRunStatus again."""
    assert RunEvent("over", "/subscriptions/s", STATUS.to_json()).read_last_run_status() == STATUS
    assert RunEvent("gone", "/subscriptions/s").read_last_run_status() is None


@pytest.mark.parametrize("payload", [None, "success", 1, []])
def test_payload_of_another_kind(payload: object) -> None:
    """What is no event at all is an error of watching, and says that the run goes on."""
    with pytest.raises(ImageRunWatchError, match="The run itself goes on"):
        RunEvent.from_payload(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"status": "error", "message": "Trigger timeout"},
        {"status": "over"},
        {"status": "over", "image_template_id": None},
        {"status": ["over"], "image_template_id": "/subscriptions/s"},
    ],
)
def test_incomplete_payload(payload: dict[str, object]) -> None:
    """An event without a known status or without its image template is an error of watching."""
    with pytest.raises(ImageRunWatchError):
        RunEvent.from_payload(payload)


def test_message_of_a_foreign_payload_is_shown() -> None:
    """The message of an event that is not ours stands in the error."""
    with pytest.raises(ImageRunWatchError, match="Trigger timeout"):
        RunEvent.from_payload({"status": "error", "message": "Trigger timeout"})
