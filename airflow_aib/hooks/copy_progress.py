"""How far a copy is: bytes, rate and time left, told now and then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_aib.hooks.clock import Clock

# Seconds between two words about it.
INTERVAL = 10.0


@dataclass(frozen=True)
class CopyProgress:
    """Say how far a copy is.

    :param copied_bytes: of the allocated ones, what the destination has by now
    :param total_bytes: allocated bytes
    :param travelled_bytes: what has been copied since this try began
    :param seconds: since this try began
    :param doing: what is done with the bytes: `copied`, or `verified` where an earlier try or Copy Blob has left them
    """

    copied_bytes: int
    total_bytes: int
    travelled_bytes: int
    seconds: float
    doing: str = "copied"

    @property
    def bytes_per_second(self) -> float:
        """How fast it is, on average."""
        return self.travelled_bytes / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at that rate; None while there is none."""
        left = self.total_bytes - self.copied_bytes
        return left / self.bytes_per_second if self.bytes_per_second else None

    @property
    def message(self) -> str:
        """For the log."""
        share = self.copied_bytes / self.total_bytes if self.total_bytes else 1.0
        text = f"{readable_bytes(self.copied_bytes)} of {readable_bytes(self.total_bytes)} {self.doing} ({share:.0%})"
        if not self.bytes_per_second:
            return text
        left = f", {self.seconds_left:.0f} s left" if self.seconds_left else ""
        return f"{text}, {readable_bytes(self.bytes_per_second)}/s{left}"


@dataclass
class ProgressMeter:
    """Count what has been copied and tell about it now and then.

    :param tell: is told
    :param total_bytes: allocated bytes
    :param done_bytes: what was there before
    :param clock: tells the time
    :param doing: what is done with the bytes, as in `CopyProgress`
    """

    tell: Callable[[CopyProgress], None]
    total_bytes: int
    done_bytes: int
    clock: Clock
    doing: str = "copied"
    _travelled: int = 0
    _began: datetime = field(init=False)
    _told: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._told = self.clock.now()
        self.tell(self.progress())

    def add(self, count: int) -> None:
        """Count bytes that have arrived."""
        self._travelled += count
        now = self.clock.now()
        is_done = self.done_bytes + self._travelled >= self.total_bytes
        if is_done or (now - self._told).total_seconds() >= INTERVAL:
            self._told = now
            self.tell(self.progress())

    def progress(self) -> CopyProgress:
        """Say how far it is now."""
        seconds = (self.clock.now() - self._began).total_seconds()
        done = self.done_bytes + self._travelled
        return CopyProgress(done, self.total_bytes, self._travelled, seconds, self.doing)


def readable_bytes(count: float) -> str:
    """Write a number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004 - what makes the next unit
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
