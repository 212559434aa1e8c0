"""DAGs that are alike: what Airflow would find out for each of them, it finds out once."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import DAG

# Arguments of a DAG that Airflow's configuration gives where nobody else does.
CONFIGURED = ("max_active_tasks", "max_consecutive_failed_dag_runs", "disable_bundle_versioning")
# Where the scheduler has its own forms of what a cron expression becomes in a DAG file.
_SCHEDULER_MODULES: dict[type, str] = {
    CronTriggerTimetable: "airflow.timetables.trigger",
    CronDataIntervalTimetable: "airflow.timetables.interval",
}


class AlikeDags:
    """Remember of DAGs whose arguments are the same, but for their schedules, what holds for the next ones too.

    When it stores a DAG, Airflow brings its cron expression into the scheduler's form and describes it in words; and
    it asks its configuration about each argument that is not given. For DAGs of a few tasks that is a tenth of what
    parsing takes.

    :param schedules: of all of them
    """

    def __init__(self, schedules: Iterable[Any]) -> None:
        self.configured: dict[str, Any] = {}
        counts = Counter(schedule for schedule in schedules if isinstance(schedule, str))
        self._repeated = {schedule for schedule, count in counts.items() if count > 1}
        self._timetables: dict[str, Any] = {}

    def join(self, dag: DAG) -> None:
        """Note what a DAG has from the configuration, and let it share the timetable of those with its schedule."""
        self.configured = self.configured or {name: getattr(dag, name) for name in CONFIGURED}
        schedule = dag.schedule
        if isinstance(schedule, str) and schedule in self._repeated:
            if schedule not in self._timetables:
                self._timetables[schedule] = _of_scheduler(dag.timetable)
            dag.timetable = self._timetables[schedule]


def _of_scheduler(timetable: Any) -> Any:
    """Give the scheduler's form of a timetable; the same one where there is none, or no scheduler's code."""
    module = _SCHEDULER_MODULES.get(type(timetable))
    if module is None:
        return timetable
    try:
        scheduler = import_module(module)
    except ImportError:
        return timetable
    return getattr(scheduler, type(timetable).__name__)(timetable.expression, timezone=timetable.timezone)
