"""What an emulator answers when it is told to be other than recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.contract.image_builder.calls import ONE, create, document, last_run_status
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def raw() -> Iterator[RawArm]:
    """Start an emulator that asks for patience and shows every sub-state, and stop its clock."""
    settings = EmulatorSettings(
        retry_after=1, all_run_sub_states=True, vhd_size_bytes=MEBIBYTE, vhd_allocated_bytes=MEBIBYTE
    )
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


def test_every_sub_state_shows(raw: RawArm) -> None:
    """On demand a run shows Customizing, Optimizing and Validating too."""
    raw.thread.control.reset()
    raw.thread.control.set_scale(0)
    validator = {"type": "Shell", "name": "v", "inline": ["true"]}
    create(raw, optimize={"vmBoot": {"state": "Enabled"}}, validate={"inVMValidations": [validator]})
    raw.send("POST", f"{ONE}/run")
    seen: list[str | None] = []
    for _ in range(120):
        sub_state = last_run_status(raw).get("runSubState")
        if sub_state not in seen[-1:]:
            seen.append(sub_state)
        raw.thread.control.advance(5)
    expected = ["Queued", "Building", "Customizing", "Optimizing", "Building", "Validating", "Distributing", None]
    assert seen == expected
