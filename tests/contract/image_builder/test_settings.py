"""What an emulator answers when it is told to be other than recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.contract.image_builder.calls import ONE, document
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def raw() -> Iterator[RawArm]:
    """Start an emulator that asks for patience, and stop its clock."""
    settings = EmulatorSettings(retry_after=1, vhd_size_bytes=MEBIBYTE, vhd_allocated_bytes=MEBIBYTE)
    with EmulatorThread(settings) as thread:
        thread.control.set_scale(0)
        yield RawArm(thread)


def test_retry_after_comes_with_what_is_not_over(raw: RawArm) -> None:
    """On demand the first answer and each poll ask for patience, the last poll does not."""
    raw.thread.control.reset()
    raw.thread.control.set_scale(0)
    accepted = raw.send("PUT", ONE, document(raw.settings.subscription_id))
    url = accepted.headers["Azure-AsyncOperation"]
    assert (accepted.headers["Retry-After"], raw.send("GET", url).headers["Retry-After"]) == ("1", "1")
    raw.thread.control.advance(60)
    assert "Retry-After" not in raw.send("GET", url).headers
