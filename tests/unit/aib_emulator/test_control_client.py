from __future__ import annotations

import io
from email.message import Message
from urllib.error import HTTPError

import pytest

from aib_emulator.control_client import ControlError


def refusal(body: bytes) -> HTTPError:
    """Return what `urllib` raises for an answer with that body."""
    return HTTPError("https://localhost/_emulator/failures", 400, "Bad Request", Message(), io.BytesIO(body))


def test_a_refusal_says_why() -> None:
    """Status, code and message of the control door's answer are in the error and in its text."""
    error = ControlError(refusal(b'{"error": {"code": "BadRequest", "message": "name=\'x\': use one of a, b."}}'))

    assert (error.code, error.error_code, error.message) == (400, "BadRequest", "name='x': use one of a, b.")
    assert str(error) == "HTTP 400 BadRequest: name='x': use one of a, b."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"no JSON", "HTTP 400 no JSON"),
        (b'{"error": "text"}', 'HTTP 400 {"error": "text"}'),
        (b"[]", "HTTP 400 []"),
        (b"", "HTTP 400 Bad Request"),
    ],
)
def test_a_refusal_of_another_form(body: bytes, text: str) -> None:
    """What is no error in Azure's form is shown as it came; what is empty, by the status."""
    assert str(ControlError(refusal(body))) == text
