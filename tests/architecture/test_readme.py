from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from airflow_aib.cli import main
from airflow_aib.get_provider_info import get_provider_info

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def readme_dag() -> Any:
    """Return the DAG that the README shows, made by running its very lines."""
    from airflow.sdk import DAG

    (code,) = re.findall(r"(?s)```python\n(.*?)```", README)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # the README is ours
    (dag,) = [value for value in names.values() if isinstance(value, DAG)]
    return dag


def test_the_dag_is_short() -> None:
    """About fifteen lines are enough for a weekly rebuild."""
    (code,) = re.findall(r"(?s)```python\n(.*?)```", README)

    assert len(code.splitlines()) <= 16


def test_the_dag_rebuilds_weekly(readme_dag: Any) -> None:
    """The lines make a DAG that runs each week, one run at a time, and does not catch up."""
    assert readme_dag.schedule == "@weekly"
    assert readme_dag.catchup is False
    assert readme_dag.max_active_runs == 1


def test_the_dag_does_the_whole_road(readme_dag: Any) -> None:
    """It creates, runs, collects logs, copies VHDs and publishes, in that order."""
    tasks = {task_id.rpartition(".")[2]: task for task_id, task in readme_dag.task_dict.items()}
    downstream = {
        name: {child.rpartition(".")[2] for child in task.downstream_task_ids} for name, task in tasks.items()
    }

    assert set(tasks) == {"create", "run", "collect_logs", "copy_vhds", "publish"}
    assert "run" in downstream["create"]
    assert {"collect_logs", "copy_vhds"} <= downstream["run"]
    assert "publish" in downstream["collect_logs"] & downstream["copy_vhds"]


def test_the_cost_in_calls_is_that_of_the_default_interval() -> None:
    """The README's figure for a build of an hour follows from the default of `poll_interval`."""
    interval = float(get_provider_info()["config"]["azure_image_builder"]["options"]["poll_interval"]["default"])

    assert f"default of {interval:.0f} s a build of an hour is {3600 / interval:.0f} reads" in README


def test_it_fits_on_a_screen_or_two() -> None:
    """The README stays short: everything else has its own page."""
    assert len(README.splitlines()) < 80


def test_the_command_line_says_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command in the README can be pasted in the clone, and writes what is shown."""
    ((command, shown),) = re.findall(r"(?s)```console\n\$ \.venv/bin/airflow-aib ([^\n]*)\n(.*?)```", README)
    monkeypatch.chdir(ROOT)

    assert main(command.split()) == 1
    assert capsys.readouterr().out == shown
