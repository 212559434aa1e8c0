"""Relay a customization log as it grows: what is new, in whole lines, within a budget."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.hooks.byte_budget import BYTES_PER_SECOND, END_PATIENCE, LARGEST_READ, ByteBudget, turn_patience
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.staging import MEBIBYTE
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
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
# Among many, an end of so many turns at most comes at once.
ENDING_TURNS = 3
# Seconds that reading the end of a log may take, after its turn has come: what was read by then is shown.
END_TIMEOUT = 60.0
# Seconds that the end of a log waits for the answer where an earlier relay has ended: without it, it is told anew.
END_RECALL_PATIENCE = 20.0
# So many bytes before the present place are remembered, to tell another log in the place of this one.
REMEMBERED = 256
# How a line begins that is not the log's but the relay's own.
NOTE = "[... "

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

    async def look_at(self, blob: StagedBlob) -> StagedBlob:
        """Describe the log as it is now; one that is gone has no bytes."""
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
    :param recalling: finds `begin` out; until it is done nothing is read, unless the run is over
    :param masker: takes secrets out of what is shown
    :param shared: what it may relay together with others; None leaves it alone
    :param patience: seconds that it may wait for its turn among many others
    :param summary: chooses what is shown; None shows every line
    :param clock: waits for the turn of a log's end
    :param log_file: the log, once it was found
    :param has_trouble: whether the last look at it has failed
    """

    source: LogSource
    bytes_per_second: int = BYTES_PER_SECOND
    final_bytes: int = FINAL_BYTES
    begin: RelayMark | None = None
    recalling: asyncio.Task[RelayMark | None] | None = None
    masker: Masker = field(default_factory=Masker)
    shared: ByteBudget | None = None
    patience: float = turn_patience(DEFAULT_POLL_INTERVAL)
    summary: LogSummary | None = None
    clock: Clock = SYSTEM_CLOCK
    log_file: StagedBlob | None = None
    has_trouble: bool = False
    _reading: LogReading | None = field(default_factory=lambda: LogReading(log_signs()))
    _is_over: bool = False
    _lines: LogSplitter = field(default_factory=LogSplitter)
    _before: bytes = b""
    _created_at: datetime | None = None
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
        if self.recalling is not None:
            if not await self._recall(self.recalling, is_over=status.is_over):
                return []
            now = max(now, self.clock.now())
        # To find the log has its turn as well: a thousand that do so in one moment would hold up all others.
        turn = None if status.is_over else await self._await_turn(now)
        if self.log_file is None:
            self._open(await self.source.find_customization_log(body, status))
        if self.log_file is None:
            return []
        if status.is_over:
            lines = await self._read_end(self.log_file, now)
        else:
            # A few take what is there now: others may have read while the log was looked for.
            allowance = self._allowance(now) if turn is None else turn
            lines = await self._read_some(self.log_file, allowance) if allowance else []
        if self._reading is not None:
            self._reading.take(lines)
        self._is_over = status.is_over
        return [self.masker.mask(line) for line in self._choose(lines)]

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

    async def _recall(self, recalling: asyncio.Task[RelayMark | None], *, is_over: bool) -> bool:
        """Learn where an earlier relay has ended; at the end of the run that is waited for, for a while."""
        if is_over:
            await asyncio.wait({recalling}, timeout=END_RECALL_PATIENCE)
        if recalling.done():
            self.begin = recalling.result()
        elif not is_over:
            return False
        self.recalling = None
        return True

    def _choose(self, lines: list[str]) -> list[str]:
        summary = self.summary
        if summary is None:
            return lines
        return [line for line in lines if line.startswith(NOTE) or summary.choose([line])]

    def _open(self, log_file: StagedBlob | None) -> None:
        self.log_file = log_file
        self._created_at = log_file.created_at if log_file is not None else None
        if log_file is not None and self.begin is not None and self.begin.log == log_file.name:
            self._lines = LogSplitter(self.begin.offset)
            self._reading = None

    def _allowance(self, now: datetime) -> int:
        """Give the bytes that may be read at once."""
        return min(budget.allowance(now) for budget in self._budgets)

    async def _await_turn(self, now: datetime) -> int | None:
        """Wait for our turn where many relays share a budget, and give the bytes of our part; None where few do."""
        part = self.shared.turn(now, self.patience) if self.shared is not None else None
        if self.shared is None or part is None:
            return None
        wanted = min(part, self._budget.allowance(now))
        pause = self.shared.book(wanted, now)
        try:
            await self.clock.sleep(min(pause, self.patience))
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
        if await self._is_another(log_file, part.size, part.created_at):
            return self._begin_anew()
        return self._take(content)

    def _take(self, content: bytes) -> list[str]:
        self._before = (self._before + content)[-REMEMBERED:]
        return self._lines.feed(content)

    async def _is_another(self, log_file: StagedBlob, size: int | None, created_at: datetime | None) -> bool:
        """Whether somebody has put another log in the place of the one that was read.

        A log that was made anew may still be the same one, written once more with what it has gained: nobody promises
        how the service writes it. So what stands before the present place is compared.
        """
        if size is not None and size < self._lines.received:
            return True
        if created_at is None or created_at == self._created_at:
            return False
        if self._created_at is not None and self._before:
            start = self._lines.received - len(self._before)
            found = await self.source.read_log_from(log_file, start, len(self._before))
            if found.content != self._before:
                return True
        self._created_at = created_at
        return False

    def _begin_anew(self) -> list[str]:
        """Note that somebody has put another log in the place of the one that was read."""
        rest = self._lines.finish()
        self._lines = LogSplitter()
        self._reading = self._created_at = None
        self._before = b""
        return [*rest, f"{NOTE}the log was replaced; it follows from its beginning ...]"]

    def _spend(self, count: int) -> None:
        for budget in self._budgets:
            budget.spend(count)

    async def _read_end(self, log_file: StagedBlob, now: datetime) -> list[str]:
        """Read all that is left; of a long rest only the end, with a line that says so."""
        with self._ending():
            present = await self.source.look_at(log_file)
            is_another = await self._is_another(log_file, present.size, present.created_at)
            lines = self._begin_anew() if is_another else []
            left = present.size - self._lines.received
            granted, pause = self._book_end(min(left, self.final_bytes), now)
        await self.clock.sleep(pause)
        skipped = left - granted
        if not skipped:
            return lines + await self._read_rest(log_file, present.size)
        self._reading = None
        # A line that was held back goes with its end.
        left_out = skipped + self._lines.received - self._lines.consumed
        lines.append(f"{NOTE}{left_out} bytes are left out here; the whole log is {log_file.address.url} ...]")
        # From a byte before: what stands until the next line's beginning belongs to a line that is left out.
        self._lines = LogSplitter(self._lines.received + skipped - (1 if granted else 0))
        return lines + await self._read_rest(log_file, present.size, is_cut=True)

    async def _read_rest(self, log_file: StagedBlob, size: int, *, is_cut: bool = False) -> list[str]:
        """Read to the end; where that fails, give what was read until then, with a line that says so.

        :param size: of the log, as far as is known
        :param is_cut: whether what comes first is the rest of a line that is left out
        """
        lines: list[str] = []
        note: list[str] = []
        try:
            async with asyncio.timeout(END_TIMEOUT):
                while self._lines.received < size:
                    part = await self.source.read_log_from(log_file, self._lines.received, LARGEST_READ)
                    lines += self._take(part.content)
                    size = (part.size if part.size is not None else size) if part.content else 0
        except Exception as error:  # noqa: BLE001 - whatever ails the log, what was read of it is shown
            self._reading = None
            reason = str(error) or type(error).__name__
            note = [f"{NOTE}the rest could not be read: {reason}; the whole log is {log_file.address.url} ...]"]
        lines += self._lines.finish()
        return lines[1 if is_cut else 0 :] + note

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Be counted among those whose logs end now, until our part is booked."""
        if self.shared is not None:
            self.shared.enter_end(self)
        try:
            yield
        finally:
            if self.shared is not None:
                self.shared.leave_end(self)

    def _book_end(self, wanted: int, now: datetime) -> tuple[int, float]:
        """Give how much of a log's end may be shown, and the seconds until others leave room for it."""
        if self.shared is None:
            return wanted, 0.0
        part = self.shared.part(self.patience)
        if part is not None and wanted <= min(part * ENDING_TURNS, self.shared.obtainable(now, END_PATIENCE)):
            # What it would have had in its next turns, which it does not take any more.
            self.shared.spend(wanted)
            return wanted, 0.0
        granted = min(wanted, self.shared.end_part(now))
        return granted, min(self.shared.book(granted, now), END_PATIENCE)
