"""An emulator for az, started as users start it, with az signed in at it as the guide says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.clients.az_cli import Az
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "emulator.md"
OPTIONS = ("--time-scale", "400", "--vhd-size-mib", "8", "--list-page-size", "2", "--retry-after", "1")
"""The last of them because az waits half a minute otherwise before it asks again."""


@pytest.fixture(scope="session")
def signed_in_az(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """Start an emulator that answers az quickly, and carry out the guide's setup with the file that it has written."""
    folder = tmp_path_factory.mktemp("az")
    with served(folder, *OPTIONS, env_file="emulator.env") as emulator:
        az = Az(emulator.environment, folder)
        (setup,) = re.findall(r"(?s)```sh\n(. \./emulator\.env\naz .*?)```", GUIDE.read_text(encoding="utf-8"))
        done = az.shell(setup)
        assert done.returncode == 0, done.stderr
        yield az


@pytest.fixture
def az(signed_in_az: Az) -> Az:
    """Hand out az, with the emulator as it is at its start."""
    signed_in_az.control.reset()
    return signed_in_az
