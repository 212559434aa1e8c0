"""The pytest plugin, as users meet it: in an empty folder, with a pytest of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aib_emulator.failures import KINDS
from aib_emulator.services.image_builder.failure_catalogue import CATALOGUE
from aib_emulator.testing.plugin import FLAGS, OPTIONS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "how-to" / "test.md").read_text(encoding="utf-8")
MISSED = """
def test_nothing(azure):
    azure.fail_calls("/never/asked$", status=503)
"""
MODULES = """
import json, sys, pytest
before = set(sys.modules)
import aib_emulator.testing.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder that has nothing to do with this project."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AIRFLOW_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments],
        cwd=folder,
        env={**variables, "AIRFLOW_HOME": str(folder / "airflow")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.slow
def test_the_tests_of_the_guide_pass_as_they_stand(tmp_path: Path) -> None:
    """The guide's examples, copied into a folder with nothing but our DAGs, are found, get their fixtures and pass."""
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    for number, code in enumerate(re.findall(r"(?s)```python\n(.*?)```", GUIDE)):
        named = re.match(r"# (\w+\.py)\n", code)
        (tmp_path / (named[1] if named else f"test_{number}.py")).write_text(code, encoding="utf-8")
    done = run_pytest(tmp_path)
    assert re.search(r"^6 passed", done.stdout, re.MULTILINE), done.stdout + done.stderr


@pytest.mark.slow
def test_a_fault_that_strikes_nothing_fails_its_test(tmp_path: Path) -> None:
    """Such a test would show nothing, and says so."""
    (tmp_path / "test_missed.py").write_text(MISSED, encoding="utf-8")
    done = run_pytest(tmp_path)
    assert "Planned faults that struck no call: * /never/asked$: status." in done.stdout
    assert re.search(r"^1 passed, 1 error", done.stdout, re.MULTILINE), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("aib_emulator_time_scale=fast", "write a number"),
        ("aib_emulator_log_form=older", "use one of new, old"),
        ("aib_emulator_choices=second-run", "write it as NAME=VALUE"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(tmp_path: Path, option: str, words: str) -> None:
    """The error names the option and what it can be."""
    (tmp_path / "test_missed.py").write_text(MISSED, encoding="utf-8")
    done = run_pytest(tmp_path, "-o", option)
    assert words in done.stdout
    assert "aib_emulator_" in done.stdout


def test_nothing_heavy_is_loaded_when_pytest_starts() -> None:
    """Of what a bare pytest has not loaded anyway, the plugin loads itself and nothing else."""
    done = subprocess.run([sys.executable, "-c", MODULES], capture_output=True, text=True, timeout=60, check=True)
    loaded = json.loads(done.stdout)
    assert loaded == [
        "aib_emulator",
        "aib_emulator.testing",
        "aib_emulator.testing.azure",
        "aib_emulator.testing.plugin",
    ]


def test_the_guide_names_every_option() -> None:
    """Each option of the plugin is in the guide's table, with its default."""
    for name, (default, _) in OPTIONS.items():
        assert re.search(rf"^\| `{name}` \| {re.escape(default)} ?\|", GUIDE, re.MULTILINE), name
    for flag, (is_on, _) in FLAGS.items():
        assert f"| `{flag}` | {str(is_on).lower()} |" in GUIDE, flag


def test_kinds_and_names_are_told_apart() -> None:
    """No failure of the catalogue has the name of a kind, so that one word is enough to plan either."""
    assert set(KINDS) & set(CATALOGUE) == set()
