from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from aib_emulator.arm.operations import Operation, Operations, compute_body, image_builder_body, operation_url

START = datetime(2023, 5, 25, 7, 59, 9, 447188, UTC)
END = START + timedelta(seconds=11.3)
ID = "0000000a-0000-0000-0000-000000000003"


def test_an_operation_in_progress_as_image_builder_words_it() -> None:
    """The name is the id in upper case, the time has seven digits and Z, and there is nothing else."""
    body = image_builder_body(Operation(ID, START), START)
    assert list(body) == ["name", "status", "startTime"]
    assert (body["name"], body["status"]) == (ID.upper(), "InProgress")
    assert body["startTime"].startswith("2023-05-25T07:59:09.447188")
    assert len(body["startTime"]) == len("2023-05-25T07:59:09.4471884Z")


def test_a_finished_operation_as_image_builder_words_it() -> None:
    """The end adds an end time, in this order."""
    operation = Operation(ID, START)
    operation.end(END)
    body = image_builder_body(operation, END)
    assert list(body) == ["name", "status", "startTime", "endTime"]
    assert body["status"] == "Succeeded"


def test_an_end_ahead_is_not_shown_before_its_time() -> None:
    """An operation whose end is fixed still says InProgress until then."""
    operation = Operation(ID, START)
    operation.end(END)
    assert image_builder_body(operation, END - timedelta(microseconds=1))["status"] == "InProgress"


def test_a_failed_operation_carries_its_error() -> None:
    """A bad end holds code and message."""
    operation = Operation(ID, START)
    operation.end(END, "Failed", {"code": "PackerBuildFailed", "message": "m"})
    assert image_builder_body(operation, END)["error"] == {"code": "PackerBuildFailed", "message": "m"}


def test_compute_words_it_otherwise() -> None:
    """Compute writes the name last and in lower case, and its times with an offset."""
    operation = Operation(ID, START)
    operation.end(END)
    body = compute_body(operation, END)
    assert list(body) == ["startTime", "endTime", "status", "name"]
    assert body["name"] == ID
    assert body["endTime"].endswith("+00:00")


def test_operations_are_found_in_any_casing() -> None:
    """Clients may write the upper-case name of an answer into an address."""
    operations = Operations(lambda: ID)
    assert operations.start(START) is operations.find(ID.upper())


def test_poll_addresses_are_signed_for_each_header() -> None:
    """The two headers of one answer name one operation with different signatures, in about three kilobytes."""
    urls = [
        operation_url("https://arm", f"/operations/{ID}", "2025-10-01", START, header=header)
        for header in ("Azure-AsyncOperation", "Location")
    ]
    queries = [parse_qs(urlsplit(url).query) for url in urls]
    assert queries[0]["s"] != queries[1]["s"]
    assert queries[0]["c"] == queries[1]["c"]
    assert all(set(query) == {"api-version", "t", "c", "s", "h"} for query in queries)
    assert all(2900 < len(url) < 3200 for url in urls)


def test_the_oldest_operations_are_forgotten() -> None:
    """Beyond a number the oldest that are over go; what is in progress stays."""
    operations = Operations(kept=2)
    open_one, over, newest = (operations.start(START) for _ in range(3))
    over.end(START)
    latest = operations.start(END)
    assert operations.find(over.operation_id) is None
    assert all(operations.find(kept.operation_id) is kept for kept in (open_one, newest, latest))
