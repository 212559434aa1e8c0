"""The emulated time: what everything asks for `now`, and what everything waits with."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_NAP = 3600.0
"""Real seconds after which a sleeper looks again even though nobody woke it."""


def real_now() -> datetime:
    """Return the real instant, which counts where a client compares it with its own clock, as for tokens."""
    return datetime.now(UTC)  # noqa: TID251 - the emulator's only reader of the wall clock


def date_header(now: datetime) -> str:
    """Return an instant in UTC as it is written into a `Date` header."""
    return format_datetime(now, usegmt=True)


class Clock(Protocol):
    """The time that an emulator lives in."""

    @property
    def skew(self) -> timedelta:
        """By how much the service's clocks are ahead of those of its clients."""
        ...

    def now(self) -> datetime:
        """Return the emulated instant, aware and in UTC."""
        ...

    async def sleep_until(self, instant: datetime | None) -> None:
        """Return at `instant`, or earlier when the clock was changed or woken; None waits for just that."""
        ...

    def wake(self) -> None:
        """Let every sleeper look again."""
        ...


class ScaledClock:
    """Run `scale` times as fast as the wall clock; can be put forward.

    :param scale: emulated seconds per real second, 0 stands still
    :param start: the emulated instant to begin with; default is the real one
    :param monotonic: the real seconds that pass
    """

    def __init__(
        self, scale: float = 1.0, start: datetime | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._scale = scale
        self._monotonic = monotonic
        self._emulated = start or real_now()
        self._real, self._wall = monotonic(), real_now()
        self._skew = timedelta()
        self._changed = asyncio.Event()

    @property
    def skew(self) -> timedelta:
        """By how much the service's clocks are ahead of those of its clients."""
        return self._skew

    @property
    def scale(self) -> float:
        """Emulated seconds per real second."""
        return self._scale

    def now(self) -> datetime:
        """Return the emulated instant, aware and in UTC."""
        return self._true_now() + self._skew

    def _true_now(self) -> datetime:
        return self._emulated + timedelta(seconds=(self._monotonic() - self._real) * self._scale)

    def reading(self) -> dict[str, Any]:
        """Return the instant of its last change, emulated and real, and how fast it has gone since."""
        return {
            "emulated": self._emulated,
            "real": self._wall,
            "scale": self._scale,
            "skew": self._skew.total_seconds(),
        }

    def go_on(self, reading: Mapping[str, Any]) -> None:
        """Go on from a reading as if it had never stopped; it does not go back when the wall clock has."""
        away = max(0.0, (real_now() - reading["real"]).total_seconds())
        self._emulated = reading["emulated"] + timedelta(seconds=away * reading["scale"])
        self._real, self._wall, self._scale = self._monotonic(), real_now(), reading["scale"]
        self._skew = timedelta(seconds=reading["skew"])
        self.wake()

    def set_scale(self, scale: float) -> None:
        """Go on from the present instant at another speed."""
        self._emulated, self._real, self._wall = self._true_now(), self._monotonic(), real_now()
        self._scale = scale
        self.wake()

    def set_skew(self, skew: timedelta) -> None:
        """Let the service's clocks be ahead of those of its clients by this much, from now on."""
        self._skew = skew
        self.wake()

    def restart(self, scale: float) -> None:
        """Begin again at the real instant, at this speed."""
        self._emulated, self._real, self._wall = real_now(), self._monotonic(), real_now()
        self._skew = timedelta()
        self._scale = scale
        self.wake()

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        if seconds < 0:
            raise ValueError(f"Time does not go back: {seconds!r} seconds.")
        self._emulated += timedelta(seconds=seconds)
        self.wake()

    def wake(self) -> None:
        """Let every sleeper look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def sleep_until(self, instant: datetime | None) -> None:
        """Return at `instant`, or earlier when the clock was changed or woken; None waits for just that."""
        changed = self._changed
        nap = self._real_seconds_until(instant)
        if nap <= 0:
            await asyncio.sleep(0)
            return
        # Not `wait_for`: in Python 3.11 it can lose a cancellation that comes together with the wake-up.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(nap):
                await changed.wait()

    def _real_seconds_until(self, instant: datetime | None) -> float:
        if instant is None:
            return LONGEST_NAP
        wait = (instant - self.now()).total_seconds()
        if wait <= 0:
            return 0.0
        return min(wait / self._scale, LONGEST_NAP) if self._scale else LONGEST_NAP


class ManualClock(ScaledClock):
    """Stand still until it is put forward.

    :param start: the emulated instant to begin with; default is the real one
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__(scale=0.0, start=start)
