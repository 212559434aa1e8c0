"""An emulator for az, with az signed in at it as the guide says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aib_emulator.env_file import write_env_file
from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.contract.clients.az_cli import Az

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "emulator.md"


@pytest.fixture(scope="session")
def signed_in_az(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """Start an emulator that answers az quickly, and carry out the guide's setup."""
    settings = EmulatorSettings(
        time_scale=400.0,
        retry_after=1,  # else az waits half a minute before it asks again
        vhd_size_bytes=64 * MEBIBYTE,
        vhd_allocated_bytes=MEBIBYTE,
        list_page_size=2,
    )
    with EmulatorThread(settings) as thread:
        az = Az(thread, tmp_path_factory.mktemp("az"))
        write_env_file(az.folder / "emulator.env", thread.env)
        (setup,) = re.findall(r"(?s)```sh\n(. \./emulator\.env\n.*?)```", GUIDE.read_text(encoding="utf-8"))
        done = az.shell(setup)
        assert done.returncode == 0, done.stderr
        yield az


@pytest.fixture
def az(signed_in_az: Az) -> Az:
    """Hand out az, with the emulator as it is at its start."""
    signed_in_az.thread.control.reset()
    return signed_in_az
