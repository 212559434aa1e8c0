"""Relay a customization log as it grows: what is new, in whole lines, within a budget."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.staging import MEBIBYTE
from airflow_aib.image_run.log_splitter import LogSplitter
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_aib.hooks.staging import StagedBlob
    from airflow_aib.image_run.run_status import LastRunStatus

# A whole triggerer carries about 430 kB of log a second: one run must leave room for the others, and all runs together
# must leave room for other tasks.
BYTES_PER_SECOND = 16 * 1024
SHARED_BYTES_PER_SECOND = 160 * 1024
LARGEST_READ = MEBIBYTE
# After the end of a run, so much at its end is still shown; the rest is in the log itself.
FINAL_BYTES = MEBIBYTE
# Seconds that the end of a log may wait for its turn, and bytes of it that are shown however many runs end at once.
END_PATIENCE = 30.0
LEAST_END = 64 * 1024

# One record of several lines costs Airflow little more than one of one line.
LINES_PER_RECORD = 200
CHARACTERS_PER_RECORD = 32 * 1024


class LogSource(Protocol):
    """Find and read logs; `StagingArea` does."""

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find the customization log of a run; None while there is none yet."""
        ...

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = MEBIBYTE) -> bytes:
        """Read what the log holds from an offset on."""
        ...

    async def size_of(self, blob: StagedBlob) -> int:
        """Ask for the size as it is now."""
        ...


@dataclass
class ByteBudget:
    """Say how many bytes may be relayed now.

    :param bytes_per_second: in the long run
    :param most: at once, after a long pause
    """

    bytes_per_second: int
    most: int
    _left: float = 0
    _counted_at: datetime | None = None

    def allowance(self, now: datetime) -> int:
        """Give the bytes that may be read now."""
        if self._counted_at is None:
            self._left = self.most
        else:
            self._left += max(0.0, (now - self._counted_at).total_seconds()) * self.bytes_per_second
        self._counted_at = now
        self._left = min(self._left, self.most)
        return max(0, int(self._left))

    def spend(self, count: int) -> None:
        """Count bytes that are read; a negative count gives some back."""
        self._left -= count

    def obtainable(self, now: datetime, within: float) -> int:
        """Give the bytes that may be read by then, when they are booked now."""
        self.allowance(now)
        return max(0, int(self._left + within * self.bytes_per_second))

    def book(self, count: int, now: datetime) -> float:
        """Count bytes ahead, and give the seconds after which they may be read."""
        self.allowance(now)
        self.spend(count)
        return max(0.0, -self._left / self.bytes_per_second)


_shared_budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, ByteBudget] = WeakKeyDictionary()


def shared_budget() -> ByteBudget:
    """Give the budget that all relays of this event loop share: on a triggerer those of all runs."""
    loop = asyncio.get_running_loop()
    return _shared_budgets.setdefault(loop, ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ))


def records(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Gather lines into records of a size that Airflow's log carries well."""
    gathered: list[str] = []
    size = 0
    for line in lines:
        if gathered and (len(gathered) >= LINES_PER_RECORD or size + len(line) > CHARACTERS_PER_RECORD):
            yield tuple(gathered)
            gathered, size = [], 0
        gathered.append(line)
        size += len(line)
    if gathered:
        yield tuple(gathered)


@dataclass
class LogRelay:
    """Read the lines that a run's customization log has gained since the last look.

    :param source: where logs are found and read
    :param bytes_per_second: how much it may relay in the long run
    :param final_bytes: how much of a log's end is shown once the run is over
    :param offset: where to begin, in bytes
    :param masker: takes secrets out of what is shown
    :param shared: what it may relay together with others; None leaves it alone
    :param clock: waits for the turn of a log's end
    """

    source: LogSource
    bytes_per_second: int = BYTES_PER_SECOND
    final_bytes: int = FINAL_BYTES
    offset: int = 0
    masker: Masker = field(default_factory=Masker)
    shared: ByteBudget | None = None
    clock: Clock = SYSTEM_CLOCK
    log_file: StagedBlob | None = None
    has_trouble: bool = False
    _lines: LogSplitter = field(default_factory=LogSplitter)
    _budget: ByteBudget = field(init=False)

    def __post_init__(self) -> None:
        self._budget = ByteBudget(self.bytes_per_second, LARGEST_READ)

    async def read(self, body: Mapping[str, Any], status: LastRunStatus, now: datetime) -> list[str]:
        """Read the new lines; none while there is no log yet, or nothing new."""
        if self.log_file is None:
            self.log_file = await self.source.find_customization_log(body, status)
        if self.log_file is None:
            return []
        if status.is_over:
            lines = await self._read_end(self.log_file, now)
        else:
            allowance = min(budget.allowance(now) for budget in self._budgets)
            lines = await self._read_some(self.log_file, allowance) if allowance else []
        return [self.masker.mask(line) for line in lines]

    @property
    def _budgets(self) -> list[ByteBudget]:
        return [self._budget] if self.shared is None else [self._budget, self.shared]

    async def _read_some(self, log_file: StagedBlob, most: int) -> list[str]:
        # Spent before it is read, since others look at the shared budget meanwhile.
        self._spend(most)
        content = b""
        try:
            content = await self.source.read_log_from(log_file, self.offset, most)
        finally:
            self._spend(len(content) - most)
        self.offset += len(content)
        return self._lines.feed(content)

    def _spend(self, count: int) -> None:
        for budget in self._budgets:
            budget.spend(count)

    async def _read_end(self, log_file: StagedBlob, now: datetime) -> list[str]:
        """Read all that is left; of a long rest only the end, with a line that says so."""
        left = max(0, await self.source.size_of(log_file) - self.offset)
        shown = await self._wait_for_turn(min(left, self.final_bytes), now)
        skipped = left - shown
        lines: list[str] = []
        if skipped:
            lines += self._lines.finish()
            lines.append(f"[... {skipped} bytes are left out here; the whole log is {log_file.address.url} ...]")
            self.offset += skipped
        while content := await self.source.read_log_from(log_file, self.offset, LARGEST_READ):
            self.offset += len(content)
            lines += self._lines.feed(content)
        return lines + self._lines.finish()

    async def _wait_for_turn(self, wanted: int, now: datetime) -> int:
        """Wait until others leave room for a log's end, but not long; give how much of it may be shown."""
        if self.shared is None:
            return wanted
        granted = min(wanted, max(LEAST_END, self.shared.obtainable(now, END_PATIENCE)))
        await self.clock.sleep(min(self.shared.book(granted, now), END_PATIENCE))
        return granted
