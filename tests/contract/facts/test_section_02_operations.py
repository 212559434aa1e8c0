"""Long-running operations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.facts.calls_of_facts import BOTH, CALLS, SOURCE_IMAGE, TRIGGER, answers
from tests.contract.image_builder.calls import ONE, create, document, last_run_status, to_managed_image

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

SECONDS = {"put": 11.3, "put trigger": 1.6, "delete trigger": 0.7, "delete": 78.1}


@pytest.mark.parametrize("name", CALLS)
def test_each_call_answers_as_recorded(raw: RawArm, name: str) -> None:
    """Each call has its status, leads to an operation by the recorded headers, and shows it or nothing."""
    _, _, status, headers = CALLS[name]
    answer = answers(raw)[name]
    assert answer.status_code == status
    assert tuple(header for header in BOTH if header in answer.headers) == headers
    assert (answer.content != b"") == (status in {200, 201})


def test_addresses_are_long_and_differ(raw: RawArm) -> None:
    """An address is of about 3 kB; those of one answer name one operation and differ in t, s and h."""
    headers = answers(raw)["run"].headers
    urls = [headers[header] for header in BOTH]
    assert all(2800 < len(url) < 3300 for url in urls)
    first, second = (parse_qs(urlsplit(url).query) for url in urls)
    assert urlsplit(urls[0]).path == urlsplit(urls[1]).path
    assert {name for name in first if first[name] != second[name]} == {"t", "s", "h"}
    assert first["api-version"] == second["api-version"] == ["2025-10-01"]


def test_times_of_operations_have_seven_digits(raw: RawArm) -> None:
    """Start and end are written to a tenth of a microsecond, in UTC, after the id in capitals."""
    answer = answers(raw)["put"]
    body = raw.send("GET", answer.headers["Azure-AsyncOperation"]).json()
    assert list(body) == ["name", "status", "startTime", "endTime"]
    assert body["name"] == answer.headers["x-ms-request-id"].upper()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", body[name]) for name in ("startTime", "endTime"))


def test_a_failed_operation_is_answered_with_200(raw: RawArm) -> None:
    """The failure stands in the body, with code and message."""
    raw.thread.control.plan_failure(kind="creation")
    operation = raw.send("PUT", ONE, document(raw.settings.subscription_id)).headers["Azure-AsyncOperation"]
    raw.thread.control.advance(60)
    answer = raw.send("GET", operation)
    assert answer.status_code == 200
    assert list(answer.json()) == ["name", "status", "startTime", "endTime", "error"]
    assert (answer.json()["status"], answer.json()["error"]["code"]) == ("Failed", "InternalOperationError")


def seconds_of(raw: RawArm, operation: str) -> float:
    """Return how long an operation took, by its own times."""
    body = raw.send("GET", operation).json()
    start, end = (datetime.fromisoformat(body[name]) for name in ("startTime", "endTime"))
    return round((end - start).total_seconds(), 1)


@pytest.mark.parametrize("name", SECONDS)
def test_operations_take_as_long_as_measured(raw: RawArm, name: str) -> None:
    """Creation, deletion and triggers take the recorded seconds."""
    answer = answers(raw)[name]
    raw.thread.control.advance(100)
    assert seconds_of(raw, answer.headers["Azure-AsyncOperation"]) == SECONDS[name]


def test_a_creation_from_a_gallery_takes_longer(raw: RawArm) -> None:
    """With a gallery version as the source a creation takes 35.8 s, whatever becomes of it."""
    version = f"/subscriptions/{raw.settings.subscription_id}/resourceGroups/images/providers/Microsoft.Compute"
    source = {
        "type": "SharedImageVersion",
        "imageVersionId": f"{version}/galleries/corp/images/linux-base/versions/1.0.0",
    }
    body = document(raw.settings.subscription_id, source=source)
    operation = raw.send("PUT", ONE, body).headers["Azure-AsyncOperation"]
    raw.thread.control.advance(60)
    assert seconds_of(raw, operation) == 35.8


def test_a_run_starts_before_its_operation(raw: RawArm) -> None:
    """A run takes 429 s; it starts some hundredths of a second before its operation and ends 1.5 s before that does."""
    create(raw, distribute=[to_managed_image(raw.settings.subscription_id)])
    operation = raw.send("POST", f"{ONE}/run").headers["Azure-AsyncOperation"]
    raw.thread.control.advance(500)
    run, body = last_run_status(raw), raw.send("GET", operation).json()
    start, end = (datetime.fromisoformat(run[name][:26] + "+00:00") for name in ("startTime", "endTime"))
    ahead = (datetime.fromisoformat(body["startTime"]) - start).total_seconds()
    behind = (datetime.fromisoformat(body["endTime"]) - end).total_seconds()
    assert (0 < ahead < 0.1, 1.4 < behind < 1.6) == (True, True)
    assert round((end - start).total_seconds()) == 429


def test_a_trigger_is_there_after_its_operation(raw: RawArm) -> None:
    """After Succeeded the resource itself is read."""
    create(raw)
    raw.send("PUT", TRIGGER, SOURCE_IMAGE)
    raw.thread.control.advance(2)
    assert raw.send("GET", TRIGGER).json()["properties"]["provisioningState"] == "Succeeded"
