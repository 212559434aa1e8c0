"""What it costs to wait for many builds at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.bench.fleet import (
    DELAY_SECONDS,
    ENDING_SHARE,
    POLL_INTERVAL,
    SECONDS,
    SETTLE_SECONDS,
    Figures,
    measure_ours,
    measure_peer,
)
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
{seconds:.0f} seconds, memory its growth by all waits but the first. Loop delay is how late a sleep of 50 ms ends, in
{delay_seconds:.0f} seconds after them, since what measures it costs time too. End to event is the time from the
service's end of a run to the event in the supervisor. Warnings of a blocked loop are Airflow's own: those from the
measured time on, and those before, of the start of the runner, its imports, and the time in which all waits begin.

{tables}
With {alone:,} builds, without a peer: {alone_figures}

To reach at a thousand: a fiftieth of the requests, a hundredth of the connections, a five-hundredth of the tokens,
a tenth of CPU and memory, ends seen no later at p95; at {alone:,} no warning of a blocked loop in the measured time,
and requests and CPU at most in proportion. {verdict} CPU has a part that does not grow with the waits and that
both sides pay: the runner exchanges messages with its supervisor, and watches its loop. In the minute before the
first of these runs {load:.1f} processes on average wanted the {processors} processors.
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
    "blocked_before": ("such warnings before", 0),
    "missed": ("ends without an event", 0),
}


# At the largest size that has a peer: which share of the peer's is to be reached.
SHARES = {"requests": 1 / 50, "handshakes": 1 / 100, "tokens": 1 / 500, "cpu": 0.1, "memory_per_wait": 0.1, "p95": 1.0}
IN_PROPORTION = ("requests", "cpu")


def measured(_: Path) -> dict[str, object]:
    """Measure each size, ours and the peer's."""
    load = os.getloadavg()[0]
    sides = {size: (measure_ours(size), measure_peer(size)) for size in SIZES}
    alone = measure_ours(ALONE)
    return {
        "interval": POLL_INTERVAL,
        "settle": SETTLE_SECONDS,
        "seconds": SECONDS,
        "share": ENDING_SHARE,
        "delay_seconds": DELAY_SECONDS,
        "tables": "\n".join(table(size, *both) for size, both in sides.items()),
        "alone": ALONE,
        "alone_figures": sentence(alone),
        "verdict": verdict(*sides[SIZES[-1]], alone),
        "load": load,
        "processors": os.cpu_count(),
    }


def verdict(ours: Figures, peer: Figures, alone: Figures) -> str:
    """Say what was not reached, and by how much."""
    mine, theirs, most = values(ours), values(peer), values(alone)
    shares = {name: mine[name] / theirs[name] for name in SHARES}
    missed = [
        f"{LABELS[name][0]} ({shares[name]:.4g} of the peer's instead of {share:.4g})"
        for name, share in SHARES.items()
        if not shares[name] <= share
    ]
    if alone.blocked:
        missed.append(f"{LABELS['blocked'][0]} ({alone.blocked} at {ALONE:,})")
    grown = {name: most[name] / mine[name] for name in IN_PROPORTION}
    missed += [
        f"{LABELS[name][0]} at {ALONE:,} ({grown[name]:.2f} times those at {SIZES[-1]:,})"
        for name in IN_PROPORTION
        if not grown[name] <= ALONE / SIZES[-1]
    ]
    return f"Not reached: {'; '.join(missed)}." if missed else "All of it was reached."


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
        "blocked_before": figures.blocked_before,
        "missed": figures.missed,
    }


SECTION = Section("watching", TEXT, measured)
