"""Strikes a cluster by the schedule until every build is over, and notes what was seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from demo.waiting import DemoError
from tests.chaos.evidence import find_builds_over, take_snapshot
from tests.chaos.recovery import count_successes
from tests.chaos.schedule import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.evidence import Asked
    from tests.chaos.recovery import Snapshot
    from tests.chaos.schedule import Build, Strike

LOOK_INTERVAL = 1.0
PAUSE = 0.1
ON_THEIR_WAY = 18
"""How many builds are asked for ahead of those that are over."""
# Seconds that a strike waits for a task to succeed after the one before: on a slow machine all would be down for ever.
LONGEST_MERCY = 30.0


class Struck(Protocol):
    """Name what is used of a `Cluster`."""

    @property
    def database(self) -> Asked:
        """Airflow's database."""
        ...

    def kill(self, name: str, *, takes_all: bool) -> None:
        """Kill a program."""
        ...

    def revive(self, name: str) -> None:
        """Start it again."""
        ...

    def ended_by_themselves(self) -> list[str]:
        """Return which programs want reviving though nobody has killed them."""
        ...

    def cut_connections(self) -> int:
        """End every connection to the database."""
        ...


@dataclass
class Fight:
    """Fight one cluster.

    :param cluster: what is struck.
    :param strikes: when and where, in the order of time.
    :param builds: what to ask for, as long as there is time for it.
    :param ask: asks for one; False when there was no good answer.
    :param ask_until: seconds after which no other build is asked for.
    :param show: told how far it is.
    :param clock: seconds that only move forward.
    :param pause: lets so many of them pass.

    What it has done and seen: the builds that were `asked` for, those of them that are `over`, `snapshots`, the targets
    that were `struck` and when, and the programs that were `revived` though nobody had killed them.
    """

    cluster: Struck
    strikes: tuple[Strike, ...]
    builds: tuple[Build, ...]
    ask: Callable[[Build], bool]
    ask_until: float
    show: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    asked: list[Build] = field(default_factory=list)
    over: frozenset[str] = frozenset()
    snapshots: list[Snapshot] = field(default_factory=list)
    struck: list[tuple[str, float]] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    _began: float = 0.0
    _to_revive: dict[str, float] = field(default_factory=dict)
    _is_asking: bool = False

    def carry_out(self, seconds: float) -> None:
        """Fight until every build is over, for so many seconds at most."""
        self._began, to_strike = self.clock(), list(self.strikes)
        while self._now() < seconds:
            if to_strike and to_strike[0].at <= self._now() and self._may_strike():
                self._strike(to_strike.pop(0))
            self._revive(self._now())
            self._ask()
            if self._is_time_to_look() and self._are_all_over():
                break
            self.pause(PAUSE)
        self._revive(float("inf"))

    def _now(self) -> float:
        return self.clock() - self._began

    def _ask(self) -> None:
        """Ask for the next build; what was asked for in vain may have been heard, and is asked for until it is sure."""
        left = self.builds[len(self.asked) :]
        is_time = self._is_asking or self._now() < self.ask_until
        if left and is_time and len(self.asked) - len(self.over) < ON_THEIR_WAY:
            self._is_asking = not self.ask(left[0])
            if not self._is_asking:
                self.asked.append(left[0])

    def _may_strike(self) -> bool:
        if not self.struck or not self.snapshots:
            return True
        _, last = self.struck[-1]
        before = next((seen for seen in reversed(self.snapshots) if seen.at <= last), self.snapshots[0])
        has_progress = count_successes(self.snapshots[-1]) > count_successes(before)
        return has_progress or self._now() - last > LONGEST_MERCY

    def _strike(self, strike: Strike) -> None:
        target = strike.target
        if target in self._to_revive:
            return  # it is down already
        if target == CONNECTIONS:
            self.cluster.cut_connections()
        else:
            self.cluster.kill(target, takes_all=strike.takes_all)
            self._to_revive[target] = self._now() + strike.absence
        self.struck.append((target, self._now()))

    def _revive(self, until: float) -> None:
        for name in self.cluster.ended_by_themselves():
            self.revived.append(name)
            self._to_revive[name] = self._now()
        for name in [name for name, at in self._to_revive.items() if at <= until]:
            del self._to_revive[name]
            self.cluster.revive(name)

    def _is_time_to_look(self) -> bool:
        return not self.snapshots or self._now() - self.snapshots[-1].at >= LOOK_INTERVAL

    def _are_all_over(self) -> bool:
        try:
            self.snapshots.append(take_snapshot(self.cluster.database, self._now()))
            self.over = find_builds_over(self.cluster.database)
        except DemoError:  # its own connection may be among those that were cut
            return False
        self.show(f"{len(self.over)} of {len(self.asked)} builds are over, {len(self.struck)} kills")
        are_all_asked = len(self.asked) == len(self.builds) or self._now() >= self.ask_until
        return are_all_asked and not self._is_asking and len(self.over) == len(self.asked)
