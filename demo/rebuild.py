"""Run the rebuild DAG over Airflow's REST API, follow it, and gather what it has left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from demo.pushed import (
    archived_log_urls,
    artifacts,
    copied_vhds,
    describe_states,
    is_trouble,
    log_lines,
    task_results,
)
from demo.report import SUCCESS, ArchivedLog, FailedTask, RebuildReport
from demo.waiting import DemoError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.airflow_api import AirflowApi

DAG_ID = "rebuild_linux_vhd"
OVER = (SUCCESS, "failed")
FAILED_LOG_LINES = 40
ARCHIVED_LOG_LINES = 6


@dataclass(frozen=True)
class Rebuild:
    """Follow one run of a DAG.

    :param api: the Airflow that runs it.
    :param dag_id: the DAG.
    :param run_id: its run.
    :param started: when it was triggered, by a clock that only moves forward.
    """

    api: AirflowApi
    dag_id: str
    run_id: str
    started: float

    @classmethod
    def trigger(cls, api: AirflowApi, *, show: Callable[[str], None], dag_id: str = DAG_ID) -> Rebuild:
        """Wait until Airflow knows the DAG, let it run, and start one run by hand."""
        show(f"waiting for the DAG processor to bring in {dag_id}")
        wait_for(lambda: api.dag(dag_id), seconds=90, what=f"the DAG {dag_id}", interval=0.5)
        api.unpause(dag_id)
        return cls(api, dag_id, api.trigger(dag_id), time.monotonic())

    def task_instances(self) -> list[dict[str, Any]]:
        """Return the run's tasks as they are now."""
        return self.api.task_instances(self.dag_id, self.run_id)

    def log_lines(self, task: dict[str, Any]) -> list[str]:
        """Return the lines of a task's log as it is now."""
        return log_lines(self.api.log_records(self.dag_id, self.run_id, task["task_id"], max(1, task["try_number"])))

    def follow(self, *, show: Callable[[list[dict[str, Any]]], None], seconds: float) -> str:
        """Wait for the end and return the state; a run that lasts longer than `seconds` is `unfinished`.

        :param show: told the tasks at each look.
        """
        try:
            return wait_for(lambda: self._look(show), seconds=seconds, what=f"the end of {self.dag_id}", interval=1)
        except DemoError:
            return "unfinished"

    def report(self, state: str, *, read_text: Callable[[str], str]) -> RebuildReport:
        """Gather what the run has left.

        :param read_text: reads a blob, given its URL.
        """
        seconds = time.monotonic() - self.started
        tasks = self.task_instances()
        urls = archived_log_urls(self._pushed_by("AzureImageLogCollectOperator", tasks))
        return RebuildReport(
            dag_id=self.dag_id,
            state=state,
            seconds=seconds,
            tasks=task_results(tasks),
            failed_tasks=tuple(self._failed(task) for task in tasks if is_trouble(task)),
            artifacts=artifacts(self._pushed_by("AzureImageTemplateRunOperator", tasks)),
            vhds=copied_vhds(self._pushed_by("AzureImageVhdCopyOperator", tasks)),
            logs=tuple(ArchivedLog(url, tuple(read_text(url).splitlines()[-ARCHIVED_LOG_LINES:])) for url in urls),
        )

    def _look(self, show: Callable[[list[dict[str, Any]]], None]) -> str | None:
        try:
            tasks, state = self.task_instances(), str(self.api.dag_run(self.dag_id, self.run_id)["state"])
        except httpx.TransportError:  # a look that failed says nothing about the run: look again
            return None
        show(tasks)
        return state if state in OVER else None

    def _pushed_by(self, operator: str, tasks: list[dict[str, Any]]) -> Any:
        """Return what the task of that operator class has pushed: task ids are the DAG's own affair."""
        ids = [task["task_id"] for task in tasks if task["operator_name"] == operator]
        return self.api.xcom(self.dag_id, self.run_id, ids[0]) if ids else None

    def _failed(self, task: dict[str, Any]) -> FailedTask:
        return FailedTask(task["task_id"], tuple(self.log_lines(task)[-FAILED_LOG_LINES:]))


def run_rebuild(
    api: AirflowApi, *, show: Callable[[str], None], read_text: Callable[[str], str], seconds: float
) -> RebuildReport:
    """Trigger the DAG, follow it to its end or for `seconds`, and report."""
    rebuild = Rebuild.trigger(api, show=show)
    state = rebuild.follow(show=lambda tasks: show(f"{rebuild.dag_id}: {describe_states(tasks)}"), seconds=seconds)
    return rebuild.report(state, read_text=read_text)
