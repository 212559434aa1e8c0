"""What is running in a folder, written down so that another process can find it, show it and end it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.programs import Program

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class State:
    """Describe the stack that was started in a folder.

    :param url: the address of Airflow's UI and REST API.
    :param user: whom to sign in as.
    :param password: that user's password.
    :param programs: what was started, in that order.
    :param starter: the process that has started it, and may still be at it.
    """

    url: str
    user: str
    password: str
    programs: tuple[Program, ...]
    starter: Program


def write_state(folder: Path, state: State) -> None:
    """Write the state file, readable for its owner only, in one step: a reader never sees half of it."""
    data = {
        "url": state.url,
        "user": state.user,
        "password": state.password,
        "programs": [program.to_json() for program in state.programs],
        "starter": state.starter.to_json(),
    }
    draft = _file(folder).with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(data, indent=1), encoding="utf-8")
    draft.replace(_file(folder))


def read_state(folder: Path) -> State | None:
    """Return what was started in the folder and not ended since, or None."""
    try:
        data = json.loads(_file(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    programs = tuple(Program.from_json(program) for program in data["programs"])
    return State(data["url"], data["user"], data["password"], programs, Program.from_json(data["starter"]))


def forget_state(folder: Path) -> None:
    """Remove the state file: nothing of it runs any more."""
    _file(folder).unlink(missing_ok=True)


def _file(folder: Path) -> Path:
    return folder / "state.json"
