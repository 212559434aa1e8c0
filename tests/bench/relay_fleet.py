"""Many waits in one triggerer that relay their builds' logs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.fleet import SECONDS, Observed, blocked_in, observe, our_waits, percentile
from tests.bench.relay_logs import LINE_BYTES, PACE, LogCourse, Relayed, lines_of, relayed

if TYPE_CHECKING:
    from collections.abc import Sequence

# So long takes a turn of a supervisor with a database, in which it reads 4 KiB of the channel; and a call for an XCom.
TURN_SECONDS, CALL_SECONDS = 0.009, 0.006
FLOOD_BYTES = 2_000_000


@dataclass(frozen=True)
class RelayFigures:
    """Hold what relaying has cost, and what came of it.

    :param channel: bytes of a second through the channel, in the measured time
    :param flood: bytes of a second that one trigger alone brings through it
    :param flood_held_up: seconds for which it holds up the event loop at most
    :param usual: lines written by then in logs of the usual pace, and told in their tasks' logs
    :param flooding: the same of those that gain more than their part
    :param left_out: lines that notes speak of
    :param lost: lines that are missing without a note
    :param doubled: lines that are told twice
    :param strange: lines that are cut, or in another task's log
    :param behind: for how many seconds a log of the usual pace was ahead of what was told, in the end, while its build
        goes on; the median, and the most
    :param requests: to Resource Manager
    :param reads: requests to storage
    :param tokens: requests for tokens
    :param xcom_calls: of the measured time
    :param cpu: seconds of the runner's process, in the measured time
    :param supervisor_cpu: seconds of the supervisor's
    :param memory_per_wait: bytes
    :param delay: of the event loop, 99th percentile, in seconds
    :param blocked: warnings of a blocked event loop, in the measured time
    :param latency: from the end to the event, 50th and 95th percentile, in seconds
    :param missed: ends without an event
    """

    channel: float
    flood: float
    flood_held_up: float
    usual: tuple[int, int]
    flooding: tuple[int, int]
    left_out: int
    lost: int
    doubled: int
    strange: int
    behind: tuple[float, float]
    requests: int
    reads: int
    tokens: int
    xcom_calls: int
    cpu: float
    supervisor_cpu: float
    memory_per_wait: float
    delay: float
    blocked: int
    latency: tuple[float, float]
    missed: int


def measure_relays(count: int) -> RelayFigures:
    """Wait for builds, and relay all of their logs."""
    with tempfile.TemporaryDirectory() as folder:
        observed = observe(
            count,
            partial(our_waits, relay_log="full"),
            Path(folder),
            azure="relay_azure",
            triggerer="relay_triggerer",
            more={"turn_seconds": TURN_SECONDS, "call_seconds": CALL_SECONDS, "flood_bytes": FLOOD_BYTES},
        )
        logs = [relayed(number, _task_log(Path(folder), number)) for number in range(count)]
    return figures(observed, logs)


def _task_log(folder: Path, number: int) -> list[str]:
    file = folder / "logs" / f"{number}.log"
    return list(lines_of(file.read_text(encoding="utf-8"))) if file.exists() else []


def figures(observed: Observed, logs: Sequence[Relayed]) -> RelayFigures:
    """Make the figures."""
    asked, seen = observed.asked, observed.seen
    in_time: list[int] = asked["in_time"]
    over = set(observed.over)
    latencies, behind = observed.latencies, _behind(observed, logs)
    return RelayFigures(
        channel=seen["channel_bytes"] / SECONDS,
        flood=seen["flood_rate"],
        flood_held_up=seen["flood_held_up"],
        usual=_lines(observed, logs, is_flooding=False),
        flooding=_lines(observed, logs, is_flooding=True),
        left_out=sum(log.left_out for log in logs),
        lost=sum(log.missing_of(in_time[number] if number in over else 0) for number, log in enumerate(logs)),
        doubled=sum(log.doubled for log in logs),
        strange=sum(log.strange for log in logs),
        behind=(percentile(behind, 50), percentile(behind, 100)),
        requests=asked["requests"] - asked["blob_requests"],
        reads=asked["blob_requests"],
        tokens=asked["tokens"],
        xcom_calls=int(seen["xcom_calls"]),
        cpu=seen["cpu"],
        supervisor_cpu=seen["supervisor_cpu"],
        memory_per_wait=seen["memory_per_wait"],
        delay=percentile(seen["delays"], 99),
        blocked=seen["blocked"] + blocked_in(observed.log)[1],
        latency=(percentile(latencies, 50), percentile(latencies, 95)),
        missed=len(over) - len(latencies),
    )


def courses(observed: Observed) -> list[LogCourse]:
    """Say how each log has grown."""
    return [LogCourse(number, observed.asked["begun"], end) for number, end in enumerate(observed.ends)]


def _lines(observed: Observed, logs: Sequence[Relayed], *, is_flooding: bool) -> tuple[int, int]:
    chosen = [course for course in courses(observed) if course.is_flooding == is_flooding]
    written = sum(course.lines_at(observed.seen["stopped_at"]) for course in chosen)
    return written, sum(logs[course.number].told for course in chosen)


def _behind(observed: Observed, logs: Sequence[Relayed]) -> list[float]:
    """Give for how many seconds each log of the usual pace was ahead of what was told, sorted."""
    over, stopped_at = set(observed.over), observed.seen["stopped_at"]
    return sorted(
        (course.lines_at(stopped_at) - log.end) * LINE_BYTES / PACE
        for course, log in zip(courses(observed), logs, strict=True)
        if course.number not in over and not course.is_flooding
    )
