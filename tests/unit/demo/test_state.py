from __future__ import annotations

import stat
from pathlib import Path

from demo.programs import Program
from demo.state import State, forget_state, read_state, write_state

EMULATOR = Program("emulator", 7, 1.5, Path("logs/emulator.log"))
STATE = State("http://127.0.0.1:1", "demo", "made up", (EMULATOR,), Program("starter", 6, 1.25, Path("/dev/null")))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Another process learns what runs, where, and how to sign in."""
    write_state(tmp_path, STATE)

    assert read_state(tmp_path) == STATE


def test_the_state_file_is_private(tmp_path: Path) -> None:
    """The file holds a password: only its owner reads it."""
    write_state(tmp_path, STATE)

    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_nothing_runs_where_nothing_is_written(tmp_path: Path) -> None:
    """A folder without a state file has nothing running."""
    assert read_state(tmp_path) is None


def test_a_forgotten_state_is_gone(tmp_path: Path) -> None:
    """After the end there is no state, and forgetting it again is no error."""
    write_state(tmp_path, STATE)
    forget_state(tmp_path)
    forget_state(tmp_path)

    assert read_state(tmp_path) is None
