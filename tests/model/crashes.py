"""Deaths of a process, at every point at which something outside of it has changed or is about to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class CrashError(BaseException):
    """End a process; no `BaseException` of anybody else's, so that nothing in between takes it for its own."""


@dataclass
class Interruption:
    """Let something happen at one of the points of a leg: before and after each exchange and each memory write.

    Between two points of one leg nothing is awaited but the exchange itself, so that these are all there are.

    :param at: at which point, from 1; 0 never
    :param happen: what happens there
    :param is_fatal: whether the process dies of it
    """

    at: int = 0
    happen: Callable[[], None] = lambda: None
    is_fatal: bool = True
    passed: int = 0
    is_dead: bool = False
    points: list[str] = field(default_factory=list)

    def reach(self, point: str) -> None:
        """Pass a point."""
        if self.is_dead:
            # What a dying process still does on its way out reaches nobody.
            raise CrashError
        self.passed += 1
        self.points.append(point)
        if self.passed == self.at:
            self.happen()
            if self.is_fatal:
                self.is_dead = True
                raise CrashError


@dataclass
class MortalStore:
    """Keep a task's state as Airflow does; writing to it is a point at which the writer may die.

    :param values: what outlives it
    """

    values: dict[str, Any] = field(default_factory=dict)
    interruption: Interruption = field(default_factory=Interruption)

    def get(self, key: str, default: Any = None) -> Any:
        """Give a value."""
        return self.values.get(key, default)

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Keep a value."""
        assert retention is not None, f"{key} may be gone before its run is"
        self.interruption.reach(f"before {key} is kept")
        self.values[key] = value
        self.interruption.reach(f"after {key} is kept")

    def delete(self, key: str) -> None:
        """Forget a value."""
        self.interruption.reach(f"before {key} is forgotten")
        self.values.pop(key, None)
        self.interruption.reach(f"after {key} is forgotten")
