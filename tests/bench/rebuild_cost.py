"""What a whole rebuild costs Airflow, beside a DAG of the same shape made of EmptyOperators."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.run_status import parse_service_time
from demo.rebuild import OVER, Rebuild
from demo.stack import Stack, StackSettings
from demo.waiting import wait_for

if TYPE_CHECKING:
    from demo.airflow_api import AirflowApi

ROUNDS = 3
BETWEEN_LOOKS = 0.2
BOUND = 300
OURS, PEER = "rebuild", "empty"
ROOT = Path(__file__).resolve().parents[2]
DAG_FILE = f"""
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup
from airflow_aib.task_groups.rebuild import image_rebuild

with DAG("{OURS}", schedule=None, catchup=False, max_active_runs=1):
    image_rebuild(
        image_template="{ROOT / "dags" / "image_templates" / "linux_vhd.json"}",
        resource_group_name="images",
        parameters={{
            "region": "eastus", "identityName": "image-builder", "gallery": "corp", "imageDefinition": "linux-vhd"
        }},
        log_destination="imagestore/images/logs",
        vhd_destination="imagestore/images/vhds",
    )
with DAG("{PEER}", schedule=None, catchup=False, max_active_runs=1):
    with TaskGroup("image_rebuild"):
        names = ("create", "run", "collect_logs", "copy_vhds", "publish")
        create, run, collect, copy, publish = (EmptyOperator(task_id=name) for name in names)
        create >> run >> [collect, copy] >> publish
"""


@dataclass
class RebuildCost:
    """Hold what one run of a DAG has cost.

    :param seconds: from its start to its end
    :param build_seconds: how long the build itself went on
    :param slot_seconds: worker slots, each for as long as it was held
    :param rows: rows that Airflow's database has gained
    :param deferrals: how often a task was handed to the triggerer
    :param tasks: task instances
    """

    seconds: float = 0
    build_seconds: float = 0
    slot_seconds: float = 0
    rows: int = 0
    deferrals: int = 0
    tasks: int = 0
    _states: dict[str, str] = field(default_factory=dict)

    @property
    def overhead(self) -> float:
        """Seconds that the DAG takes beyond the build."""
        return self.seconds - self.build_seconds

    def see(self, tasks: list[dict[str, Any]], seconds: float) -> None:
        """Take in how the tasks are now, and were for so long."""
        for task in tasks:
            name, state = task["task_id"], str(task["state"])
            self.slot_seconds += seconds * (state == "running")
            self.deferrals += state == "deferred" != self._states.get(name)
            self._states[name] = state
        self.tasks = len(tasks)


def measure_rebuild() -> tuple[RebuildCost, RebuildCost]:
    """Return our cost and the peer's, each the round of least overhead."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dags").mkdir()
        (folder / "dags" / "bench.py").write_text(DAG_FILE, encoding="utf-8")
        settings = StackSettings(folder / "stack", dags_folder=folder / "dags", vhd_size_mib=16)
        with Stack(settings) as stack, stack.api() as api:
            database = settings.folder / "airflow" / "airflow.db"
            rounds = [(_run(api, OURS, database), _run(api, PEER, database)) for _ in range(ROUNDS)]
    ours, peer = ([costs[side] for costs in rounds] for side in (0, 1))
    return min(ours, key=lambda cost: cost.overhead), min(peer, key=lambda cost: cost.overhead)


def _run(api: AirflowApi, dag_id: str, database: Path) -> RebuildCost:
    cost = RebuildCost()
    wait_for(lambda: api.dag(dag_id), seconds=90, what=f"the DAG {dag_id}", interval=0.5)
    before = _count_rows(database)
    rebuild = Rebuild.trigger(api, show=lambda _: None, dag_id=dag_id)
    start = last = time.monotonic()
    state = None
    while state not in OVER:
        time.sleep(BETWEEN_LOOKS)
        now = time.monotonic()
        cost.see(rebuild.task_instances(), now - last)
        last = now
        state = str(api.dag_run(dag_id, rebuild.run_id)["state"])
        if now - start > BOUND:
            raise RuntimeError(f"{dag_id} was not over within {BOUND} s")
    if state != "success":
        raise RuntimeError(f"{dag_id} ended {state}")
    cost.seconds = last - start
    cost.rows = _count_rows(database) - before
    cost.build_seconds = _build_seconds(api, rebuild) if dag_id == OURS else 0
    return cost


def _build_seconds(api: AirflowApi, rebuild: Rebuild) -> float:
    """Give how long the build itself went on, by the clock of this machine."""
    pushed = api.xcom(rebuild.dag_id, rebuild.run_id, "image_rebuild.run")
    start, end = parse_service_time(pushed["start_time"]), parse_service_time(pushed["end_time"])
    if start is None or end is None:
        raise RuntimeError(f"The run has no times: {pushed}")
    return (end - start).total_seconds() / StackSettings.time_scale


def _count_rows(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return sum(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables)  # noqa: S608
