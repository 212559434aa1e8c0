from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest

from demo.__main__ import main
from demo.programs import Program, this_process
from demo.state import State, write_state

if TYPE_CHECKING:
    from pathlib import Path


def state_of_this_process(folder: Path) -> State:
    """Return a state whose one program is this very process, so that it certainly runs."""
    program = Program("api-server", os.getpid(), psutil.Process().create_time(), folder / "api-server.log")
    return State("http://127.0.0.1:1", "demo", "made up", (program,), this_process())


def test_status_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing runs, `status` says so and is no success."""
    assert main(["status", "--folder", str(tmp_path)]) == 1
    assert "nothing is running" in capsys.readouterr().out


def test_down_where_nothing_runs_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`down` may be called at any time."""
    assert main(["down", "--folder", str(tmp_path)]) == 0
    assert "nothing is running" in capsys.readouterr().out


def test_status_says_how_to_sign_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What runs, where, and with which password is told again."""
    write_state(tmp_path, state_of_this_process(tmp_path))

    assert main(["status", "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "api-server" in told
    assert "http://127.0.0.1:1" in told
    assert "Sign in as demo with password made up" in told


def test_up_starts_nothing_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second `up` only tells where the first one runs."""
    write_state(tmp_path, state_of_this_process(tmp_path))

    assert main(["up", "--folder", str(tmp_path)]) == 0
    assert "running already" in capsys.readouterr().out


def test_an_unknown_command_is_refused() -> None:
    """There are four commands."""
    with pytest.raises(SystemExit):
        main(["start"])
