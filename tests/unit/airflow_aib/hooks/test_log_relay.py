from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_aib.hooks.log_relay import (
    CHARACTERS_PER_RECORD,
    LINES_PER_RECORD,
    ByteBudget,
    LogRelay,
    records,
)
from airflow_aib.hooks.staging import StagedBlob, StorageAccount
from airflow_aib.image_run.masking import Masker
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status
from tests.fakes import START, FakeLog, image_template, run_status

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


async def test_only_what_is_new_is_read() -> None:
    """Each read begins where the last one ended."""
    log = FakeLog(b"one\n", LOG_FILE)
    relay = LogRelay(log)

    assert await relay.read(BODY, status(), START) == ["one"]
    log.content += b"two\n"
    assert await relay.read(BODY, status(), START + SECOND) == ["two"]
    assert [offset for offset, _ in log.reads] == [0, 4]


async def test_reading_can_begin_in_the_midst() -> None:
    """Whoever knows how much was shown goes on from there."""
    assert await LogRelay(FakeLog(b"one\ntwo\n", LOG_FILE), offset=4).read(BODY, status(), START) == ["two"]


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
