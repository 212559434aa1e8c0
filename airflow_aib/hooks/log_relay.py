"""Relay a customization log as it grows: what is new, in whole lines, within a budget."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.hooks.byte_budget import BYTES_PER_SECOND, LARGEST_READ, TURN_PATIENCE, ByteBudget
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.staging import MEBIBYTE
from airflow_aib.image_run.customization_log import CustomizationLog, LogReading
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_splitter import LogSplitter
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_aib.hooks.blob_file import BlobPart
    from airflow_aib.hooks.staging import StagedBlob
    from airflow_aib.image_run.log_summary import LogSummary
    from airflow_aib.image_run.run_status import LastRunStatus

# After the end of a run, so much at its end is still shown; the rest is in the log itself.
FINAL_BYTES = MEBIBYTE
# Seconds that the end of a log may wait for its turn, and bytes of it that are shown however many runs end at once.
END_PATIENCE = 30.0
LEAST_END = 64 * 1024

# One record of several lines costs Airflow little more than one of one line.
LINES_PER_RECORD = 200
CHARACTERS_PER_RECORD = 32 * 1024


@dataclass(frozen=True)
class RelayMark:
    """Say how far a log has been relayed, so that another process can go on.

    :param log: name of the blob
    :param offset: bytes of it whose lines were given
    """

    log: str
    offset: int

    def to_json(self) -> dict[str, Any]:
        """Give the mark as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RelayMark:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(str(value["log"]), int(value["offset"]))


class LogSource(Protocol):
    """Find and read logs; `StagingArea` does."""

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find the customization log of a run; None while there is none yet."""
        ...

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = MEBIBYTE) -> BlobPart:
        """Read what the log holds from an offset on."""
        ...

    async def size_of(self, blob: StagedBlob) -> int:
        """Ask for the size as it is now."""
        ...


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


@dataclass(eq=False)
class LogRelay:
    """Read the lines that a run's customization log has gained since the last look.

    :param source: where logs are found and read
    :param bytes_per_second: how much it may relay in the long run
    :param final_bytes: how much of a log's end is shown once the run is over
    :param begin: where an earlier relay of the same log has ended; it counts for that log only
    :param masker: takes secrets out of what is shown
    :param shared: what it may relay together with others; None leaves it alone
    :param summary: chooses what is shown; None shows every line
    :param clock: waits for the turn of a log's end
    """

    source: LogSource
    bytes_per_second: int = BYTES_PER_SECOND
    final_bytes: int = FINAL_BYTES
    begin: RelayMark | None = None
    masker: Masker = field(default_factory=Masker)
    shared: ByteBudget | None = None
    summary: LogSummary | None = None
    clock: Clock = SYSTEM_CLOCK
    log_file: StagedBlob | None = None
    has_trouble: bool = False
    _reading: LogReading | None = field(default_factory=lambda: LogReading(log_signs()))
    _is_over: bool = False
    _lines: LogSplitter = field(default_factory=LogSplitter)
    _budget: ByteBudget = field(init=False)

    def __post_init__(self) -> None:
        self._budget = ByteBudget(self.bytes_per_second, LARGEST_READ)
        if self.shared is not None:
            self.shared.join(self)

    @property
    def mark(self) -> RelayMark | None:
        """How far the log has been relayed, in whole lines; None while there is no log."""
        return RelayMark(self.log_file.name, self._lines.consumed) if self.log_file is not None else None

    async def read(self, body: Mapping[str, Any], status: LastRunStatus, now: datetime) -> list[str]:
        """Read the new lines; none while there is no log yet, or nothing new."""
        if self.log_file is None:
            self._open(await self.source.find_customization_log(body, status))
        if self.log_file is None:
            return []
        if status.is_over:
            lines = await self._read_end(self.log_file, now)
        else:
            allowance = await self._await_turn(now)
            lines = await self._read_some(self.log_file, allowance) if allowance else []
        if self._reading is not None:
            self._reading.take(lines)
        self._is_over = status.is_over
        shown = lines if self.summary is None else self.summary.choose(lines)
        return [self.masker.mask(line) for line in shown]

    @property
    def customization_log(self) -> CustomizationLog | None:
        """The whole log, read; None unless all of it has passed here, from its first line to its end."""
        if not self._is_over or self._reading is None or self.log_file is None:
            return None
        found = self._reading.result(self.masker)
        # Else the service is still handing over its end, and whoever reads it later has more of it.
        return found if found.is_complete else None

    @property
    def _budgets(self) -> list[ByteBudget]:
        return [self._budget] if self.shared is None else [self._budget, self.shared]

    def _open(self, log_file: StagedBlob | None) -> None:
        self.log_file = log_file
        if log_file is not None and self.begin is not None and self.begin.log == log_file.name:
            self._lines = LogSplitter(self.begin.offset)
            self._reading = None

    async def _await_turn(self, now: datetime) -> int:
        """Give the bytes that may be read; where many relays share a budget, wait for our turn to read our part."""
        part = self.shared.turn(now) if self.shared is not None else None
        if self.shared is None or part is None:
            return min(budget.allowance(now) for budget in self._budgets)
        wanted = min(part, self._budget.allowance(now))
        pause = self.shared.book(wanted, now)
        try:
            await self.clock.sleep(min(pause, TURN_PATIENCE))
        finally:
            # Booked to keep the place; what is really read is counted when it is.
            self.shared.spend(-wanted)
        return wanted

    async def _read_some(self, log_file: StagedBlob, most: int) -> list[str]:
        # Spent before it is read, since others look at the shared budget meanwhile.
        self._spend(most)
        content = b""
        try:
            part = await self.source.read_log_from(log_file, self._lines.received, most)
            content = part.content
        finally:
            self._spend(len(content) - most)
        if part.size is not None and part.size < self._lines.received:
            return self._begin_anew()
        return self._lines.feed(content)

    def _begin_anew(self) -> list[str]:
        """Note that the log is shorter than what was read of it: somebody has put another one in its place."""
        rest = self._lines.finish()
        self._lines = LogSplitter()
        self._reading = None
        return [*rest, "[... the log was replaced; it follows from its beginning ...]"]

    def _spend(self, count: int) -> None:
        for budget in self._budgets:
            budget.spend(count)

    async def _read_end(self, log_file: StagedBlob, now: datetime) -> list[str]:
        """Read all that is left; of a long rest only the end, with a line that says so."""
        size = await self.source.size_of(log_file)
        lines = self._begin_anew() if size < self._lines.received else []
        left = size - self._lines.received
        skipped = left - await self._wait_for_turn(min(left, self.final_bytes), now)
        if not skipped:
            return lines + await self._read_rest(log_file)
        self._reading = None
        lines += self._lines.finish()
        lines.append(f"[... {skipped} bytes are left out here; the whole log is {log_file.address.url} ...]")
        # From a byte before: what stands until the next line's beginning belongs to a line that is left out.
        self._lines = LogSplitter(self._lines.received + skipped - 1)
        return lines + (await self._read_rest(log_file))[1:]

    async def _read_rest(self, log_file: StagedBlob) -> list[str]:
        lines: list[str] = []
        while part := await self._read_piece(log_file):
            lines += self._lines.feed(part)
        return lines + self._lines.finish()

    async def _read_piece(self, log_file: StagedBlob) -> bytes:
        return (await self.source.read_log_from(log_file, self._lines.received, LARGEST_READ)).content

    async def _wait_for_turn(self, wanted: int, now: datetime) -> int:
        """Wait until others leave room for a log's end, but not long; give how much of it may be shown."""
        if self.shared is None:
            return wanted
        granted = min(wanted, max(LEAST_END, self.shared.obtainable(now, END_PATIENCE)))
        await self.clock.sleep(min(self.shared.book(granted, now), END_PATIENCE))
        return granted
