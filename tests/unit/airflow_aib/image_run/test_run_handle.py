from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
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
    original = replace(
        handle(previous=FIRST, start=SECOND), ownership=RunOwnership.FOREIGN, asked_at="2023-08-29T08:59:59+00:00"
    )
    travelled = json.loads(json.dumps(original.to_json())) | {"a_later_member": 1}

    assert ImageRunHandle.from_json(travelled) == original


def test_handle_of_an_earlier_release() -> None:
    """What an earlier release wrote may lack the members that have defaults."""
    read = ImageRunHandle.from_json({"image_template_id": TEMPLATE, "submit_time": "t"})

    assert read == ImageRunHandle(TEMPLATE, "t", None, None)


def test_asking_again_is_asking_later() -> None:
    """What has passed by our clock is added to the service's time, which may differ from ours."""
    again_at = datetime(2023, 8, 29, 10, 2, tzinfo=UTC)
    asked = replace(
        handle(previous=FIRST), submit_time="2023-08-29T10:00:00+00:00", asked_at="2023-08-29T08:00:00+00:00"
    )

    again = asked.asked_again(again_at)

    assert again == replace(asked, submit_time=again_at.isoformat(), asked_at="2023-08-29T08:02:00+00:00")
    assert replace(asked, asked_at=None).asked_again(again_at) == replace(again, asked_at=None)


@pytest.mark.parametrize(
    ("ownership", "asked_at", "start_time", "is_ours"),
    [
        (RunOwnership.UNCONFIRMED, "2023-08-29T08:59:59+00:00", SECOND, True),
        (RunOwnership.UNCONFIRMED, "2023-08-29T08:55:01+00:00", SECOND, True),
        (RunOwnership.UNCONFIRMED, "2023-08-29T08:54:59+00:00", SECOND, False),
        (RunOwnership.UNCONFIRMED, None, THIRD, True),
        # What Azure has accepted has begun already.
        (RunOwnership.OWN, "2023-08-29T09:00:01+00:00", SECOND, True),
        (RunOwnership.OWN, "2023-08-29T08:59:59+00:00", SECOND, True),
        (RunOwnership.OWN, "2023-08-29T08:58:59+00:00", SECOND, False),
        (RunOwnership.OWN, None, THIRD, True),
    ],
)
def test_what_begins_much_later_is_somebody_elses(
    ownership: RunOwnership, asked_at: str | None, start_time: str, *, is_ours: bool
) -> None:
    """What was asked for begins within minutes by the service's clock; a later run is not ours, and hides ours."""
    asked = replace(handle(previous=FIRST), ownership=ownership, asked_at=asked_at)

    assert asked.matches(status(start_time)) is is_ours
    assert asked.is_overtaken_by(status(start_time)) is not is_ours


@pytest.mark.parametrize(
    ("start", "shown", "is_overtaken"),
    [
        (SECOND, THIRD, True),
        (SECOND, SECOND, False),
        (SECOND, FIRST, False),
        (SECOND, None, False),
        (None, FIRST, False),
    ],
)
def test_a_later_run_hides_ours(start: str | None, shown: str | None, *, is_overtaken: bool) -> None:
    """Azure tells of the last run only."""
    ours = handle(previous=FIRST, start=start)

    assert ours.is_overtaken_by(status(shown) if shown else None) is is_overtaken


@pytest.mark.parametrize(
    ("start", "shown", "follows"),
    [
        (SECOND, FIRST, True),
        (SECOND, SECOND, False),
        (SECOND, THIRD, False),
        (SECOND, NOT_YET, False),
        (None, FIRST, False),
    ],
)
def test_a_run_that_was_seen_follows_the_ones_before(start: str | None, shown: str, *, follows: bool) -> None:
    """An answer that shows one of them is out of date."""
    assert handle(start=start).follows(status(shown)) is follows


def test_only_what_azure_has_accepted_is_certainly_ours() -> None:
    """An unanswered request and an adopted run give no leave to cancel anything."""
    asked = replace(handle(previous=FIRST), ownership=RunOwnership.UNCONFIRMED)

    assert not asked.is_own
    assert not asked.joined_to(status(SECOND)).is_own
    assert not replace(asked, ownership=RunOwnership.FOREIGN).is_own
    assert asked.accepted("2023-08-29T08:59:59+00:00").is_own


def test_without_a_time_azures_consent_is_not_enough() -> None:
    """What a run of much later cannot be told from is certainly ours only when its start has been seen."""
    accepted = replace(handle(previous=FIRST), ownership=RunOwnership.UNCONFIRMED).accepted(None)

    assert not accepted.is_own
    assert not accepted.joined_to(status(SECOND)).is_own
    assert accepted.confirmed_by(status(SECOND)) == replace(handle(previous=FIRST), start_time=SECOND)
