from __future__ import annotations

import pytest

from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.log_summary import LogSummary
from tests.unit.airflow_aib.image_run.sample_logs import LOGS, sample_log

SAMPLES = sorted(path.stem for path in LOGS.glob("*.log"))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_summary_says_what_matters(name: str) -> None:
    """Every provisioner that began and every fatal error is in it, and it is shorter than the log."""
    lines = sample_log(name).splitlines()
    log = parse_customization_log(sample_log(name))

    shown = LogSummary().choose(lines)

    assert sum("(telemetry) Starting provisioner" in line for line in shown) == len(log.provisioners)
    assert [error for error in log.errors if not any(error in line for line in shown)] == []
    assert len(shown) < len(lines)
    assert [line for line in shown if line not in lines] == []


def test_each_phase_is_shown_once() -> None:
    """Packer repeats itself; a phase begins once."""
    line = "PACKER 2026/01/01 00:00:00 ui: ==> azure-arm: Deploying deployment template"

    assert LogSummary().choose([line, line, line]) == [line]


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        ("PACKER OUT     azure-arm: WARNING: the disk is nearly full", True),
        ("PACKER OUT     azure-arm: E: Failed to fetch http://archive", True),
        ("PACKER OUT     azure-arm: Setting up libterror0 (1.2)", False),
        ("PACKER OUT ==> azure-arm: Error deleting resource. Will retry.", False),
        ("PACKER ERR 2020/04/30 22:29:13 [INFO] warning: only for Packer's developers", False),
    ],
)
def test_warnings_and_errors_are_shown(line: str, is_shown: bool) -> None:
    """By whole words, of what a person wrote or reads; what only looks like trouble is left out."""
    assert LogSummary().choose([line]) == ([line] if is_shown else [])


def test_what_is_said_twice_is_shown_once() -> None:
    """The newer form has each message once with and once without time."""
    twice = ["PACKER 2026/01/01 00:00:00 ui:     azure-arm: warning: x", "PACKER     azure-arm: warning: x"]

    assert LogSummary().choose(twice) == twice[:1]
