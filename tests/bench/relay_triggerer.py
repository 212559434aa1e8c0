"""Airflow's own triggerer process with many waits that write into their tasks' logs.

Besides what `fleet_triggerer` does, each wait belongs to a task, whose log Airflow's supervisor writes from what comes
through its channel. The tasks' XComs are kept here. Turns of the supervisor and calls for XComs take as long as with a
database.
"""

from __future__ import annotations

import resource
import time
import uuid
from typing import TYPE_CHECKING, Any

from airflow.executors.workloads.task import TaskInstanceDTO
from airflow.jobs.triggerer_job_runner import TriggerLoggingFactory
from airflow.sdk.api.datamodels._generated import XComResponse

from tests.bench.fleet_marks import ENDS
from tests.bench.fleet_triggerer import PROBE_ID, Supervisor, mark, observe, read_order, run_for, say, started

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from airflow.executors.workloads.trigger import RunTrigger

FLOOD = "tests.bench.fleet_triggers.LogFloodTrigger"
FLOOD_ID = 2_000_000
OPEN_FILES = 4096


class XComs:
    """Keep XComs as the supervisor's client does, in memory.

    :param seconds: that a call takes
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._values: dict[tuple[Any, ...], Any] = {}
        self.calls = 0

    def get(self, dag_id: str, run_id: str, task_id: str, key: str, map_index: int | None, *_: Any) -> XComResponse:
        """Give one; None when there is none."""
        self._call()
        return XComResponse(key=key, value=self._values.get((dag_id, run_id, task_id, key, map_index)))

    def set(
        self, dag_id: str, run_id: str, task_id: str, key: str, value: Any, map_index: int | None, **_: Any
    ) -> None:
        """Keep one."""
        self._call()
        self._values[dag_id, run_id, task_id, key, map_index] = value

    def _call(self) -> None:
        self.calls += 1
        time.sleep(self.seconds)


class Client:
    """Be what the supervisor asks for XComs.

    :param seconds: that a call takes
    """

    def __init__(self, seconds: float) -> None:
        self.xcoms = XComs(seconds)


class RelaySupervisor(Supervisor):
    """Supervise triggers of tasks, and count what comes through the channel for their logs."""

    turn_seconds: float = 0.0
    call_seconds: float = 0.0
    channel_bytes: int = 0
    measured: dict[str, float]

    def make_client(self) -> Any:
        """Give what keeps XComs."""
        return Client(self.call_seconds)

    def emit_metrics(self) -> None:
        """Take as long as a turn with a database."""
        time.sleep(self.turn_seconds)

    def build_trigger_workloads(self, new_trigger_ids: set[int], **_: Any) -> list[RunTrigger]:
        """Make of a trigger what is sent to the runner, and of its task what its log is written with."""
        workloads = super().build_trigger_workloads(new_trigger_ids)
        for workload in workloads:
            if workload.id != PROBE_ID:
                ti: Any = task_instance(workload.id)
                workload.ti = ti
                self.logger_cache[workload.id] = TriggerLoggingFactory(log_path=f"{workload.id - 1}.log", ti=ti)
        return workloads

    def begin(self) -> None:
        """Count from here on."""
        self.measured = self._counts()

    def end(self) -> None:
        """Count no more."""
        self.measured = {name: count - self.measured[name] for name, count in self._counts().items()}

    def _counts(self) -> dict[str, float]:
        return {
            "channel_bytes": self.channel_bytes,
            "xcom_calls": self.client.xcoms.calls,
            "supervisor_cpu": time.process_time(),
        }

    def _process_log_messages_from_subprocess(self) -> Generator[None, bytes | bytearray, None]:
        taking = super()._process_log_messages_from_subprocess()
        next(taking)
        while True:
            record = yield
            self.channel_bytes += len(record)
            taking.send(record)


def task_instance(number: int) -> TaskInstanceDTO:
    """Give the task that a wait belongs to."""
    return TaskInstanceDTO(
        id=uuid.UUID(int=number),
        task_id=str(number),
        dag_id="fleet",
        run_id="once",
        try_number=1,
        dag_version_id=uuid.UUID(int=1),
        pool_slots=1,
        priority_weight=1,
    )


def main() -> None:
    """Run the triggers, say what was seen, and what the channel carries when one trigger floods it."""
    asked = read_order()
    # Airflow keeps the log of each wait open.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]),) * 2)
    supervisor = started(RelaySupervisor)
    supervisor.turn_seconds, supervisor.call_seconds = asked["turn_seconds"], asked["call_seconds"]
    seen = {**observe(supervisor, asked), "stopped_at": time.time()}
    supervisor.kill(escalation_delay=5, force=True)
    mark(ENDS)
    say({**seen, **supervisor.measured, **flood(asked)})


def flood(asked: Mapping[str, Any]) -> dict[str, float]:
    """Have one trigger alone write into its log as fast as it can; give the bytes of a second, and how it holds up."""
    supervisor = started(RelaySupervisor)
    supervisor.turn_seconds, supervisor.call_seconds = asked["turn_seconds"], asked["call_seconds"]
    supervisor.wanted = {FLOOD_ID: (FLOOD, {"count": asked["flood_bytes"]})}
    while not supervisor.channel_bytes:
        run_for(supervisor, 0.05)
    start, before = time.monotonic(), supervisor.channel_bytes
    while FLOOD_ID not in supervisor.events_at:
        run_for(supervisor, 0.05)
    rate = (supervisor.channel_bytes - before) / (time.monotonic() - start)
    supervisor.kill(escalation_delay=5, force=True)
    return {"flood_rate": rate, "flood_held_up": supervisor.payloads[FLOOD_ID]}


if __name__ == "__main__":
    main()
