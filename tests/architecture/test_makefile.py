from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOO_OLD = "#!/bin/sh\n[ \"$1\" = -c ] && exit 1\necho 'Python 3.9.2'\n"
# Says that it is new enough, and notes how it is called after that.
NEW_ENOUGH = '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$0 $*" >> "$(dirname "$0")/calls"\n'


def interpreter(folder: Path, name: str, script: str) -> Path:
    """Write a program that stands for a Python."""
    file = folder / name
    file.write_text(script)
    file.chmod(0o755)
    return file


def make_environment(venv: Path, *, python: str = "", path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Let make create the virtual environment with these interpreters at hand."""
    search = f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin"
    command = ["make", f"VENV={venv}", f"PYTHON={python}", f"{venv}/bin/python"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env={"PATH": search})


def test_a_python_that_is_too_old_is_refused_in_words(tmp_path: Path) -> None:
    """Below 3.11 make says which version is needed and how to name one, and makes nothing."""
    old = interpreter(tmp_path, "python3.9", TOO_OLD)
    done = make_environment(tmp_path / "venv", python=str(old))

    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_python3_serves_where_there_is_no_python3_11(tmp_path: Path) -> None:
    """A machine whose Python is just called python3 is fine, if it is new enough."""
    interpreter(tmp_path, "python3.11", TOO_OLD)
    new = interpreter(tmp_path, "python3", NEW_ENOUGH)
    done = make_environment(tmp_path / "venv", path=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text() == f"{new} -m venv {tmp_path}/venv\n"


def test_the_named_python_comes_first(tmp_path: Path) -> None:
    """`PYTHON=` decides, whatever else is there."""
    named = interpreter(tmp_path, "mine", NEW_ENOUGH)
    done = make_environment(tmp_path / "venv", python=str(named))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text() == f"{named} -m venv {tmp_path}/venv\n"


def test_the_ci_entry_runs_from_anywhere(tmp_path: Path) -> None:
    """`.ci/run` goes to the project's folder by itself and calls make there."""
    (tmp_path / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "Makefile").write_text("test test-az chaos:\n\t@pwd\n")
    done = subprocess.run(
        [tmp_path / ".ci" / "run"], cwd="/", check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )

    assert done.stdout.splitlines()[-1] == str(tmp_path.resolve())


@pytest.mark.parametrize(("target", "client"), [("test", "old"), ("test-az", "az")])
def test_no_client_is_skipped_where_it_is_installed(target: str, client: str) -> None:
    """The targets that install a client insist on its tests."""
    done = subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True, text=True)
    assert f"AIB_CLIENTS_REQUIRED={client} " in done.stdout
