from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies

from airflow_aib.hooks import log_relay
from airflow_aib.hooks.byte_budget import (
    CROWD,
    CROWD_BURST,
    END_PATIENCE,
    LARGEST_READ,
    SHARED_BYTES_PER_SECOND,
    ByteBudget,
    shared_budget,
    turn_patience,
)
from airflow_aib.hooks.log_relay import (
    CHARACTERS_PER_RECORD,
    LINES_PER_RECORD,
    LogRelay,
    RelayMark,
    records,
)
from airflow_aib.hooks.run_watch import RELAY_TIMEOUT
from airflow_aib.hooks.staging import StagedBlob
from airflow_aib.hooks.staging_account import StorageAccount
from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_summary import LogSummary
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status
from airflow_aib.masking import Masker
from tests.fakes import START, FakeClock, FakeLog, SteppedClock, image_template, run_status, settle
from tests.unit.airflow_aib.image_run.sample_logs import sample_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.blob_file import BlobPart


class SlowLog(FakeLog):
    """Be a log whose reads let others go first."""

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find it, a moment later."""
        await asyncio.sleep(0)
        return await super().find_customization_log(body, status)

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = 1 << 20) -> BlobPart:
        """Read a part of it, a moment later."""
        await asyncio.sleep(0)
        return await super().read_log_from(log_file, offset, max_bytes)

    async def look_at(self, blob: StagedBlob) -> StagedBlob:
        """Measure it, a moment later."""
        await asyncio.sleep(0)
        return await super().look_at(blob)


class CountingLog(FakeLog):
    """Count the bytes that are fetched, and how often it is looked for."""

    fetched = 0
    looked_for = 0

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find it."""
        self.looked_for += 1
        return await super().find_customization_log(body, status)

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = 1 << 20) -> BlobPart:
        """Read a part of it."""
        part = await super().read_log_from(log_file, offset, max_bytes)
        self.fetched += len(part.content)
        return part


LOG_FILE = StagedBlob(StorageAccount("/a", "https://s"), "packerlogs", "g/customization.log", 0)
BODY = image_template(run_status())
SECOND = timedelta(seconds=1)


def status(state: str = "Running") -> LastRunStatus:
    """Give the status of a run."""
    found = read_last_run_status(image_template(run_status(state)))
    assert found is not None
    return found


async def test_secrets_are_masked() -> None:
    """What a script prints of a secret or of a signed address does not reach the task's log."""
    log = FakeLog(b"login with pa55word\nGET https://s/c/b?sv=1&sig=abc%3D\n", LOG_FILE)

    lines = await LogRelay(log, masker=Masker(["pa55word"])).read(BODY, status(), START)

    assert lines == ["login with ***", "GET https://s/c/b?sv=1&sig=***"]


def test_lines_are_gathered_into_records() -> None:
    """A record has many lines, within bounds that Airflow's log carries well; none is lost."""
    lines = ["x"] * (2 * LINES_PER_RECORD + 1)

    assert [len(record) for record in records(lines)] == [LINES_PER_RECORD, LINES_PER_RECORD, 1]
    assert [len(record) for record in records(["y" * CHARACTERS_PER_RECORD] * 2)] == [1, 1]
    assert list(records([])) == []


def test_a_budget_grows_with_time_up_to_a_bound() -> None:
    """At first a full budget may be spent, then what the seconds bring."""
    budget = ByteBudget(bytes_per_second=10, most=100)

    assert budget.allowance(START) == 100
    budget.spend(100)
    assert budget.allowance(START) == 0
    assert budget.allowance(START + 3 * SECOND) == 30
    assert budget.allowance(START + 1000 * SECOND) == 100


def test_a_budget_does_not_count_the_same_time_twice() -> None:
    """Whoever asks with a moment that has passed makes nobody's debt smaller."""
    budget = ByteBudget(bytes_per_second=10, most=100)
    now = START + 60 * SECOND
    budget.book(700, now)

    assert budget.allowance(START) == 0
    assert budget.book(0, now) == 60


async def test_only_what_is_new_is_read() -> None:
    """Each read begins where the last one ended."""
    log = FakeLog(b"one\n", LOG_FILE)
    relay = LogRelay(log)

    assert await relay.read(BODY, status(), START) == ["one"]
    log.content += b"two\n"
    assert await relay.read(BODY, status(), START + SECOND) == ["two"]
    assert [offset for offset, _ in log.reads] == [0, 4]


async def test_another_relay_goes_on_where_one_has_ended() -> None:
    """Whoever takes over shows the next whole line first: none twice, none cut, none left out."""
    log = FakeLog(b"one\ntw", LOG_FILE)
    first = LogRelay(log)
    assert await first.read(BODY, status(), START) == ["one"]
    log.content += b"o\nthree\n"

    second = LogRelay(log, begin=first.mark)

    assert first.mark == RelayMark("g/customization.log", 4)
    assert await second.read(BODY, status(), START) == ["two", "three"]


async def test_nothing_is_read_before_it_is_known_where_another_relay_has_ended() -> None:
    """Airflow may take its time to say so: the watch goes on meanwhile, and no line is told twice."""
    log, may_answer = FakeLog(b"one\ntwo\n", LOG_FILE), asyncio.Event()

    async def recall() -> RelayMark:
        await may_answer.wait()
        return RelayMark("g/customization.log", 4)

    relay = LogRelay(log, recalling=asyncio.create_task(recall()))
    before = await relay.read(BODY, status(), START)
    reading = asyncio.create_task(relay.read(BODY, status("Failed"), START))
    await settle()
    may_answer.set()

    assert (before, await reading) == ([], ["two"])
    assert [offset for offset, _ in log.reads] == [4]


async def test_an_end_is_told_also_where_nobody_says_where_another_relay_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines may be told twice then, which is better than an end that nobody sees."""
    monkeypatch.setattr(log_relay, "END_RECALL_PATIENCE", 0)
    recalling = asyncio.create_task(asyncio.Event().wait())
    relay = LogRelay(FakeLog(b"one\ntwo\n", LOG_FILE), recalling=recalling)  # type: ignore[arg-type]  # never answers

    lines = await relay.read(BODY, status("Failed"), START)
    recalling.cancel()

    assert lines == ["one", "two"]


def test_an_end_has_time_for_each_of_its_waits() -> None:
    """The watch gives up on a look at the log only when all that it may wait for has had its time."""
    assert log_relay.END_RECALL_PATIENCE + END_PATIENCE + log_relay.END_TIMEOUT < RELAY_TIMEOUT


async def test_the_turn_of_an_end_counts_from_the_moment_at_which_its_place_is_known() -> None:
    """What others have left while that was asked for is there."""
    clock, shared = FakeClock(), ByteBudget(bytes_per_second=100, most=100)
    shared.book(1100, START)

    async def recall() -> None:
        await clock.sleep(10)

    relay = LogRelay(
        FakeLog(b"line\n" * 40, LOG_FILE), shared=shared, clock=clock, recalling=asyncio.create_task(recall())
    )
    await relay.read(BODY, status("Failed"), START)

    assert clock.pauses == [10, 2.0]


async def test_a_mark_counts_for_its_own_log_only() -> None:
    """Another run's log is shown from its beginning."""
    relay = LogRelay(FakeLog(b"one\ntwo\n", LOG_FILE), begin=RelayMark("other/customization.log", 4))

    assert relay.mark is None
    assert await relay.read(BODY, status(), START) == ["one", "two"]


def test_a_mark_goes_through_json() -> None:
    """It is kept as an XCom; what a later version adds is ignored."""
    mark = RelayMark("g/customization.log", 4)

    assert RelayMark.from_json(mark.to_json() | {"later": 1}) == mark


@pytest.mark.parametrize("state", ["Running", "Failed"])
async def test_a_log_that_was_replaced_is_told_anew(state: str) -> None:
    """A log that is shorter than what was read of it is another one: it is shown from its beginning, with a note."""
    log = FakeLog(b"one\ntwo\nthr", LOG_FILE)
    relay = LogRelay(log)
    await relay.read(BODY, status(), START)
    log.content = b"new\n"

    lines = await relay.read(BODY, status(state), START + SECOND)
    lines += await relay.read(BODY, status("Failed"), START + 2 * SECOND)

    assert lines == ["thr", "[... the log was replaced; it follows from its beginning ...]", "new"]


@pytest.mark.parametrize("state", ["Running", "Failed"])
@pytest.mark.parametrize("content", [b"other, and as long\n", b"new\nnew\n"])
async def test_a_log_that_was_replaced_by_one_as_long_is_told_anew(content: bytes, state: str) -> None:
    """A log that was made later and holds other bytes is another one, however long it is."""
    log = FakeLog(b"one\ntwo\n", LOG_FILE, created_at=START)
    relay = LogRelay(log)
    await relay.read(BODY, status(), START)
    log.content, log.created_at = content, START + SECOND

    lines = await relay.read(BODY, status(state), START + SECOND)
    lines += await relay.read(BODY, status("Failed"), START + 2 * SECOND)

    assert lines == ["[... the log was replaced; it follows from its beginning ...]", *content.decode().splitlines()]
    assert relay.customization_log is None


async def test_a_log_that_is_written_once_more_with_what_it_has_gained_goes_on() -> None:
    """Should the service not append but write the whole log again, no line is told twice."""
    log = FakeLog(b"one\n", LOG_FILE, created_at=START)
    relay = LogRelay(log)
    told = await relay.read(BODY, status(), START)
    for moment, line in enumerate([b"two\n", b"three\n", b"four\n"], 1):
        log.content, log.created_at = log.content + line, START + moment * SECOND
        told += await relay.read(BODY, status("Failed" if moment == 3 else "Running"), START + moment * SECOND)

    assert told == ["one", "two", "three", "four"]


@pytest.mark.parametrize("summary", [None, LogSummary()], ids=["full", "summary"])
async def test_the_end_of_a_log_that_cannot_be_read_whole_is_told_as_far_as_it_was_read(
    summary: LogSummary | None,
) -> None:
    """What came before a read that failed is shown, with a note, and the mark stands at the end of what was shown."""
    line = b"    azure-arm: E: error ".ljust(99, b"x") + b"\n"
    log = FakeLog(line * (LARGEST_READ // 100 + 100), LOG_FILE, error=OSError("reset"), fails_from=1)
    relay = LogRelay(log, final_bytes=len(log.content), summary=summary)

    *lines, note = await relay.read(BODY, status("Failed"), START)

    assert note.startswith("[... the rest could not be read: reset; the whole log is https://s/packerlogs/g/")
    assert set(lines[:-1]) == {line.decode().rstrip()}
    assert sum(len(line) + 1 for line in lines) - 1 == LARGEST_READ
    assert relay.mark == RelayMark(LOG_FILE.name, LARGEST_READ)
    assert relay.customization_log is None


async def test_a_failure_behind_the_end_costs_nothing() -> None:
    """A log that was read to its end is not asked for more, so that nothing can fail there."""
    log = FakeLog(b"one\ntwo\n", LOG_FILE, error=OSError("reset"), fails_from=1)

    assert await LogRelay(log).read(BODY, status("Failed"), START) == ["one", "two"]
    assert log.reads == [(0, LARGEST_READ)]


@settings(max_examples=60, deadline=None)
@given(data=strategies.data())
async def test_however_it_grows_every_line_is_told_once(data: strategies.DataObject) -> None:
    """Appends of any bytes, cuts inside characters, other triggerers taking over: the lines are the log's, in order."""
    text = data.draw(strategies.lists(strategies.text(alphabet="aé漢\r ", max_size=12), max_size=30))
    content = "".join(f"{line}\n" for line in text).encode()
    log, told, at = FakeLog(b"", LOG_FILE), [], 0
    relay = LogRelay(log)
    while at < len(content):
        at += data.draw(strategies.integers(1, 40))
        log.content = content[:at]
        told += await relay.read(BODY, status(), START)
        if data.draw(strategies.booleans()):
            relay = LogRelay(log, begin=relay.mark)
    told += await relay.read(BODY, status("Succeeded"), START)

    assert told == [line.removesuffix("\r") for line in content.decode().split("\n")[:-1]]


async def test_no_byte_is_read_twice() -> None:
    """Over a whole build, what is fetched is the log once."""
    lines = b"".join(b"line %d\n" % number for number in range(1000))
    log = CountingLog(b"", LOG_FILE)
    relay = LogRelay(log)
    for end in range(0, len(lines), 700):
        log.content = lines[:end]
        await relay.read(BODY, status(), START)
    log.content = lines
    await relay.read(BODY, status("Succeeded"), START)

    assert log.fetched == len(lines)


WHOLE = sample_log("old-form-linux-succeeded").encode()


async def test_a_log_that_was_relayed_whole_need_not_be_read_again() -> None:
    """What passes is read on the way, whatever of it is shown."""
    log = FakeLog(WHOLE[:999], LOG_FILE)
    relay = LogRelay(log, summary=LogSummary())
    await relay.read(BODY, status(), START)
    assert relay.customization_log is None
    log.content = WHOLE
    await relay.read(BODY, status("Succeeded"), START)

    assert relay.customization_log == parse_customization_log(WHOLE.decode(), log_signs())


@pytest.mark.parametrize(
    "relay",
    [
        LogRelay(FakeLog(WHOLE, LOG_FILE), begin=RelayMark(LOG_FILE.name, 10)),
        LogRelay(FakeLog(WHOLE, LOG_FILE), final_bytes=10),
        LogRelay(FakeLog(WHOLE[:999], LOG_FILE)),
        LogRelay(FakeLog(b"", None)),
    ],
    ids=["taken over", "left out", "not complete", "none"],
)
async def test_what_was_relayed_in_part_is_read_again(relay: LogRelay) -> None:
    """Only a log that has passed from its first line to its last is known."""
    await relay.read(BODY, status("Succeeded"), START)

    assert relay.customization_log is None


async def test_a_line_that_is_left_out_in_part_is_left_out_whole() -> None:
    """What is shown of a long log's end begins with a whole line."""
    log = FakeLog(b"early\n" * 100 + b"late\n" * 4, LOG_FILE)

    note, *shown = await LogRelay(log, final_bytes=23).read(BODY, status("Failed"), START)

    assert note.startswith("[... 597 bytes are left out")
    assert shown == ["late"] * 4


async def test_a_line_whose_end_is_left_out_is_left_out_whole() -> None:
    """What was held back of a line, before the end of its log was shortened, is not shown as a line of its own."""
    log = FakeLog(b"one\ntw", LOG_FILE)
    relay = LogRelay(log, final_bytes=12)
    assert await relay.read(BODY, status(), START) == ["one"]
    log.content += b"o and more\n" + b"three\n" * 10

    note, *shown = await relay.read(BODY, status("Failed"), START)

    assert note.startswith("[... 61 bytes are left out here")
    assert shown == ["three"] * 2


async def test_a_summary_shows_what_it_chooses() -> None:
    """The rest of the log is read, and not shown."""
    log = FakeLog(b"    azure-arm: fine\n    azure-arm: E: error 100\n", LOG_FILE)

    assert await LogRelay(log, summary=LogSummary()).read(BODY, status(), START) == ["    azure-arm: E: error 100"]


async def test_a_flood_is_read_at_the_budgets_pace() -> None:
    """A log that grows faster than the budget is told later, not faster, and completely."""
    log = FakeLog(b"line\n" * 1000, LOG_FILE)
    relay = LogRelay(log, bytes_per_second=100)
    relay._budget.most = 100

    first = await relay.read(BODY, status(), START)
    second = await relay.read(BODY, status(), START + SECOND)

    assert (len(first), len(second)) == (20, 20)


async def test_the_end_of_a_long_log_is_shown_with_a_note() -> None:
    """Once the run is over the end counts: what is left out before it is said, with where all of it is."""
    log = FakeLog(b"early\n" * 100 + b"late\n" * 4, LOG_FILE)

    lines = await LogRelay(log, final_bytes=20).read(BODY, status("Failed"), START)

    note, *shown = lines
    assert note == "[... 600 bytes are left out here; the whole log is https://s/packerlogs/g/customization.log ...]"
    assert shown == ["late"] * 4


@pytest.mark.parametrize("content", [b"one\ntwo", b"one\ntwo\n"])
async def test_the_last_line_needs_no_end(content: bytes) -> None:
    """What stands after the last line break is shown when nothing can follow."""
    assert await LogRelay(FakeLog(content, LOG_FILE)).read(BODY, status("Succeeded"), START) == ["one", "two"]


async def test_relays_share_a_budget() -> None:
    """Two floods together are told no faster than the shared budget allows, and no line is lost."""
    shared = ByteBudget(bytes_per_second=100, most=100)
    relays = [LogRelay(FakeLog(b"line\n" * 30, LOG_FILE), shared=shared) for _ in range(2)]

    told = [[len(await relay.read(BODY, status(), START + second * SECOND)) for relay in relays] for second in range(4)]

    assert told == [[20, 0], [10, 10], [0, 20], [0, 0]]


async def test_relays_that_read_at_once_spend_what_they_share_once() -> None:
    """What one relay is about to read is not there for another that looks meanwhile."""
    shared = ByteBudget(bytes_per_second=100, most=100)
    relays = [LogRelay(SlowLog(b"line\n" * 30, LOG_FILE), shared=shared) for _ in range(2)]

    told = await asyncio.gather(*(relay.read(BODY, status(), START) for relay in relays))

    assert sorted(map(len, told)) == [0, 20]


async def test_a_few_that_begin_together_read_no_more_than_is_shared() -> None:
    """What each may read is decided when its log was found, and not before the others have read theirs."""
    shared = ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ)
    logs = [SlowLog(b"x" * 2 * LARGEST_READ, LOG_FILE) for _ in range(CROWD - 1)]

    await asyncio.gather(*(LogRelay(log, shared=shared).read(BODY, status(), START) for log in logs))

    assert sum(most for log in logs for _, most in log.reads) == LARGEST_READ
    assert shared.allowance(START + SECOND) == SHARED_BYTES_PER_SECOND


async def test_a_read_that_fails_costs_nothing() -> None:
    """The budget of a read that fails is there for the next one."""
    shared = ByteBudget(bytes_per_second=100, most=100)
    log = FakeLog(b"line\n" * 30, LOG_FILE)
    relay = LogRelay(log, shared=shared)
    assert len(await relay.read(BODY, status(), START)) == 20
    log.error = OSError("reset")

    with pytest.raises(OSError, match="reset"):
        await relay.read(BODY, status(), START + SECOND)

    assert shared.allowance(START + SECOND) == 100


async def test_logs_that_end_together_wait_for_their_turn() -> None:
    """The end of a log draws from the shared budget as well: the second one comes when there is room."""
    shared = ByteBudget(bytes_per_second=100, most=100)
    clocks = [FakeClock(), FakeClock()]
    relays = [LogRelay(FakeLog(b"line\n" * 40, LOG_FILE), shared=shared, clock=clock) for clock in clocks]

    told = [await relay.read(BODY, status("Failed"), START) for relay in relays]

    assert [len(lines) for lines in told] == [40, 40]
    assert [clock.pauses for clock in clocks] == [[1.0], [3.0]]
    assert shared.allowance(START + 3 * SECOND) == 0


async def test_the_end_of_a_log_never_waits_for_long() -> None:
    """However little room others leave, the end of each log comes within the patience, shortened where it must be."""
    shared = ByteBudget(bytes_per_second=1000, most=1000)
    shared.book(30_500, START)
    clock = FakeClock()

    lines = await LogRelay(FakeLog(b"x" * 9 + b"\n" + b"y" * 500, LOG_FILE), shared=shared, clock=clock).read(
        BODY, status("Failed"), START
    )

    assert clock.pauses == [END_PATIENCE]
    assert lines == [
        "[... 10 bytes are left out here; the whole log is https://s/packerlogs/g/customization.log ...]",
        "y" * 500,
    ]


async def test_where_no_room_is_left_only_a_note_is_shown() -> None:
    """Nothing is read beyond what all relays share: the note says where the log is."""
    shared = ByteBudget(bytes_per_second=100, most=100)
    shared.book(10**9, START)
    log = FakeLog(b"line\n" * 10, LOG_FILE)

    lines = await LogRelay(log, shared=shared, clock=FakeClock()).read(BODY, status("Failed"), START)

    assert lines == ["[... 50 bytes are left out here; the whole log is https://s/packerlogs/g/customization.log ...]"]
    assert log.reads == []


@pytest.mark.parametrize("apart", [0.0, 0.01], ids=["in one moment", "within seconds"])
async def test_many_logs_that_end_together_keep_within_what_is_shared(apart: float) -> None:
    """Each shows a part of its end within the patience, and all together no more than there is."""
    clock, count = SteppedClock(), 400
    shared = ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ)
    content = (b"x" * 99 + b"\n") * 2000
    relays = [LogRelay(SlowLog(content, LOG_FILE), shared=shared, clock=clock) for _ in range(count)]
    shown: list[int] = []

    async def end(number: int) -> None:
        if apart:
            await clock.sleep(number * apart)
        lines = await relays[number].read(BODY, status("Failed"), clock.now())
        shown.append(sum(len(line) + 1 for line in lines if not line.startswith("[... ")))

    tasks = [asyncio.create_task(end(number)) for number in range(count)]
    within = count * apart + END_PATIENCE
    await clock.advance(within)

    assert all(task.done() for task in tasks)
    assert min(shown) > 1000
    assert 0.8 < sum(shown) / (within * SHARED_BYTES_PER_SECOND + CROWD_BURST) <= 1


async def test_a_thousand_relays_that_look_together_share_in_turns() -> None:
    """Whoever looks first takes no more than his part: nobody starves, and nothing is read faster than is shared."""
    clock = SteppedClock()
    shared = ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ)
    logs = [FakeLog(b"", LOG_FILE) for _ in range(1000)]
    relays = [LogRelay(log, shared=shared, clock=clock) for log in logs]
    told = [0] * 1000
    taken: Counter[int] = Counter()

    async def look(number: int) -> None:
        lines = await relays[number].read(BODY, status(), clock.now())
        told[number] += len(lines)
        taken[int(clock.now().timestamp())] += sum(len(line) + 1 for line in lines)

    for _ in range(4):
        for log in logs:
            log.content += (b"x" * 239 + b"\n") * 16
        tasks = [asyncio.create_task(look(number)) for number in range(1000)]
        await clock.advance(30)
        await asyncio.gather(*tasks)

    assert set(told) == {64}
    for moment in taken:
        near = sum(taken[moment + second] for second in range(5))
        assert near <= 5 * SHARED_BYTES_PER_SECOND + CROWD_BURST


async def test_many_relays_never_look_or_read_all_at_once() -> None:
    """From the first look on they are spread: hundreds in one moment would hold up the event loop."""
    clock = SteppedClock()
    shared = ByteBudget(SHARED_BYTES_PER_SECOND, LARGEST_READ)
    logs = [CountingLog(b"x" * 4000, LOG_FILE) for _ in range(1000)]
    relays = [LogRelay(log, shared=shared, clock=clock) for log in logs]
    tasks = [asyncio.create_task(relay.read(BODY, status(), clock.now())) for relay in relays]

    await clock.advance(0)
    at_once, looked_for = sum(log.fetched for log in logs), sum(log.looked_for for log in logs)
    await clock.advance(turn_patience(30))

    assert 0 < at_once <= CROWD_BURST
    assert looked_for < 50
    assert all(task.done() for task in tasks)


async def test_an_end_that_fits_into_a_few_turns_does_not_wait() -> None:
    """A log that was told nearly to its end keeps its task waiting for nobody."""
    clock = FakeClock()
    shared = ByteBudget(bytes_per_second=1000, most=1000)
    log = FakeLog(b"line\n" * 1000, LOG_FILE)
    relays = [LogRelay(log, shared=shared, clock=clock, patience=24) for _ in range(CROWD)]
    shared.book(8 * 3000, START)

    lines = await relays[-1].read(BODY, status("Failed"), START)

    assert (len(lines), clock.pauses) == (1000, [0.0])


@pytest.mark.parametrize(("poll_interval", "seconds"), [(5, 4.0), (30, 24.0), (600, 60.0)])
def test_a_turn_is_over_before_the_next_look(poll_interval: float, seconds: float) -> None:
    """A wait for one's turn makes no knowledge older than it may be."""
    assert turn_patience(poll_interval) == seconds


async def test_a_turn_that_is_cancelled_is_given_back() -> None:
    """A wait that ends while it waits for its turn costs the others nothing."""
    clock = SteppedClock()
    shared = ByteBudget(bytes_per_second=100, most=100)
    relays = [LogRelay(FakeLog(b"line\n" * 400, LOG_FILE), shared=shared, clock=clock) for _ in range(CROWD)]
    tasks = [asyncio.create_task(relay.read(BODY, status(), START)) for relay in relays]
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert shared.allowance(START + SECOND) == 100


async def test_all_relays_of_an_event_loop_share_one_budget() -> None:
    """A triggerer has one loop, and so one budget; another loop has its own."""
    here = shared_budget()

    async def elsewhere() -> ByteBudget:
        return shared_budget()

    assert shared_budget() is here
    assert here.bytes_per_second == SHARED_BYTES_PER_SECOND
    assert await asyncio.to_thread(asyncio.run, elsewhere()) is not here
