from __future__ import annotations

import json

from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import NOT_YET, LastRunStatus

TEMPLATE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.VirtualMachineImages/imageTemplates/t"
FIRST = "2023-08-29T06:38:40.04274578Z"
SECOND = "2023-08-29T09:00:00.1Z"
THIRD = "2023-08-29T12:00:00.1Z"


def handle(previous: str | None = None, start: str | None = None) -> ImageRunHandle:
    """Build a handle."""
    return ImageRunHandle(TEMPLATE, "2023-08-29T08:59:59+00:00", previous, start)


def status(start_time: str) -> LastRunStatus:
    """Build the status of a run that started then."""
    return LastRunStatus("Running", "Building", start_time, None, "")


def test_no_status_is_no_match() -> None:
    """Without a status nothing is known of the run."""
    assert not handle().matches(None)


def test_first_run_ever() -> None:
    """Where no run came before, the first status is ours."""
    assert handle().matches(status(FIRST))


def test_status_of_the_run_before() -> None:
    """The status may still describe the previous run, which is not ours."""
    assert not handle(previous=FIRST).matches(status(FIRST))
    assert handle(previous=FIRST).matches(status(SECOND))


def test_once_joined_only_that_run_matches() -> None:
    """When the start time is known, a later run is somebody else's."""
    joined = handle(previous=FIRST).joined_to(status(SECOND))

    assert joined.matches(status(SECOND))
    assert not joined.matches(status(THIRD))
    assert not joined.matches(status(FIRST))


def test_a_run_that_has_not_started_is_not_recognised() -> None:
    """Go's zero time identifies no run."""
    assert not handle(previous=FIRST).matches(status(NOT_YET))


def test_nanoseconds_tell_runs_apart() -> None:
    """Two start times that are equal to the microsecond are still two runs."""
    assert not handle(start="2023-08-29T06:38:40.042745781Z").matches(status("2023-08-29T06:38:40.042745782Z"))


def test_handle_travels_as_json() -> None:
    """A handle survives JSON, and a member of a later release does no harm."""
    original = handle(previous=FIRST, start=SECOND)
    travelled = json.loads(json.dumps(original.to_json())) | {"a_later_member": 1}

    assert ImageRunHandle.from_json(travelled) == original


def test_handle_of_an_earlier_release() -> None:
    """What an earlier release wrote may lack the members that have defaults."""
    read = ImageRunHandle.from_json({"image_template_id": TEMPLATE, "submit_time": "t"})

    assert read == ImageRunHandle(TEMPLATE, "t", None, None)
