"""The emulator that tests talk to: one for each worker, put back to its start before each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import hypothesis
import pytest

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.app import Emulator

# How long an example takes says how busy the machine is, and nothing about the code.
hypothesis.settings.register_profile("airflow-aib", deadline=None)
hypothesis.settings.load_profile("airflow-aib")

# Airflow reads it once, when it is first imported: no test may touch the home of whoever runs the tests.
AIRFLOW_HOME = os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-aib-tests-")

EMULATED_SECONDS_PER_SECOND = 400.0
"""A creation takes 0.03 s, a run of seven minutes about 1 s."""


@pytest.fixture(scope="session")
def emulator_thread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    """Start one emulator, with its Azurite, for all tests of this worker."""
    settings = EmulatorSettings(
        data_dir=tmp_path_factory.mktemp("emulator"),  # so that a change which is not kept is found out
        time_scale=EMULATED_SECONDS_PER_SECOND,
        vhd_size_bytes=64 * MEBIBYTE,
        vhd_allocated_bytes=MEBIBYTE,
        list_page_size=2,  # so that whoever forgets to follow a link is found out
    )
    with EmulatorThread(settings) as thread:
        yield thread


@pytest.fixture
def emulator(emulator_thread: EmulatorThread) -> Iterator[EmulatorThread]:
    """Hand out the emulator as it is at its start; a fault that a test plans and never meets is the test's fault."""
    emulator_thread.control.reset()
    yield emulator_thread
    missed = [fault for fault in emulator_thread.control.pending_faults() if not fault["struck"]]
    assert not missed, f"planned faults that struck no call: {missed}"
    forgotten = emulator_thread.run(_forgotten(emulator_thread.emulator))
    assert not forgotten, f"changed without a word to the journal: {forgotten}"


async def _forgotten(emulator: Emulator) -> list[str]:
    await emulator.world.schedule.settle()
    return emulator.world.keeper.forgotten()


def pytest_unconfigure() -> None:
    """Leave no Airflow home behind."""
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)
