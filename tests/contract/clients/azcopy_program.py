"""Runs the AzCopy that `make clients` installs, unmodified, against an emulator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

INSTALLED = Path(sys.prefix) / "share" / "clients" / "azcopy"
PROGRAM = INSTALLED / "node_modules" / "@azure-tools" / "azcopy-linux" / "dist" / "bin" / "azcopy_linux_amd64"
LIBRARIES = INSTALLED / "libraries" / "usr" / "lib" / "x86_64-linux-gnu"
TIMEOUT = 120.0
ANY_TENANT = "adfs"
"""AzCopy asks Microsoft's own cloud about every other tenant before it signs in; no switch turns that off."""


def missing() -> str:
    """Say what keeps AzCopy from running here, or nothing."""
    if not PROGRAM.is_file():
        return "AzCopy is not installed; `make clients` does it, on Linux"
    tried = subprocess.run([PROGRAM, "--version"], check=False, capture_output=True, text=True, env=library_path())
    return "" if tried.returncode == 0 else f"AzCopy does not start: {tried.stderr.strip()}"


def library_path() -> dict[str, str]:
    """Return the variable that lets it find the library that was unpacked for it."""
    return {"LD_LIBRARY_PATH": str(LIBRARIES)}


class AzCopy:
    """Run AzCopy with nothing of this machine's environment but what it needs.

    :param thread: the emulator
    :param folder: for its logs, plans and settings
    """

    def __init__(self, thread: EmulatorThread, folder: Path) -> None:
        self._blob_host = thread.emulator.blob_url.partition("//")[2]
        self._env = {
            **library_path(),
            "HOME": str(folder),
            "SSL_CERT_FILE": str(thread.emulator.ca_file),
            "AZCOPY_LOG_LOCATION": str(folder),
            "AZCOPY_JOB_PLAN_LOCATION": str(folder),
            "AZCOPY_DISABLE_SYSLOG": "true",
        }
        settings = thread.emulator.settings
        self._sign_in = {
            "AZCOPY_AUTO_LOGIN_TYPE": "SPN",
            "AZCOPY_SPA_APPLICATION_ID": settings.client_id,
            "AZCOPY_SPA_CLIENT_SECRET": settings.client_secret,
            "AZCOPY_TENANT_ID": ANY_TENANT,
            "AZCOPY_ACTIVE_DIRECTORY_ENDPOINT": thread.emulator.arm_url,
        }

    def run(self, *arguments: str, is_signed_in: bool = False) -> str:
        """Return what AzCopy says; it must succeed.

        :param is_signed_in: as a service principal; otherwise the addresses must carry signatures.
        """
        with self.start(*arguments, is_signed_in=is_signed_in) as process:
            said, _ = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, said
        return said

    def start(self, *arguments: str, is_signed_in: bool = False) -> subprocess.Popen[str]:
        """Start it, and return its process, which writes all that it says to one stream."""
        env = {**self._env, **(self._sign_in if is_signed_in else {})}
        # The port is part of what AzCopy compares before it shows its token to a host.
        trusted = ("--trusted-microsoft-suffixes", self._blob_host) if is_signed_in else ()
        return subprocess.Popen(
            [PROGRAM, *arguments, *trusted, "--skip-version-check"],
            text=True,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
