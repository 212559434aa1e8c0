"""Unpacks PostgreSQL and Redis from Debian's packages: `python -m tests.chaos.debian <folder to unpack into>`.

Nothing of the system is changed, and nobody needs to be root. The packages are those of the machine's own release, with
the libraries that they need, whether or not the machine has them: so every machine goes the same road.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

WANTED = ("postgresql", "redis-server")
PROGRAMS = re.compile(r"postgresql-(client-)?\d+|redis-(server|tools)")
# The loader of programs belongs to the machine's own C library; the compiler of queries is switched off.
LEFT_OUT = re.compile(r"libc6|libc-bin|libc-l10n|libllvm|libz3|libperl|.*-perl$|libpam-|libdb5|libgdbm")


def main(folder: Path) -> int:
    """Unpack into `folder`, and return the exit code."""
    try:
        unpack(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or ""
        sys.stderr.write(
            f"PostgreSQL and Redis cannot be unpacked: {error}\n{said}"
            "It takes a Debian or Ubuntu with apt-get, and its package mirror.\n"
        )
        return 1
    return 0


def unpack(folder: Path) -> None:
    """Download the packages with lists of its own, and unpack them."""
    with tempfile.TemporaryDirectory() as scratch:
        apt = _apt(Path(scratch))
        _run([*apt, "update"])
        listed = _run([*apt, "--print-uris", "--yes", "--no-install-recommends", "install", *WANTED])
        # apt gives its rights up before it downloads, and may not write here then: it says so, and goes on as it is.
        _run([*apt, "download", *needed_packages(listed)], cwd=Path(scratch))
        for package in sorted(Path(scratch).glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(package), str(folder)])


def needed_packages(listed: str) -> list[str]:
    """Return the packages that hold the programs and their libraries.

    :param listed: what `apt-get --print-uris` says: address, file name, size and digest in each line
    """
    names = [line.split()[1].partition("_")[0] for line in listed.splitlines() if line.startswith("'")]
    return [name for name in names if _is_needed(name)]


def _is_needed(name: str) -> bool:
    is_library = name.startswith("lib") or name == "zlib1g"
    return bool(PROGRAMS.fullmatch(name)) or (is_library and not LEFT_OUT.match(name))


def _apt(scratch: Path) -> list[str]:
    """Return how to call apt-get as on a machine on which nothing is installed."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (scratch / part).mkdir(parents=True)
    installed = scratch / "state" / "status"
    installed.touch()
    options = (f"Dir::State={scratch}/state", f"Dir::State::status={installed}", f"Dir::Cache={scratch}/cache")
    return ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]


def _run(command: list[str], *, cwd: Path | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
