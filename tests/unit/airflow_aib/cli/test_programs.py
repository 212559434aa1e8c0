from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_aib.cli.arguments import COMMANDS
from tests.unit.airflow_aib.cli.calling import resource, write
from tests.unit.airflow_aib.image_run.sample_logs import LOGS

if TYPE_CHECKING:
    from collections.abc import Mapping

BIN = Path(sys.executable).parent
FRONT_ENDS: dict[str, list[object]] = {
    "airflow-aib": [BIN / "airflow-aib"],
    "module": [sys.executable, "-m", "airflow_aib.cli"],
}
AIRFLOW: list[object] = [BIN / "airflow", "image-builder"]
LOADED = """
import json, sys
before = set(sys.modules)
from airflow_aib.cli import main
code = main(sys.argv[1:])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Return an environment with nothing of the caller's, and an Airflow home of its own."""
    return {"AIRFLOW_HOME": str(tmp_path / "airflow"), "PATH": "/usr/bin:/bin"}


def started(arguments: list[object], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [str(argument) for argument in arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("program", FRONT_ENDS.values(), ids=FRONT_ENDS)
def test_the_installed_command(tmp_path: Path, environment: Mapping[str, str], program: list[object]) -> None:
    """The command that is installed, and the module, check a file and end with the exit code."""
    file = write(tmp_path / "a.json", resource(buildTimeoutInMinutes=3))
    done = started([*program, "check", file, "--format", "json"], environment)

    assert done.returncode == 1
    assert done.stderr == ""
    assert [finding["rule"] for finding in json.loads(done.stdout)] == ["timeout-too-short"]


def test_little_is_loaded(tmp_path: Path, environment: Mapping[str, str]) -> None:
    """A check loads the standard library and what reads the documents, so that it starts at once, and anywhere."""
    file = write(tmp_path / "a.json", resource(buildTimeoutInMinutes="[int('30')]"))
    others = [
        started([sys.executable, "-c", LOADED, "check", file, "--format", f], environment) for f in ("text", "sarif")
    ]
    loaded = {name for done in others for name in json.loads(done.stdout.splitlines()[-1])}
    distributions = importlib.metadata.packages_distributions()
    needed = {distribution for name in loaded for distribution in distributions.get(name, ())}

    assert [done.returncode for done in others] == [0, 0]
    assert {name.lower() for name in needed} - {"airflow-aib"} == {"lark", "pyyaml"}
    assert "asyncio" not in loaded


def test_a_log_is_diagnosed_anywhere(environment: Mapping[str, str]) -> None:
    """Neither Airflow nor Azure is loaded for a log that is on this machine."""
    done = started([sys.executable, "-c", LOADED, "diagnose", LOGS / "new-form-linux-failed.log"], environment)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))

    assert done.stdout.startswith("The build failed: customizer-failed")
    assert loaded & {"airflow", "azure", "aiohttp", "sqlalchemy", "asyncio"} == set()


@pytest.mark.parametrize("options", [["render"], ["check", "--format", "json"], ["check", "--format", "sarif"]])
def test_a_stream_without_letters(tmp_path: Path, environment: Mapping[str, str], options: list[object]) -> None:
    """Where the encoding of a stream lacks a character, JSON is written with escapes, and says the same."""
    file = write(tmp_path / "a.json", resource(customize=[{"type": "Shell", "name": "\u4e2d", "inline": []}]))
    shown = [
        started([*FRONT_ENDS["module"], *options, file], {**environment, "PYTHONIOENCODING": encoding})
        for encoding in ("utf-8", "ascii")
    ]

    assert shown[1].stderr == ""
    assert shown[1].stdout.isascii()
    assert json.loads(shown[0].stdout) == json.loads(shown[1].stdout)


def test_a_reader_that_goes_away(environment: Mapping[str, str]) -> None:
    """Whoever reads only the first line of the output, as `head` does, gets no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [BIN / "airflow-aib", "rules"], check=False, stdout=gone, stderr=subprocess.PIPE, env=environment
        )

    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.slow
def test_airflow_shows_the_commands(environment: Mapping[str, str]) -> None:
    """`airflow image-builder --help` lists every command of the table."""
    done = started([*AIRFLOW, "--help"], environment)

    assert done.returncode == 0, done.stderr
    assert [command.name for command in COMMANDS if f"    {command.name}" not in done.stdout] == []


@pytest.mark.slow
@pytest.mark.parametrize(("minutes", "code"), [(3, 1), (30, 0)])
def test_airflow_runs_the_commands(tmp_path: Path, environment: Mapping[str, str], minutes: int, code: int) -> None:
    """`airflow image-builder check` does what `airflow-aib check` does, exit code and stdout included."""
    file = write(tmp_path / "a.json", resource(buildTimeoutInMinutes=minutes))
    arguments = ["check", file, "--format", "json"]
    done, own = (started([*front, *arguments], environment) for front in (AIRFLOW, FRONT_ENDS["airflow-aib"]))

    assert done.returncode == own.returncode == code, done.stderr
    assert done.stdout == own.stdout


@pytest.mark.slow
def test_airflow_passes_on_that_a_call_is_unusable(environment: Mapping[str, str]) -> None:
    """A path that does not exist ends with 2 there as well."""
    done = started([*AIRFLOW, "check", "nowhere.json"], environment)

    assert done.returncode == 2
    assert "There is no file or folder nowhere.json." in done.stderr
