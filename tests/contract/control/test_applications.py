from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

APPLICATIONS = "/_emulator/applications"


@pytest.mark.parametrize(
    ("sent", "code"),
    [({"secret": "s3cret-text"}, "UnknownMember"), ({"client_secret": ["s3cret-text"]}, "InvalidMember")],
)
def test_a_senseless_application_is_refused(emulator: EmulatorThread, sent: dict[str, Any], code: str) -> None:
    """An unknown member and one of the wrong kind are named, and what was sent in them is not."""
    raw = RawArm(emulator)
    answer = raw.session.post(f"{raw.url}{APPLICATIONS}", json=sent, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert next(iter(sent)) in answer.text
    assert "s3cret-text" not in answer.text
