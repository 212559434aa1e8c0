"""The az command line, unmodified, as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.control_client import ControlClient
from tests.contract.needed import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(sys.prefix) / "share" / "clients" / "az" / "bin" / "az"
TIMEOUT = 120.0
GROUP = ("--resource-group", "images")
NEEDS_AZ = [pytest.mark.az, needs("az", "" if PROGRAM.is_file() else "az is not installed; `make clients` does it")]


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

    :param variables: what the emulator hands out
    :param folder: the working directory, and home of whatever az keeps outside of its configuration
    """

    def __init__(self, variables: Mapping[str, str], folder: Path) -> None:
        self.variables = variables
        self.folder = folder
        self.control = ControlClient(variables["AIB_EMULATOR_CONTROL"], Path(variables["SSL_CERT_FILE"]))
        self.environment = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": str(folder), **variables}

    @property
    def subscription_id(self) -> str:
        """The emulator's subscription."""
        return self.variables["AZURE_SUBSCRIPTION_ID"]

    @property
    def blob_url(self) -> str:
        """Address of the emulator's blobs."""
        return self.variables["AIB_EMULATOR_BLOB"]

    def signed_out(self, folder: Path) -> Az:
        """Return another one that knows the emulator's cloud, with a configuration of its own."""
        other = Az(self.variables, folder)
        other.environment["AZURE_CONFIG_DIR"] = str(folder / "config")
        other(
            "cloud", "register", "--name", "emulator", "--endpoint-resource-manager", self.variables["AIB_EMULATOR_ARM"]
        )
        other("cloud", "set", "--name", "emulator")
        return other

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
