"""What the tests of facts start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Stop the emulator's clock, and speak to it without any SDK."""
    emulator.control.set_scale(0)
    return RawArm(emulator)
