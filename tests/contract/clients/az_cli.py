"""The az command line, unmodified, as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

PROGRAM = Path(sys.prefix) / "share" / "clients" / "az" / "bin" / "az"
TIMEOUT = 120.0
GROUP = ("--resource-group", "images")
NEEDS_AZ = [
    pytest.mark.az,
    pytest.mark.skipif(not PROGRAM.is_file(), reason="az is not installed; `make clients` does it"),
]


@dataclass(frozen=True)
class Refused:
    """Say how a command failed.

    :param exit_code: 1, or 3 when something is missing
    :param message: what it wrote to standard error
    """

    exit_code: int
    message: str


class Az:
    """Give commands to az with the variables that an emulator hands out, and no others.

    :param thread: the emulator
    :param folder: the working directory, and home of whatever az keeps outside of its configuration
    """

    def __init__(self, thread: EmulatorThread, folder: Path) -> None:
        self.thread = thread
        self.folder = folder
        self.subscription_id = thread.emulator.settings.subscription_id
        self.environment = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": str(folder), **thread.env}

    def __call__(self, *command: str) -> Any:
        """Return what a command prints, which has to be JSON or nothing."""
        done = self._run(*command)
        assert done.returncode == 0, f"az {' '.join(command)}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *command: str) -> Refused:
        """Return how a command fails."""
        done = self._run(*command)
        assert done.returncode != 0, f"az {' '.join(command)}\n{done.stdout}"
        return Refused(done.returncode, done.stderr)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script that calls az."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def write(self, name: str, document: Any) -> str:
        """Write a file for a command to read, and return its path."""
        file = self.folder / name
        file.write_text(document if isinstance(document, str) else json.dumps(document, indent=2))
        return str(file)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *command, "--output", "json"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
