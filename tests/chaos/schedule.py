"""What is killed when, which builds are asked for, and how often calls go wrong: all of it decided by one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

PROGRAMS = ("worker-1", "worker-2", "triggerer-1", "triggerer-2", "scheduler-1", "scheduler-2", "api-server")
CONNECTIONS = "connections"
TARGETS = (*PROGRAMS, CONNECTIONS)
"""What may be struck; connections are those of the database, which are cut all at once."""
FIRST_STRIKE = 12.0
LEAST_GAP, LARGEST_GAP = 10.0, 26.0
SHORTEST_ABSENCE, LONGEST_ABSENCE = 0.5, 10.0

FAULT_SHARE = 0.10
FAULTS: tuple[dict[str, object], ...] = (
    {"action": "status", "status": 500},
    {"action": "status", "status": 502, "moment": "after"},
    {"action": "status", "status": 503, "retry_after": 1},
    {"action": "status", "status": 429, "retry_after": 1},
    {"action": "status", "status": 408},
    {"action": "reset"},
    {"action": "reset", "moment": "after"},
    {"action": "delay", "seconds": 3},
    {"action": "delay", "seconds": 3, "moment": "after"},
    {"action": "drip", "bytes_per_second": 256 * 1024},
    {"action": "malformed"},
    {"action": "truncated"},
    {"action": "content-type"},
)
"""Every kind of fault that the emulator can plan, before and after the effect, in the words of its `Fault`."""

Fate = Literal["good", "lost_answer", "quota", "script"]
FATES: tuple[Fate, ...] = ("good", "script", "quota", "lost_answer")
FAILURES: dict[Fate, dict[str, object]] = {
    "lost_answer": {"kind": "gateway_timeout", "moment": "after"},
    "quota": {"kind": "catalogue", "name": "containers-quota"},
    "script": {"kind": "catalogue", "name": "script-failed", "count": 1000},
}
"""What Azure does to a build of that fate; a good one is left alone."""
RARE = 0.1


@dataclass(frozen=True)
class Strike:
    """Kill something, and start it again.

    :param at: seconds since the builds were asked for.
    :param target: one of `TARGETS`.
    :param takes_all: whether all that it has started dies with it, as when a machine is lost; else its first process
        only, as when the system is short of memory.
    :param absence: seconds until it is started again.
    """

    at: float
    target: str
    takes_all: bool
    absence: float


@dataclass(frozen=True)
class Build:
    """Ask for one image.

    :param name: of its image template, which no other build has.
    :param fate: what becomes of it.
    :param deferrable: whether its task waits on the triggerer.
    """

    name: str
    fate: Fate
    deferrable: bool

    @property
    def is_to_succeed(self) -> bool:
        """Whether an image is to come of it."""
        return self.fate != "script"

    @property
    def runs(self) -> int:
        """How many runs it takes: what lacked quota is tried again, a script that fails is not."""
        return 2 if self.fate == "quota" else 1


def strikes(seed: int, seconds: float) -> tuple[Strike, ...]:
    """Return what is struck within so many seconds; every target comes once before one comes twice."""
    dice = random.Random(f"strikes {seed}")  # noqa: S311 - to be repeatable, not secret
    found: list[Strike] = []
    at, waiting = FIRST_STRIKE, _shuffled(dice)
    while at < seconds:
        waiting = waiting or _shuffled(dice)
        found.append(
            Strike(
                round(at, 1),
                waiting.pop(),
                takes_all=dice.random() < 0.5,
                absence=round(dice.uniform(SHORTEST_ABSENCE, LONGEST_ABSENCE), 1),
            )
        )
        at += dice.uniform(LEAST_GAP, LARGEST_GAP)
    return tuple(found)


def builds(seed: int, count: int) -> tuple[Build, ...]:
    """Return the builds to ask for: each fate at least once, most of them good, half of them deferrable."""
    dice = random.Random(f"builds {seed}")  # noqa: S311 - as above
    fates = [*FATES, *(_fate(dice) for _ in range(count - len(FATES)))][:count]
    dice.shuffle(fates)
    return tuple(Build(f"image-{number:03}", fate, dice.random() < 0.5) for number, fate in enumerate(fates, 1))


def faults(seed: int) -> tuple[dict[str, object], ...]:
    """Return the faults to plan, which together strike a tenth of all calls."""
    # The first fault that strikes a call is the one that counts: so all must miss it for it to pass.
    probability = 1 - (1 - FAULT_SHARE) ** (1 / len(FAULTS))
    return tuple(
        {**fault, "count": None, "probability": probability, "seed": seed * 100 + number}
        for number, fault in enumerate(FAULTS)
    )


def _fate(dice: random.Random) -> Fate:
    number = int(dice.random() / RARE)
    return FATES[number] if 0 < number < len(FATES) else "good"


def _shuffled(dice: random.Random) -> list[str]:
    targets = list(TARGETS)
    dice.shuffle(targets)
    return targets
