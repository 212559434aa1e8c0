from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.run_status import (
    FINAL_RUN_STATES,
    NOT_YET,
    LastRunStatus,
    RunState,
    parse_service_time,
    read_last_run_status,
)
from tests.reference_files import answered_body


def body(**last_run_status: object) -> dict[str, object]:
    """Build an image template with a last run."""
    return {"properties": {"provisioningState": "Succeeded", "lastRunStatus": last_run_status}}


def status(run_state: str, run_sub_state: str | None = None) -> LastRunStatus:
    """Build a status."""
    return LastRunStatus(run_state, run_sub_state, "2023-08-29T06:38:40.04274578Z", None, "")


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2023-05-25T07:59:42.169984039Z", 169984),
        ("2023-08-29T06:38:40.04274578Z", 42745),
        ("2023-05-25T07:59:09.4471884Z", 447188),
        ("2023-05-25T07:59:09.5Z", 500000),
        ("2023-05-25T07:59:09Z", 0),
        ("2025-11-16T23:28:15.9869002+00:00", 986900),
    ],
)
def test_times_of_any_precision(text: str, microsecond: int) -> None:
    """The service writes none to nine fractional digits; we keep microseconds and cut the rest."""
    moment = parse_service_time(text)

    assert moment is not None
    assert moment.microsecond == microsecond
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("text", [None, "", NOT_YET, "0001-01-01T00:00:00.000000000Z", "0001-01-01T00:00:00+00:00"])
def test_not_yet_is_no_time(text: str | None) -> None:
    """Absent, empty, and Go's zero time in any spelling mean "not yet"."""
    assert parse_service_time(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2023-13-01T00:00:00Z",
        "2023-01-01",
        "2023-01-01T25:00:00Z",
        "2023-01-01T00:00:00+99:99",
        "9999-12-31T23:59:59-23:59",
        "\uff12\uff10\uff12\uff13-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """A text that is no time gives None; the verbatim text stays the run's identity."""
    assert parse_service_time(text) is None


def test_offsets_are_brought_to_utc() -> None:
    """A time with an offset is the same instant in UTC."""
    assert parse_service_time("2023-01-01T01:30:00-05:30") == datetime(2023, 1, 1, 7, 0, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(2, 1, 1)), st.integers(0, 9))  # noqa: DTZ001 - the zone is written below
def test_reading_what_go_writes(moment: datetime, digits: int) -> None:
    """Whatever the number of digits, with trailing zeros trimmed as Go does, the microseconds survive."""
    fraction = f"{moment.microsecond:06d}000"[:digits].rstrip("0")
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{fraction}" if fraction else "") + "Z"

    expected = moment.replace(microsecond=int(fraction.ljust(6, "0")[:6] or 0), tzinfo=UTC)
    assert parse_service_time(text) == expected


@given(st.text())
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    """Any text is read as a time or as none, without an error."""
    moment = parse_service_time(text)
    assert moment is None or moment.tzinfo is UTC


def test_first_run_not_yet() -> None:
    """Before its first run an image template has no status."""
    assert read_last_run_status({"properties": {"provisioningState": "Succeeded"}}) is None
    assert read_last_run_status({"properties": {"lastRunStatus": None}}) is None
    assert read_last_run_status({}) is None


def test_running() -> None:
    """A running build has a phase, no end, and is not over."""
    read = read_last_run_status(
        body(startTime="2023-08-29T06:38:40.04274578Z", endTime=NOT_YET, runState="Running", runSubState="Building")
    )

    assert read == LastRunStatus("Running", "Building", "2023-08-29T06:38:40.04274578Z", None, "")
    assert read.phase == "Running/Building"
    assert not read.is_over
    assert read.ended_at is None


def test_over() -> None:
    """A finished build has an end and no phase, and its start time stays as Azure wrote it."""
    read = read_last_run_status(
        body(startTime="2022-08-22T08:56:16.066095825Z", endTime="2022-08-22T09:17:08.729649451Z", runState="Succeeded")
    )

    assert read is not None
    assert read.start_time == "2022-08-22T08:56:16.066095825Z"
    assert read.phase == "Succeeded"
    assert read.started_at is not None
    assert read.ended_at is not None
    assert read.ended_at - read.started_at > timedelta(minutes=20)


@pytest.mark.parametrize("state", list(RunState))
def test_which_states_are_final(state: RunState) -> None:
    """Succeeded, partly succeeded, failed and canceled are over; running and canceling are not."""
    assert status(state).is_over == (state not in {RunState.RUNNING, RunState.CANCELING})
    assert status(state).is_over == (state in FINAL_RUN_STATES)


@pytest.mark.parametrize("state", list(RunState))
def test_only_succeeded_is_success(state: RunState) -> None:
    """A partial success is over and is no success."""
    assert status(state).has_succeeded == (state is RunState.SUCCEEDED)


def test_unknown_states_are_not_an_end() -> None:
    """A state that we do not know is kept and watched on."""
    read = read_last_run_status(body(startTime="2022-08-22T08:56:16Z", runState="Hibernating", runSubState="Napping"))

    assert read is not None
    assert read.phase == "Hibernating/Napping"
    assert not read.is_over


def test_status_travels_as_json() -> None:
    """A status survives JSON, and a member of a later release does no harm."""
    original = LastRunStatus("Failed", None, "2022-08-22T08:56:16.066095825Z", "2022-08-22T09:17:08Z", "why")
    travelled = json.loads(json.dumps(original.to_json())) | {"a_later_member": 1}

    assert LastRunStatus.from_json(travelled) == original


@pytest.mark.parametrize(
    ("name", "phase", "is_over"),
    [
        ("get-template-queued", "Running/Queued", False),
        ("get-template-building", "Running/Building", False),
        ("get-template-run-succeeded", "Succeeded", True),
        ("get-template-run-failed", "Failed", True),
        ("get-template-canceling", "Canceling", False),
    ],
)
def test_recorded_statuses(name: str, phase: str, is_over: bool) -> None:
    """Each recorded status is read as what it is."""
    read = read_last_run_status(answered_body(name))

    assert read is not None
    assert (read.phase, read.is_over) == (phase, is_over)
    assert read.started_at is not None


def test_recorded_list_has_a_canceled_run() -> None:
    """In a recorded list a canceled run has an end and its message."""
    (item,) = answered_body("list-templates-canceled")["value"]
    read = read_last_run_status(item)

    assert read is not None
    assert (read.run_state, read.message, read.is_over) == ("Canceled", "The build was canceled", True)


def test_recorded_template_without_run() -> None:
    """A recorded template that never ran has no status."""
    assert read_last_run_status(answered_body("get-template-created")) is None


def test_a_signature_in_the_message_is_never_read() -> None:
    """The service quotes the address of a script that it cannot load, and anybody may read a status."""
    words = "Failed to download https://s.blob.core.windows.net/scripts/a.sh?sv=2021&sig=abc%2Fdef: 403"
    read = read_last_run_status({"properties": {"lastRunStatus": {"runState": "Failed", "message": words}}})

    assert read is not None
    assert "abc" not in read.message
    assert read.message.startswith("Failed to download https://s.blob.core.windows.net/scripts/a.sh?")
