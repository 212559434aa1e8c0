"""Deaths of a process, at every point at which something outside of it has changed or is about to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes import FakeTaskInstance

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from airflow_aib.hooks.polling.looks import SharedLooks


class CrashError(BaseException):
    """End a process; no `BaseException` of anybody else's, so that nothing in between takes it for its own."""


@dataclass
class Interruption:
    """Let something happen at one of the points of a leg: before and after whatever it changes outside of itself.

    That is each request for a run or a cancel, each write to the task's state, each XCom. Looks are points too, and the
    list of the outputs; what else is read between two points, as logs are, changes nothing, so that a death in the
    midst of it is one at the point before.

    :param at: at which point, from 1; 0 never
    :param happen: what happens there
    :param raises: what it raises there: a death, what Airflow raises in a task, or nothing
    """

    at: int = 0
    happen: Callable[[], None] = lambda: None
    raises: type[BaseException] | None = CrashError
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
            self.is_dead = self.raises is CrashError
            if self.raises is not None:
                raise self.raises

    @property
    def has_struck(self) -> bool:
        """Whether the leg has come to that point."""
        return 0 < self.at <= self.passed


@dataclass
class MortalTaskInstance(FakeTaskInstance):
    """Be the task instance that runs; an XCom is a point at which it may die."""

    interruption: Interruption = field(default_factory=Interruption)

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep an XCom."""
        self.interruption.reach(f"before XCom {key}")
        super().xcom_push(key, value)
        self.interruption.reach(f"after XCom {key}")


class MortalLooks:
    """Look as the process's poller does; a look is a point.

    :param looks: the poller's
    :param interruption: of the leg that looks
    """

    def __init__(self, looks: SharedLooks, interruption: Interruption) -> None:
        self.looks = looks
        self.interruption = interruption
        self.image_template_id = looks.image_template_id

    async def look(self) -> dict[str, Any] | None:
        """Look."""
        self.interruption.reach("before a look")
        body = await self.looks.look()
        self.interruption.reach("after a look")
        return body

    async def rest(self, seconds: float, *, in_person: bool = False) -> None:
        """Rest until the next one."""
        await self.looks.rest(seconds, in_person=in_person)


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
