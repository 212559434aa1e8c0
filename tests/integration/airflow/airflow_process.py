"""Airflow's own machinery for tests: a process that runs DAGs with `dag.test()`, and what came of them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER = Path(__file__).with_name("dag_test_server.py")
DAGS = Path(__file__).resolve().parents[3] / "dags"

# One task after the other, each made from its dotted path and its arguments; failures are noted for the test.
DAG_FILE = """
import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG
from airflow.sdk.module_loading import import_string

TASKS = json.loads({tasks!r})


def note_failure(context):
    error = context["exception"]
    line = json.dumps([context["ti"].task_id, type(error).__name__, str(error)])
    with Path({errors!r}).open("a") as file:
        file.write(line + "\\n")


def make(path, arguments):
    if "expand" in arguments:
        expanded = arguments.pop("expand")
        return import_string(path).partial(**arguments).expand(**expanded)
    if "execution_timeout" in arguments:
        arguments["execution_timeout"] = timedelta(seconds=arguments["execution_timeout"])
    return import_string(path)(**arguments)


with DAG(
    {dag_id!r},
    schedule=None,
    catchup=False,
    default_args={{
        "retry_delay": timedelta(0),
        "on_failure_callback": note_failure,
        "on_retry_callback": note_failure,
    }},
):
    previous = None
    for path, arguments in TASKS:
        task = make(path, arguments)
        if previous is not None:
            previous >> task
        previous = task
"""


@dataclass(frozen=True)
class TaskError:
    """Hold an error with which a try of a task ended."""

    task_id: str
    kind: str
    text: str


@dataclass(frozen=True)
class DagTest:
    """Hold what came of a DAG."""

    state: str
    tasks: Mapping[str, Mapping[str, Any]]
    xcoms: Mapping[tuple[str, str], Any]
    asset_events: list[Mapping[str, Any]]
    errors: list[TaskError]
    log: str
    import_errors: Mapping[str, str] = field(default_factory=dict)

    def task_states(self) -> dict[str, str]:
        """Give the final state of each task."""
        return {task_id: task["state"] for task_id, task in self.tasks.items()}

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Give what a task has pushed."""
        return self.xcoms[task_id, key]

    def error(self) -> TaskError:
        """Give the one error that there was."""
        (error,) = self.errors
        return error


class AirflowProcess:
    """Run DAGs in a process with its own Airflow home.

    :param home: an empty folder
    :param environment: of the process
    """

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self._home = home
        self._dags = home / "dags"
        self._dags.mkdir(parents=True)
        self._log = (home / "log.txt").open("wb+")
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**environment, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(self._dags)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def run(self, *tasks: tuple[str, Mapping[str, Any]]) -> DagTest:
        """Run a DAG of these tasks, one after the other: dotted path and arguments of each.

        The argument `expand` holds those over which a task is mapped.
        """
        return self.run_file(DAG_FILE, tasks=json.dumps(tasks))

    def run_file(self, content: str, **values: str) -> DagTest:
        """Run the DAG of a file: `dag_id`, `errors` and the other values are filled in."""
        self._count += 1
        dag_id = f"test_{self._count}"
        errors = self._home / f"{dag_id}.errors"
        dag_file = self._dags / f"{dag_id}.py"
        dag_file.write_text(textwrap.dedent(content.format(errors=str(errors), dag_id=dag_id, **values)))
        try:
            return self._ask(dag_file, dag_id, {}, errors)
        finally:
            dag_file.unlink()

    def run_example(self, name: str, conf: Mapping[str, Any] | None = None) -> DagTest:
        """Run one of the DAGs that the project ships, as it stands."""
        links = [self._dags / f"{name}.py", self._dags / "image_templates"]
        for link in links:
            link.symlink_to(DAGS / link.name)
        try:
            return self._ask(links[0], name, conf or {}, self._home / "none.errors")
        finally:
            for link in links:
                link.unlink()

    def _ask(self, dag_file: Path, dag_id: str, conf: Mapping[str, Any], errors: Path) -> DagTest:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The process has no pipes.")
        begin = self._log.seek(0, 2)
        request = {"dag_file": str(dag_file), "dag_id": dag_id, "conf": conf}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        self._log.seek(begin)
        log = self._log.read().decode()
        if not line:
            raise RuntimeError(f"The process ended with {self._process.wait()}:\n{log}")
        return _read_answer(json.loads(line), errors, log)


def _read_answer(answer: Mapping[str, Any], errors: Path, log: str) -> DagTest:
    if answer["state"] == "import error":
        raise RuntimeError(f"The DAG file cannot be imported: {answer['import_errors']}")
    lines = errors.read_text().splitlines() if errors.exists() else []
    return DagTest(
        state=answer["state"],
        tasks=answer["tasks"],
        xcoms={(task_id, key): value for task_id, key, value in answer["xcoms"]},
        asset_events=answer["asset_events"],
        errors=[TaskError(*json.loads(line)) for line in lines],
        log=log,
    )
