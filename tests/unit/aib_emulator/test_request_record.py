from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.request_record import RecordedRequest, RequestFilter, RequestFilterError, RequestRecord, counted


class FakeTls:
    """Stand for the TLS side of one connection."""

    def __init__(self, *, session_reused: bool = False) -> None:
        self.session_reused = session_reused


def asked(method: str = "GET", path: str = "/a", **more: Any) -> RecordedRequest:
    """Return one call."""
    usual = {"client": "sdk/1", "status": 200, "time": "now", "application_id": "app-1"}
    return RecordedRequest(method=method, path=path, **{**usual, **more})


CALLS = [
    asked(),
    asked("POST", "/a/run", status=504),
    asked(path="/B", client="azcopy/10", status=404, application_id="", endpoint="blob"),
]


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        ({}, [0, 1, 2]),
        ({"method": "get"}, [0, 2]),
        ({"path": "^/a"}, [0, 1]),
        ({"path": "b$"}, [2]),
        ({"client": "AZCOPY"}, [2]),
        ({"client": "app-1"}, [0, 1]),
        ({"status": "404"}, [2]),
        ({"status": "5xx"}, [1]),
        ({"endpoint": "blob"}, [2]),
        ({"method": "GET", "status": "2xx"}, [0]),
    ],
)
def test_calls_can_be_picked_out(wanted: dict[str, str], fitting: list[int]) -> None:
    """Every condition must fit; expressions fit in any casing."""
    record = RequestRecord()
    for call in CALLS:
        record.add(call)
    assert record.fitting(RequestFilter(**wanted)) == [CALLS[at] for at in fitting]


@pytest.mark.parametrize(
    "wrong", [{"path": "("}, {"client": "["}, {"path": "[[a]"}, {"status": "many"}, {"status": "9xx"}]
)
def test_senseless_filters_are_refused(wrong: dict[str, str]) -> None:
    """A filter that fits nothing by mistake is told."""
    with pytest.raises(RequestFilterError):
        RequestFilter(**wrong)


def test_calls_can_be_counted() -> None:
    """The most frequent kind comes first; an unknown kind is told."""
    assert counted([*CALLS, asked()], "method") == {"GET": 3, "POST": 1}
    assert counted(CALLS, "status") == {"200": 1, "504": 1, "404": 1}
    with pytest.raises(RequestFilterError, match="use one of call, client"):
        counted(CALLS, "colour")


def test_only_the_last_calls_are_kept() -> None:
    """However much is asked, the record has its size, and says how many calls it has forgotten."""
    record = RequestRecord(kept=10)
    for number in range(25):
        record.add(asked(path=f"/{number}"))
    assert [call.path for call in record.all()] == [f"/{number}" for number in range(15, 25)]
    assert record.forgotten() == 15
    record.clear()
    assert (record.all(), record.forgotten()) == ([], 0)


def test_connections_are_counted_once() -> None:
    """A connection counts with its first call, for its endpoint, and not anew when the record is cleared."""
    record, first, second = RequestRecord(), FakeTls(), FakeTls(session_reused=True)
    for connection in (first, first, second, None):
        record.add(asked(), connection)
    record.add(asked(endpoint="blob"), blob := FakeTls())
    counts = record.connections()
    assert counts["arm"] == {"connections": 2, "full_handshakes": 1, "resumed_handshakes": 1}
    assert counts["blob"]["connections"] == 1
    record.clear()
    record.add(asked(endpoint="blob"), blob)
    assert record.connections()["blob"]["connections"] == 0


def test_token_requests_are_counted() -> None:
    """Only what asks for a token counts."""
    record = RequestRecord()
    record.add(asked("POST", "/t/oauth2/v2.0/token"), is_sign_in=True)
    record.add(asked("POST", "/imageTemplates/token"))
    assert record.connections()["token_requests"] == 1
