from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from aib_emulator import azurite_install
from aib_emulator.azurite_install import AzuriteInstallError, azurite_program, install, is_installed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Make a folder that looks like an install of the pinned lock."""
    program = tmp_path / azurite_install.PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text("")
    (tmp_path / azurite_install.INSTALLED_MARK).write_text(azurite_install._pinned_digest())
    return tmp_path


def test_install_at_the_pinned_lock_is_left_alone(installed: Path) -> None:
    """A folder that holds the pinned versions is not installed again."""
    assert install(installed) is False


def test_program_is_found_in_an_install(installed: Path) -> None:
    """The program of a good install is what gets started."""
    assert azurite_program(installed) == installed / azurite_install.PROGRAM


def test_install_of_another_lock_does_not_count(installed: Path) -> None:
    """An install made from an older lock file is not taken for the pinned one."""
    (installed / azurite_install.INSTALLED_MARK).write_text("0" * 64)
    assert not is_installed(installed)


def test_half_an_install_does_not_count(installed: Path) -> None:
    """A marked folder without the program is not an install."""
    shutil.rmtree(installed / "node_modules")
    assert not is_installed(installed)


def test_missing_install_names_the_command(tmp_path: Path) -> None:
    """Whoever starts without an install is told which command makes one."""
    with pytest.raises(AzuriteInstallError, match="aib-emulator install-azurite"):
        azurite_program(tmp_path / "nothing")
