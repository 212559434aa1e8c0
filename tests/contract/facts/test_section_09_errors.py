"""Envelopes and codes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def test_an_unknown_provider_is_refused(raw: RawArm) -> None:
    """A provider that there is not has a code of its own."""
    answer = raw.send("GET", "/providers/Microsoft.Nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "InvalidResourceNamespace")
