from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from demo.rebuild import run_rebuild
from demo.waiting import DemoError

if TYPE_CHECKING:
    from demo.airflow_api import AirflowApi
    from demo.report import RebuildReport

PUSHED = {
    "AzureImageTemplateRunOperator": {
        "artifacts": [{"run_output_name": "v", "kind": "VHD", "artifact_id": None, "artifact_uri": "https://a/v.vhd"}]
    },
    "AzureImageVhdCopyOperator": [
        {"destination": "https://b/v.vhd", "length": 1024, "allocated_bytes": 512, "sha256": "abc"}
    ],
    "AzureImageLogCollectOperator": {"files": [{"url": "https://b/customization.log"}]},
}


class FakeAirflow:
    """An Airflow whose run goes through the given states, one for each look.

    :param states: of the DAG run; an exception is raised instead.
    :param failed: operator class of the task that fails; what comes after it pushes nothing.
    """

    def __init__(self, *states: str | Exception, failed: str | None = None) -> None:
        self.states = list(states)
        self.failed = failed
        self.unpaused: list[str] = []

    def dag(self, dag_id: str) -> dict[str, Any]:
        """Know every DAG."""
        return {"dag_id": dag_id}

    def unpause(self, dag_id: str) -> None:
        """Remember it."""
        self.unpaused.append(dag_id)

    def trigger(self, dag_id: str) -> str:
        """Refuse to run what is paused."""
        assert dag_id in self.unpaused
        return "manual__1"

    def dag_run(self, _dag_id: str, run_id: str) -> dict[str, Any]:
        """Go on to the next state; the last one stays."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return {"dag_run_id": run_id, "state": state}

    def task_instances(self, _dag_id: str, _run_id: str) -> list[dict[str, Any]]:
        """Return a task for each operator that pushes something."""
        return [
            {
                "task_id": operator,
                "operator_name": operator,
                "state": "failed" if operator == self.failed else "success",
                "start_date": "2026-11-22T16:43:10Z",
                "end_date": "2026-11-22T16:43:12Z",
                "try_number": 1,
            }
            for operator in PUSHED
        ]

    def xcom(self, _dag_id: str, _run_id: str, task_id: str) -> Any:
        """Return what the task has pushed."""
        return None if self.failed else PUSHED[task_id]

    def log_records(self, _dag_id: str, _run_id: str, task_id: str, try_number: int) -> list[Any]:
        """Return a log of one line."""
        return [{"event": f"{task_id}, try {try_number}: it broke"}]


def rebuild(airflow: FakeAirflow, *, seconds: float = 30, shown: list[str] | None = None) -> RebuildReport:
    """Run the demo's road on a fake Airflow; every blob holds ten lines."""
    steps = [] if shown is None else shown
    text = "\n".join(str(number) for number in range(10))
    return run_rebuild(cast("AirflowApi", airflow), show=steps.append, read_text=lambda _url: text, seconds=seconds)


def test_a_success_is_gathered_by_operator_class() -> None:
    """Whatever the tasks are called: run outputs, copies and archived logs are found."""
    report = rebuild(FakeAirflow("running", "success"))

    assert report.has_succeeded
    assert [artifact.location for artifact in report.artifacts] == ["https://a/v.vhd"]
    assert [vhd.url for vhd in report.vhds] == ["https://b/v.vhd"]
    assert report.logs[0].last_lines == ("4", "5", "6", "7", "8", "9")


def test_the_dag_is_unpaused_before_it_is_triggered() -> None:
    """A DAG that Airflow has just met is paused."""
    airflow = FakeAirflow("success")
    rebuild(airflow)

    assert airflow.unpaused == ["rebuild_linux_vhd"]


def test_a_failure_brings_the_log_of_the_task_that_failed() -> None:
    """The report says what went wrong without a look into the UI."""
    report = rebuild(FakeAirflow("failed", failed="AzureImageTemplateRunOperator"))

    assert not report.has_succeeded
    (failed,) = report.failed_tasks
    assert failed.log_tail == ("AzureImageTemplateRunOperator, try 1: it broke",)


def test_a_look_that_fails_is_taken_again() -> None:
    """A connection that breaks says nothing about the run."""
    report = rebuild(FakeAirflow(httpx.ConnectError("reset"), "success"))

    assert report.state == "success"


def test_a_run_without_end_is_reported_as_it_stands() -> None:
    """When time is up the report says so instead of waiting on."""
    report = rebuild(FakeAirflow("running"), seconds=0)

    assert report.state == "unfinished"
    assert not report.has_succeeded


def test_an_unknown_dag_is_an_error() -> None:
    """What Airflow refuses is told, not swallowed."""

    class Refusing(FakeAirflow):
        """An Airflow that cannot import its DAG files."""

        def dag(self, dag_id: str) -> dict[str, Any]:
            """Say why."""
            raise DemoError(f"Airflow cannot import {dag_id}")

    with pytest.raises(DemoError, match="cannot import rebuild_linux_vhd"):
        rebuild(Refusing("success"))


def test_the_progress_names_the_tasks() -> None:
    """While it runs, it is shown how far it is."""
    shown: list[str] = []
    rebuild(FakeAirflow("success"), shown=shown)

    assert shown[-1] == "rebuild_linux_vhd: 3 of 3 tasks done"
