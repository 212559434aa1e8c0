from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from aib_emulator.env_file import earlier_taken_away, write_env_file
from aib_emulator.listening import PortTakenError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VARIABLES = {"A": "plain", "B": """quoted ' and " and $HOME"""}


def start_that_fails(file: Path, meanwhile: Callable[[], None]) -> None:
    """Start, do something, and find the port taken."""
    with earlier_taken_away(file):
        meanwhile()
        raise PortTakenError


def test_a_shell_reads_what_was_written(tmp_path: Path) -> None:
    """Sourcing the file gives every value back, whatever it holds."""
    write_env_file(tmp_path / "env", VARIABLES)
    script = f'. {tmp_path / "env"}; printf "%s" "$B"'
    assert subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout == VARIABLES["B"]


def test_programs_read_json(tmp_path: Path) -> None:
    """The JSON form holds the same variables."""
    write_env_file(tmp_path / "env.json", VARIABLES, "json")
    assert json.loads((tmp_path / "env.json").read_text()) == VARIABLES


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    """The file holds a secret: nobody else may read it."""
    write_env_file(tmp_path / "env", VARIABLES)
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


def test_variables_of_an_earlier_start_are_put_back_when_this_one_fails(tmp_path: Path) -> None:
    """They are away while it starts; they may be those of an emulator that runs, in whose way this one was."""
    file = tmp_path / "env"
    write_env_file(file, {"A": "earlier"})
    seen: list[bool] = []
    with pytest.raises(PortTakenError):
        start_that_fails(file, lambda: seen.append(file.exists()))
    assert seen == [False]
    assert (file.read_text(), file.stat().st_mode & 0o077) == ("export A=earlier\n", 0)


def test_variables_of_an_earlier_start_stay_away(tmp_path: Path) -> None:
    """Once there are others, or the start was broken off in peace, they do not come back."""
    file = tmp_path / "env"
    write_env_file(file, {"A": "earlier"})
    with pytest.raises(PortTakenError):
        start_that_fails(file, lambda: write_env_file(file, {"A": "now"}))
    assert file.read_text() == "export A=now\n"
    with earlier_taken_away(file):
        pass
    with earlier_taken_away(file), earlier_taken_away(None):
        assert not file.exists()
