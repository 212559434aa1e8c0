"""What it costs to relay the logs of many builds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.hooks.byte_budget import SHARED_BYTES_PER_SECOND
from tests.bench.fleet import DELAY_SECONDS, ENDING_SHARE, POLL_INTERVAL, SECONDS, SETTLE_SECONDS
from tests.bench.relay_azure import BETWEEN_WRITES
from tests.bench.relay_fleet import CALL_SECONDS, TURN_SECONDS, RelayFigures, measure_relays
from tests.bench.relay_logs import FLOOD, FLOODING_EACH, PACE
from tests.bench.section import Section, goals

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 1000
KB = 1000
TEXT = """\
## Relaying the logs of a thousand builds

{count:,} builds at once in one triggerer, each with `relay_log="full"`, looked at every {interval:.0f} seconds.
Airflow's own supervisor and runner, each a process, run the triggers, and write a log file for each task. Azure is the
emulator with a staging account and a log for each build, in a process of its own on the same machine. A log gains
{pace:.0f} bytes a second, written every {between} seconds; one in {flooding} gains {flood:,.0f}. All waits begin within
{settle:.0f} seconds; in the {seconds:.0f} seconds after them, which are measured, {share:.0%} of the builds end.

What is logged goes through one channel, of which the supervisor reads 4 KiB in each of its turns. In place of its
database it pauses: {turn:.0f} ms in each turn, and {call:.0f} ms for each XCom. The peer is the channel itself: one
trigger that logs as fast as it can brings {channel_flood:,.0f} kB a second through it, and holds up the event loop for
up to {flood_held_up:.2f} s at a time.

| {count:,} relays | |
| --- | ---: |
{rows}

{goals}

A line is lost that is missing in its task's log although its build is over, or that is missing before another one,
unless a note there says how much is left out: that is what the relay does to a log that gains more than its part. Loop
delay is how late a sleep of 50 ms ends, in {delay_seconds:.0f} seconds after the measured time. Warnings of a blocked
loop are Airflow's own, which it gives as well where other programs keep the runner from a processor.

Here all accounts are behind one address; the service has one for each, and so a TLS connection for each build.
"""


def measured(_: Path) -> dict[str, object]:
    """Measure the relays."""
    figures = measure_relays(COUNT)
    return {
        "count": COUNT,
        "interval": POLL_INTERVAL,
        "pace": PACE,
        "between": BETWEEN_WRITES,
        "flooding": FLOODING_EACH,
        "flood": FLOOD,
        "settle": SETTLE_SECONDS,
        "seconds": SECONDS,
        "share": ENDING_SHARE,
        "turn": TURN_SECONDS * 1000,
        "call": CALL_SECONDS * 1000,
        "channel_flood": figures.flood / KB,
        "flood_held_up": figures.flood_held_up,
        "rows": "\n".join(rows(figures)),
        "goals": goals(
            ("through the channel, of what it carries", figures.channel / figures.flood, 0.5),
            ("lines lost, doubled or cut", figures.lost + figures.doubled + figures.strange, 0),
            ("warnings of a blocked loop", figures.blocked, 0),
            ("ends without an event", figures.missed, 0),
        ),
        "delay_seconds": DELAY_SECONDS,
    }


def rows(figures: RelayFigures) -> list[str]:
    """Return the rows of the table."""
    return [
        f"| through the channel, kB a second | {figures.channel / KB:,.0f} |",
        f"| share of all relays in it, kB a second | {SHARED_BYTES_PER_SECOND / KB:,.0f} |",
        f"| lines written and told, of logs of the usual pace | {figures.usual[0]:,}, {figures.usual[1]:,} |",
        f"| the same of those that gain more than their part | {figures.flooding[0]:,}, {figures.flooding[1]:,} |",
        f"| lines left out, as a note says | {figures.left_out:,} |",
        f"| lines lost, doubled, cut | {figures.lost:,}, {figures.doubled:,}, {figures.strange:,} |",
        f"| told behind what was written, median and most, s | {_two(figures.behind)} |",
        f"| requests to Resource Manager, to storage, for tokens | {_requests(figures)} |",
        f"| requests for XComs in the measured time | {figures.xcom_calls:,} |",
        f"| CPU of the runner, of the supervisor, s | {figures.cpu:.1f}, {figures.supervisor_cpu:.1f} |",
        f"| memory per wait, KB | {figures.memory_per_wait / KB:.1f} |",
        f"| loop delay p99, ms | {figures.delay * 1000:.1f} |",
        f"| warnings of a blocked loop | {figures.blocked} |",
        f"| end to event p50 and p95, s | {_two(figures.latency)} |",
    ]


def _two(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.1f}, {pair[1]:.1f}"


def _requests(figures: RelayFigures) -> str:
    return f"{figures.requests:,}, {figures.reads:,}, {figures.tokens:,}"


SECTION = Section("relays", TEXT, measured)
