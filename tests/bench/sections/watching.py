"""What it costs to wait for many builds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.fleet import ENDING_SHARE, POLL_INTERVAL, SECONDS, SETTLE_SECONDS, Figures, measure_ours, measure_peer
from tests.bench.section import Section, row

if TYPE_CHECKING:
    from pathlib import Path

# At the largest size the peer is measured no more: one processor is not enough for it.
SIZES, ALONE = (100, 1000), 3000
TEXT = """\
## Watching thousands of runs

That many builds at once in one triggerer, beside as many virtual machines watched by `AzureVirtualMachineStateTrigger`
of the official provider, its code untouched but for the endpoint, both looking every {interval:.0f} seconds. Airflow's
own supervisor and runner, each a process, run the triggers; these are handed to the supervisor instead of read from a
database. Azure is the emulator, in a process of its own on the same machine. Logs are not relayed: the peer has none.

Requests, tokens and TLS connections are those of the whole run: about {settle:.0f} seconds in which all waits begin,
then {seconds:.0f} seconds in which {share:.0%} of them end, at moments of their own. CPU is the runner's in those
{seconds:.0f} seconds, memory its growth by all waits but the first. Loop delay is how late a sleep of 50 ms ends. End
to event is the time from the service's end of a run to the event in the supervisor.

{tables}
With {alone:,} builds, without a peer: {alone_figures}

To reach at a thousand: a fiftieth of the requests, a hundredth of the connections, a five-hundredth of the tokens,
a tenth of CPU and memory; and no warning of a blocked loop at {alone:,}. CPU has a part that does not grow with the
waits and that both sides pay: the runner exchanges messages with its supervisor, watches its loop, and measures it
for us. The warnings are those of the whole run, the start of the runner and its imports included; how many fall
into the measured time is not measured, so that figure counts as missed. Other programs shared the two processors in
this run.
"""
LABELS = {
    "requests": ("requests", 0),
    "lists": ("of them pages of lists", 0),
    "tokens": ("token requests", 0),
    "handshakes": ("TLS connections", 0),
    "cpu": ("CPU, seconds", 2),
    "memory_per_wait": ("memory per wait, KB", 1),
    "delay": ("loop delay p99, ms", 1),
    "median": ("end to event p50, seconds", 1),
    "p95": ("end to event p95, seconds", 1),
    "blocked": ("warnings of a blocked loop", 0),
    "missed": ("ends without an event", 0),
}


def measured(_: Path) -> dict[str, object]:
    """Measure each size, ours and the peer's."""
    return {
        "interval": POLL_INTERVAL,
        "settle": SETTLE_SECONDS,
        "seconds": SECONDS,
        "share": ENDING_SHARE,
        "tables": "\n".join(table(size, measure_ours(size), measure_peer(size)) for size in SIZES),
        "alone": ALONE,
        "alone_figures": sentence(measure_ours(ALONE)),
    }


def table(size: int, ours: Figures, peer: Figures) -> str:
    """Return the table of one size."""
    mine, theirs = values(ours), values(peer)
    rows = [row(label, mine[name], theirs[name], places=places) for name, (label, places) in LABELS.items()]
    return "\n".join((f"| {size:,} waits | ratio | ours | official |", "| --- | ---: | ---: | ---: |", *rows, ""))


def sentence(figures: Figures) -> str:
    """Return the figures of one side in a row."""
    found = values(figures)
    return ", ".join(f"{label} {found[name]:,.{places}f}" for name, (label, places) in LABELS.items()) + "."


def values(figures: Figures) -> dict[str, float]:
    """Return the figures in the units of the table."""
    median, p95 = figures.latency
    return {
        "requests": figures.requests,
        "lists": figures.lists,
        "tokens": figures.tokens,
        "handshakes": figures.handshakes,
        "cpu": figures.cpu,
        "memory_per_wait": figures.memory_per_wait / 1000,
        "delay": figures.delay * 1000,
        "median": median,
        "p95": p95,
        "blocked": figures.blocked,
        "missed": figures.missed,
    }


SECTION = Section("watching", TEXT, measured)
