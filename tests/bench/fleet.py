"""Many waits in one triggerer: ours for builds, and the official trigger for as many virtual machines."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.triggers.watching import WatchOrder
from tests.bench.fleet_azure import RESOURCE_GROUP
from tests.bench.fleet_marks import BEGINS, BLOCKED, ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_aib.image_run.choices import RelayLevel

    Waits = Callable[[Mapping[str, Any], int], list[tuple[str, dict[str, Any]]]]

ROOT = Path(__file__).resolve().parents[2]
POLL_INTERVAL = 30.0
WARM_SECONDS, SETTLE_SECONDS, SECONDS, DELAY_SECONDS = 12.0, 45.0, 100.0, 32.0
# Of ten waits two end within the measured time, at moments of their own; the others go on.
ENDING_SHARE = 0.2
LAST_END_BEFORE = 35.0
FAR_AWAY = 86_400.0
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Figures:
    """Hold what a fleet has cost.

    :param requests: to Resource Manager, from the first wait on
    :param lists: how many of them were pages of lists
    :param tokens: requests for tokens
    :param handshakes: TLS connections
    :param cpu: seconds of the runner's process, in the measured time
    :param memory_per_wait: bytes
    :param delay: of the event loop, 99th percentile, in seconds
    :param latency: from the end to the event, 50th and 95th percentile, in seconds
    :param blocked: how often Airflow warned of a blocked event loop in the measured time
    :param blocked_before: how often it did so before, while it started and all waits began
    :param missed: waits that had no event although their end had come
    """

    requests: int
    lists: int
    tokens: int
    handshakes: int
    cpu: float
    memory_per_wait: float
    delay: float
    latency: tuple[float, float]
    blocked: int
    blocked_before: int
    missed: int


@dataclass(frozen=True)
class Observed:
    """Hold what was said of a fleet.

    :param asked: what was asked of Azure
    :param seen: what the supervisor has seen
    :param ends: when which run ends, in seconds since the epoch
    :param log: of the triggerer
    """

    asked: Mapping[str, Any]
    seen: Mapping[str, Any]
    ends: Sequence[float]
    log: str

    @property
    def over(self) -> list[int]:
        """The runs that have ended."""
        return [number for number, end in enumerate(self.ends) if end < min(self.ends) + FAR_AWAY / 2]

    @property
    def latencies(self) -> list[float]:
        """Seconds from the end of each run to its event, sorted."""
        events = {int(number): moment for number, moment in self.seen["events_at"].items()}
        return sorted(events[number] - self.ends[number] for number in self.over if number in events)


def measure_ours(count: int) -> Figures:
    """Wait for builds."""
    return _measure(count, our_waits)


def measure_peer(count: int) -> Figures:
    """Wait for virtual machines with the official trigger."""
    return _measure(count, _peer_waits)


def _measure(count: int, waits: Waits) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        return _figures(observe(count, waits, Path(folder)))


def observe(
    count: int,
    waits: Waits,
    folder: Path,
    *,
    azure: str = "fleet_azure",
    triggerer: str = "fleet_triggerer",
    more: Mapping[str, Any] | None = None,
) -> Observed:
    """Have a triggerer wait, and give what Azure and the supervisor say of it.

    :param waits: makes the waits, of what Azure says of itself
    :param folder: is Airflow's home
    :param azure: module of the process that is Azure
    :param triggerer: module of the triggerer's process
    :param more: of what the triggerer is told
    """
    with _process(azure, {}) as cloud:
        # The start of the triggerer, and of Airflow in it, takes its time too.
        facts = _tell(cloud, {"ends": _ends(count, from_now=WARM_SECONDS + SETTLE_SECONDS + 20)})
        log = folder / "log"
        home = {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        }
        connections = {
            "AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT": json.dumps(facts["connection"]),
            "AIRFLOW_CONN_AZURE_DEFAULT": json.dumps({**facts["connection"], "conn_type": "azure"}),
        }
        # Two processes write at its end: Airflow's supervisor by its own way, and whatever else by this one.
        with log.open("a") as written:
            environment = {**facts["environment"], **home, **connections}
            with _process(triggerer, environment, log=written) as process:
                seen = _tell(
                    process,
                    {
                        "log": str(log),
                        "waits": waits(facts, count),
                        "seconds": SECONDS,
                        "warm_seconds": WARM_SECONDS,
                        "settle_seconds": SETTLE_SECONDS,
                        "delay_seconds": DELAY_SECONDS,
                        **(more or {}),
                    },
                )
        return Observed(_tell(cloud, {}), seen, facts["ends"], log.read_text(encoding="utf-8", errors="replace"))


def _figures(observed: Observed) -> Figures:
    asked, seen = observed.asked, observed.seen
    before, blocked = blocked_in(observed.log)
    latencies = observed.latencies
    return Figures(
        requests=asked["requests"],
        lists=asked["lists"],
        tokens=asked["tokens"],
        handshakes=asked["handshakes"],
        cpu=seen["cpu"],
        memory_per_wait=seen["memory_per_wait"],
        delay=percentile(seen["delays"], 99),
        latency=(percentile(latencies, 50), percentile(latencies, 95)),
        blocked=seen["blocked"] + blocked,
        blocked_before=seen["blocked_before"] + before,
        missed=len(observed.over) - len(latencies),
    )


def blocked_in(log: str) -> tuple[int, int]:
    """Count the warnings of a blocked event loop before the measured time, and from its beginning on."""
    before, begins, since = log.partition(ENDS)[0].partition(BEGINS)
    # Should it not be known when that was, all of them count.
    return (before.count(BLOCKED), since.count(BLOCKED)) if begins else (0, before.count(BLOCKED))


def percentile(values: Sequence[float], share: int) -> float:
    """Give a percentile of sorted values."""
    return values[min(len(values) - 1, len(values) * share // 100)] if values else float("nan")


def _ends(count: int, *, from_now: float) -> list[float]:
    """Choose when which wait ends, always the same."""
    dice = random.Random(count)  # noqa: S311 - both sides have the same ends
    ending = set(dice.sample(range(1, count), int(count * ENDING_SHARE)))
    last = from_now + SECONDS - LAST_END_BEFORE - 20
    return [dice.uniform(from_now, last) if number in ending else FAR_AWAY for number in range(count)]


def our_waits(
    facts: Mapping[str, Any], count: int, *, relay_log: RelayLevel = "off"
) -> list[tuple[str, dict[str, Any]]]:
    """Wait for builds."""
    subscription_id = facts["connection"]["extra"]["subscriptionId"]
    now = datetime.now(UTC)
    waits = []
    for number in range(count):
        handle = ImageRunHandle(image_template_id(subscription_id, RESOURCE_GROUP, str(number)), LONG_AGO.isoformat())
        order = WatchOrder(handle, now + timedelta(days=2), poll_interval=POLL_INTERVAL, relay_log=relay_log)
        arguments = {"order": order.to_json(), "not_before": now.isoformat()}
        waits.append(("airflow_aib.triggers.image_template.AzureImageTemplateRunTrigger", arguments))
    return waits


def _peer_waits(facts: Mapping[str, Any], count: int) -> list[tuple[str, dict[str, Any]]]:
    endpoint = facts["connection"]["extra"]["resource_manager_endpoint"]
    common = {
        "endpoint": endpoint,
        "resource_group_name": RESOURCE_GROUP,
        "target_state": "deallocated",
        "poke_interval": POLL_INTERVAL,
    }
    return [
        ("tests.bench.fleet_triggers.VirtualMachineTrigger", {**common, "vm_name": str(number)})
        for number in range(count)
    ]


def _process(module: str, environment: Mapping[str, str], *, log: IO[str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def _tell(process: subprocess.Popen[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Hand a process one line, and read until the one in which it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(facts) + "\n")
    process.stdin.flush()
    said = ""
    for line in process.stdout:
        # What Airflow says stands between the answers.
        said += line if any(mark in line for mark in (BLOCKED, BEGINS, ENDS)) else ""
        if line.startswith("{") and '"timestamp"' not in line:
            answer: dict[str, Any] = json.loads(line)
            before, blocked = blocked_in(said)
            return {**answer, "blocked_before": before, "blocked": blocked}
    raise RuntimeError(f"{process.args!r} has ended without an answer")
