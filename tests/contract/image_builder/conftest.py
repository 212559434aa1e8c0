"""What the tests of Image Builder start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import Builder
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud


@pytest.fixture
def builder(cloud: Cloud) -> Builder:
    """Make a client of Image Builder, synchronous and asynchronous in turn; a run takes a tenth of a second."""
    cloud.thread.control.set_scale(4000)
    return Builder(cloud)


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Stop the emulator's clock, and speak to it without any SDK."""
    emulator.control.set_scale(0)
    return RawArm(emulator)
