"""Airflow's own triggerer process with many waits: `python -m tests.bench.fleet_triggerer`, in a process of its own.

The supervisor and its runner are Airflow's, as `airflow triggerer` starts them, each a process. Only what the
supervisor reads from the database is handed in: the triggers; and what it would write there is noted down: the events.
It reads one line of JSON, what to wait for and for how long, and writes one with what it saw.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.executors.workloads.trigger import RunTrigger
from airflow.jobs.triggerer_job_runner import TriggerRunnerSupervisor
from airflow.models.trigger import Trigger

from tests.bench.fleet_marks import BEGINS

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBE = "tests.bench.fleet_triggers.LoopDelayTrigger"
PROBE_ID = 1_000_000
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Supervisor(TriggerRunnerSupervisor):
    """Supervise triggers that are handed in."""

    wanted: dict[int, tuple[str, dict[str, Any]]]
    events_at: dict[int, float]
    payloads: dict[int, Any]
    delays: list[float]
    failures: int = 0

    def load_triggers(self) -> None:
        """Run what is wanted."""
        known = set(self.events_at)
        self.update_triggers(set(self.wanted) - known)

    def build_trigger_workloads(self, new_trigger_ids: set[int], **_: Any) -> list[RunTrigger]:
        """Make of a trigger what is sent to the runner."""
        return [
            RunTrigger(id=number, classpath=classpath, encrypted_kwargs=Trigger.encrypt_kwargs(arguments))
            for number, (classpath, arguments) in self.wanted.items()
            if number in new_trigger_ids
        ]

    def handle_events(self) -> None:
        """Note when which event came."""
        while self.events:
            entry = self.events.popleft()
            if entry.trigger_id == PROBE_ID:
                self.delays += entry.event.payload
            else:
                self.events_at.setdefault(entry.trigger_id, time.time())
                self.payloads[entry.trigger_id] = entry.event.payload

    def handle_failed_triggers(self) -> None:
        """Count them."""
        while self.failed_triggers:
            self.failed_triggers.popleft()
            self.failures += 1

    def begin(self) -> None:
        """Take note that the measured time begins."""

    def end(self) -> None:
        """Take note that it is over."""

    def clean_unused(self) -> None:
        """Leave it."""

    def heartbeat(self) -> None:
        """Leave it."""

    def emit_metrics(self) -> None:
        """Leave it."""


AnySupervisor = TypeVar("AnySupervisor", bound=Supervisor)


def main() -> None:
    """Run the triggers, and say what was seen."""
    asked = read_order()
    supervisor = started(Supervisor)
    seen = observe(supervisor, asked)
    supervisor.kill(escalation_delay=5, force=True)
    say(seen)


def read_order() -> dict[str, Any]:
    """Read what to wait for and for how long."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    logging.basicConfig(filename=asked["log"], level=logging.INFO)
    return asked


def started(kind: type[AnySupervisor]) -> AnySupervisor:
    """Start a supervisor and its runner."""
    supervisor: AnySupervisor = kind.start(capacity=10**7, job=None)
    supervisor.events_at, supervisor.payloads, supervisor.delays = {}, {}, []
    return supervisor


def observe(supervisor: Supervisor, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Run the triggers, and give what was seen."""
    waits = {number: (each[0], each[1]) for number, each in enumerate(asked["waits"], start=1)}
    # One wait goes before the others, so that what is loaded once counts for nobody.
    supervisor.wanted = {1: waits[1]}
    run_for(supervisor, asked["warm_seconds"])
    memory = resident_bytes(supervisor.pid)
    supervisor.wanted.update(waits)
    run_for(supervisor, asked["settle_seconds"])
    grown = resident_bytes(supervisor.pid) - memory
    mark(BEGINS)
    supervisor.begin()
    cpu = cpu_seconds(supervisor.pid)
    run_for(supervisor, asked["seconds"])
    cpu = cpu_seconds(supervisor.pid) - cpu
    supervisor.end()
    # Only now, since it would count as the waits' work: it wakes up twenty times a second.
    supervisor.wanted[PROBE_ID] = (PROBE, {"seconds": 2.0})
    run_for(supervisor, asked["delay_seconds"])
    return {
        "cpu": cpu,
        "memory_per_wait": grown / max(1, len(waits) - 1),
        "delays": sorted(supervisor.delays),
        "events_at": {number - 1: moment for number, moment in supervisor.events_at.items()},
        "failures": supervisor.failures,
    }


def say(seen: Mapping[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


def mark(words: str) -> None:
    """Write where something begins or ends, between what Airflow says: that goes either way."""
    for stream in (sys.stdout, sys.stderr):
        stream.write(f"\n{words}\n")
        stream.flush()


def run_for(supervisor: Supervisor, seconds: float) -> None:
    """Let the supervisor do its work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not supervisor.is_alive():
            raise RuntimeError("The runner has ended.")
        supervisor.run_once()


def cpu_seconds(pid: int) -> float:
    """Read what a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """Read how much memory a process has."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
