from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from aib_emulator.env_file import write_env_file

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = {"A": "plain", "B": """quoted ' and " and $HOME"""}


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
