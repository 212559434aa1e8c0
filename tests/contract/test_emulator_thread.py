from __future__ import annotations

import threading

import psutil
import pytest

from aib_emulator.server import EmulatorStartError, EmulatorThread


def test_a_start_that_takes_too_long_leaves_nothing() -> None:
    """Thread and Azurite are ended when the emulator is not ready in time."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    threads = threading.active_count()
    with pytest.raises(EmulatorStartError, match="not ready within 0 s"), EmulatorThread(start_timeout=0):
        pass
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert threading.active_count() == threads
