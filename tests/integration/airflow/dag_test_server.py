"""Runs `dag.test()` again and again in one process with an Airflow home of its own, as its standard input asks."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

import airflow.settings
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select


def take_stdout_for_answers() -> IO[str]:
    """Keep the real standard output for answers; whatever Airflow prints goes to standard error, which is the log."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def run_dag(dag_file: str, dag_id: str, conf: dict[str, Any]) -> dict[str, Any]:
    """Run one DAG and tell what became of its tasks."""
    bag = DagBag(dag_file, bundle_path=Path(dag_file).parent)
    if bag.import_errors:
        return {"state": "import error", "import_errors": bag.import_errors}
    run = bag.dags[dag_id].test(run_conf=conf)
    with create_session() as session:
        tasks = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run.run_id))
        xcoms = session.scalars(select(XComModel).where(XComModel.run_id == run.run_id))
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
        return {
            "state": str(run.state),
            "tasks": {name_of(task): {"state": str(task.state), "try_number": task.try_number} for task in tasks},
            "xcoms": [[name_of(xcom), xcom.key, XComModel.deserialize_value(xcom)] for xcom in xcoms],
            "asset_events": [{"uri": event.uri, "extra": event.extra} for event in events],
        }


def name_of(found: TaskInstance | XComModel) -> str:
    """Name a task, and a mapped one with its index."""
    return found.task_id if found.map_index < 0 else f"{found.task_id}[{found.map_index}]"


def main() -> None:
    """Answer each line of standard input, a JSON object, with another."""
    answers = take_stdout_for_answers()
    airflow.settings.configure_orm()  # type: ignore[no-untyped-call]  # Airflow's own
    initdb()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(run_dag(request["dag_file"], request["dag_id"], request["conf"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
