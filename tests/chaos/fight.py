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
    from tests.chaos.schedule import Strike

LOOK_INTERVAL = 1.0
PAUSE = 0.1
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
    :param builds: how many have to be over.
    :param show: told how far it is.
    :param clock: seconds that only move forward.
    :param pause: lets so many of them pass.

    What it has seen: the builds that are `over`, `snapshots`, the targets that were `struck` and when, and the programs
    that were `revived` though nobody had killed them.
    """

    cluster: Struck
    strikes: tuple[Strike, ...]
    builds: int
    show: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    over: frozenset[str] = frozenset()
    snapshots: list[Snapshot] = field(default_factory=list)
    struck: list[tuple[str, float]] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    _began: float = 0.0
    _to_revive: dict[str, float] = field(default_factory=dict)

    def carry_out(self, seconds: float) -> None:
        """Fight until every build is over, for so many seconds at most."""
        self._began, to_strike = self.clock(), list(self.strikes)
        while self._now() < seconds:
            if to_strike and to_strike[0].at <= self._now() and self._may_strike():
                self._strike(to_strike.pop(0))
            self._revive(self._now())
            if self._is_time_to_look() and self._are_all_over():
                break
            self.pause(PAUSE)
        self._revive(float("inf"))

    def _now(self) -> float:
        return self.clock() - self._began

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
        self.show(f"{len(self.over)} of {self.builds} builds are over, {len(self.struck)} kills")
        return len(self.over) == self.builds
