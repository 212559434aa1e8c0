from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_aib.hooks import run_watch
from airflow_aib.hooks.log_relay import LogRelay, RelayMark
from airflow_aib.hooks.run_watch import (
    APPEAR_WITHIN,
    ERROR_BUDGET,
    LogLines,
    PhaseChange,
    WatchTrouble,
    WatchUpdate,
    watch_run,
)
from airflow_aib.hooks.staging import StagedBlob
from airflow_aib.hooks.staging_account import StorageAccount
from airflow_aib.hooks.waiting import JITTER
from airflow_aib.image_run.log_summary import LogSummary
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeLog,
    FakeReader,
    image_template,
    look_error,
    run_status,
    start_time,
)

HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))
LATER = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("B"))
UNSEEN = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), previous_start_time=start_time("A"))
DEADLINE = START + timedelta(hours=5)
LOG_FILE = StagedBlob(StorageAccount("/a", "https://s"), "packerlogs", "g/customization.log", 0, datetime.now(UTC))


def running(sub_state: str = "Building", start: str = "A") -> dict[str, Any]:
    """Give an image template whose run goes on."""
    return image_template(run_status("Running", sub_state, start))


def over(state: str = "Succeeded", start: str = "A", **more: Any) -> dict[str, Any]:
    """Give an image template whose run has ended."""
    return image_template(run_status(state, None, start, **more))


async def watch(
    *answers: Any,
    handle: ImageRunHandle = HANDLE,
    clock: FakeClock | None = None,
    relay: LogRelay | None = None,
    deadline: datetime = DEADLINE,
    poll_interval: float = 30.0,
    **options: Any,
) -> list[WatchUpdate]:
    """Watch to the end without spreading looks; the last answer lasts."""
    return [
        update
        async for update in watch_run(
            FakeReader(answers),
            handle,
            deadline=deadline,
            poll_interval=poll_interval,
            relay=relay,
            clock=clock or FakeClock(),
            **{"spread": lambda _low, _high: 1.0, **options},
        )
    ]


def event_of(updates: list[WatchUpdate]) -> RunEvent:
    """Return the one event, which comes last."""
    assert [isinstance(update, RunEvent) for update in updates] == [False] * (len(updates) - 1) + [True]
    event = updates[-1]
    assert isinstance(event, RunEvent)
    return event


def phases_of(updates: list[WatchUpdate]) -> list[str]:
    """Return the phases that were told."""
    return [update.phase for update in updates if isinstance(update, PhaseChange)]


def text_of(updates: list[WatchUpdate]) -> list[str]:
    """Return the lines of log that were told."""
    return [line for update in updates if isinstance(update, LogLines) for line in update.lines]


async def test_every_change_of_phase_is_told_once() -> None:
    """Each state and phase is told when it is entered, and the event comes last."""
    updates = await watch(running("Queued"), running(), running(), running("Distributing"), over())

    assert phases_of(updates) == ["Running/Queued", "Running/Building", "Running/Distributing", "Succeeded"]
    event = event_of(updates)
    assert (event.status, event.image_template_id) == ("over", IMAGE_TEMPLATE_ID)
    assert event.last_run_status is not None
    assert event.last_run_status["start_time"] == start_time("A")


@pytest.mark.parametrize("state", ["Succeeded", "Failed", "Canceled", "PartiallySucceeded"])
async def test_every_end_is_an_end(state: str) -> None:
    """A run that ended badly is over as well; whether that is good is not the watch's business."""
    event = event_of(await watch(over(state, message="words of the service")))

    assert event.status == "over"
    assert state in event.message
    assert "words of the service" in event.message


async def test_a_run_that_is_over_costs_one_look() -> None:
    """The first look may be the last, without a pause."""
    clock = FakeClock()

    await watch(over(), clock=clock)

    assert clock.pauses == []


async def test_an_unknown_phase_is_no_end() -> None:
    """What the service may say tomorrow is told, and watched on."""
    updates = await watch(running("Signing"), image_template(run_status("Pausing", None)), over())

    assert phases_of(updates) == ["Running/Signing", "Pausing", "Succeeded"]


async def test_a_run_without_a_start_time_is_recognised() -> None:
    """While the status still shows the run before, ours is waited for; then it has a start time."""
    updates = await watch(over(start="A"), running(start="B"), over(start="B"), handle=UNSEEN)

    assert phases_of(updates) == ["Running/Building", "Succeeded"]
    event = event_of(updates)
    assert event.last_run_status is not None
    assert event.last_run_status["start_time"] == start_time("B")


async def test_a_run_that_never_appears_is_not_waited_for_until_its_deadline() -> None:
    """A run that was asked for and never shows is gone after a while."""
    clock = FakeClock()

    event = event_of(await watch(over(start="A"), handle=UNSEEN, clock=clock))

    assert (event.status, event.reason) == ("gone", "never appeared")
    assert APPEAR_WITHIN <= clock.now() - START < APPEAR_WITHIN + timedelta(minutes=1)


async def test_a_run_whose_place_was_taken_is_gone() -> None:
    """When a later run has taken the status over, how ours ended is unknown, and said to be."""
    event = event_of(await watch(running(), over(start="B")))

    assert (event.status, event.reason) == ("gone", "replaced")
    assert "unknown" in event.message
    assert start_time("B") in event.message
    assert event.last_run_status is not None
    assert event.last_run_status["run_state"] == "Running"


async def test_a_deleted_image_template_ends_the_watch() -> None:
    """Nobody waits for a run of what somebody has deleted."""
    event = event_of(await watch(running(), None))

    assert (event.status, event.reason, "deleted" in event.message) == ("gone", "deleted", True)


@pytest.mark.parametrize("glimpse", [None, image_template(), over(start="B")], ids=["deleted", "never ran", "other"])
async def test_one_look_that_misses_the_run_is_not_believed(glimpse: dict[str, Any] | None) -> None:
    """A stale answer would cost a build: the watch looks again soon, and sees the run's end."""
    clock = FakeClock()

    event = event_of(await watch(running(), glimpse, running(), glimpse, glimpse, over(), clock=clock))

    assert event.status == "over"
    assert clock.pauses == [30, 5, 30, 5, 5]


async def test_answers_out_of_date_cost_no_build() -> None:
    """However often Azure shows the run before, a run that was seen is watched on."""
    stale = [over(start="A")] * 10

    updates = await watch(running(start="B"), *stale, over(start="B"), handle=LATER)

    assert (event_of(updates).status, phases_of(updates)) == ("over", ["Running/Building", "Succeeded"])
    first, last = [update.message for update in updates if isinstance(update, WatchTrouble)]
    assert first.endswith(f"the answer is out of date, it shows a run before, of {start_time('A')}")
    assert last == "Looks at the run succeed again, after 10 that failed"


async def test_answers_out_of_date_are_borne_for_a_bounded_time() -> None:
    """They count as looks that fail: the next try joins the run."""
    event = event_of(await watch(running(start="B"), over(start="A"), handle=LATER))

    assert (event.status, event.reason) == ("unwatchable", None)


async def test_a_last_look_that_is_out_of_date_is_repeated_a_few_times() -> None:
    """At the deadline too the run before says nothing about ours."""
    past = START - timedelta(seconds=1)

    assert event_of(await watch(over(start="A"), over(start="B"), handle=LATER, deadline=past)).status == "over"
    assert event_of(await watch(over(start="A"), handle=LATER, deadline=past)).status == "timeout"


@pytest.mark.parametrize("status", [401, 403, 400, 404, 405])
async def test_a_refusal_ends_the_watch_at_once(status: int) -> None:
    """What no repetition can mend is told at once; the event carries the words with the remedy."""
    clock = FakeClock()

    event = event_of(await watch(look_error(status), clock=clock))

    assert (event.status, clock.pauses) == ("unwatchable", [])
    assert "Could not look" in event.message


@pytest.mark.parametrize(
    "fault",
    [
        *(look_error(status) for status in (408, 409, 429, 500, 502, 503, 504)),
        look_error(None, trouble="connection"),
        look_error(None, trouble="malformed"),
        look_error(None, trouble="sign-in"),
        look_error(503, trouble="sign-in"),
    ],
)
async def test_a_fault_that_may_pass_is_borne(fault: Exception) -> None:
    """Overload, resets, half answers and an absent sign-in service are no end."""
    assert event_of(await watch(running(), fault, fault, over())).status == "over"


async def test_faults_are_told_once_in_a_row_and_when_they_are_over() -> None:
    """The log is not flooded: one line when looks begin to fail, one when they succeed again."""
    fault = look_error(500)
    updates = await watch(running(), fault, fault, fault, running(), over())

    troubles = [update.message for update in updates if isinstance(update, WatchTrouble)]
    assert len(troubles) == 2
    assert "repeated" in troubles[0]
    assert "3 that failed" in troubles[1]


async def test_faults_are_borne_for_a_bounded_time() -> None:
    """When looks fail for longer than the budget, the watch ends and says that the run could not be watched."""
    clock = FakeClock()

    event = event_of(await watch(running(), look_error(500), clock=clock, error_budget=timedelta(minutes=10)))

    assert event.status == "unwatchable"
    assert "0:10:00" in event.message
    assert timedelta(minutes=10) <= clock.now() - START < timedelta(minutes=12)
    assert event.last_run_status is not None


async def test_a_good_look_renews_the_budget() -> None:
    """Only faults in a row count against the budget."""
    answers = [look_error(500), running()] * 40
    updates = await watch(*answers, over(), error_budget=timedelta(minutes=2))

    assert event_of(updates).status == "over"


async def test_after_a_fault_the_next_look_comes_early() -> None:
    """A fault is mostly over soon: looks after it come after growing pauses, at most the interval."""
    clock = FakeClock()

    await watch(running(), *[look_error(500)] * 6, over(), clock=clock)

    assert clock.pauses == [30, 2, 4, 8, 16, 30, 30]


async def test_the_pause_that_azure_asks_for_is_kept() -> None:
    """`Retry-After` counts also beyond the interval."""
    clock = FakeClock()

    await watch(running(), look_error(429, retry_after=77), running(), over(), clock=clock)

    assert clock.pauses == [30, 77, 30]


async def test_a_huge_pause_that_azure_asks_for_does_not_outlast_the_budget() -> None:
    """Who is told to come back tomorrow looks once more when the budget ends."""
    clock = FakeClock()

    event = event_of(await watch(running(), look_error(429, retry_after=86_400), clock=clock))

    assert event.status == "unwatchable"
    assert clock.pauses == [30, ERROR_BUDGET.total_seconds()]


async def test_a_huge_pause_that_azure_asks_for_does_not_pass_the_deadline() -> None:
    """At the deadline there is a look, whatever pause Azure has asked for."""
    clock = FakeClock()
    deadline = START + timedelta(minutes=10)

    event = event_of(
        await watch(running(), look_error(429, retry_after=86_400), over(), clock=clock, deadline=deadline)
    )

    assert (event.status, clock.pauses) == ("over", [30, 570])


async def test_a_pause_that_azure_asks_of_many_is_spread() -> None:
    """Waits that were all told to come back in a minute do not come back at one moment, and none comes too early."""
    clock = FakeClock()

    await watch(look_error(429, retry_after=60), over(), clock=clock, spread=lambda _low, high: high)

    assert clock.pauses == [pytest.approx(66)]


async def test_looks_are_spread() -> None:
    """Many waits do not look at once: the interval is up to a tenth shorter, and never longer."""
    bounds: list[tuple[float, float]] = []
    clock = FakeClock()

    def spread(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    await watch(running(), over(), clock=clock, spread=spread)

    assert bounds == [(1 - JITTER, 1)]
    assert clock.pauses == [pytest.approx(30)]


async def test_the_deadline_is_kept_with_one_last_look() -> None:
    """At the deadline there is a look, and only then the run is overdue; it is not cancelled here."""
    clock = FakeClock()
    reader = FakeReader([running()])

    updates = [
        update
        async for update in watch_run(
            reader, HANDLE, deadline=START + timedelta(seconds=70), clock=clock, spread=lambda _low, _high: 1.0
        )
    ]

    event = event_of(updates)
    assert (event.status, clock.pauses, reader.looks) == ("timeout", [30, 30, 10], 4)
    assert event.last_run_status is not None
    assert event.last_run_status["run_state"] == "Running"


@dataclass
class NotedLooks:
    """Give looks from a script, and note which had to be at the image template alone, and at their moment."""

    answers: list[dict[str, Any] | None]
    in_person: list[bool] = field(default_factory=list)

    async def look(self) -> dict[str, Any] | None:
        """Give the next answer."""
        return self.answers.pop(0)

    async def rest(self, _seconds: float, *, in_person: bool = False) -> None:
        """Rest no time at all."""
        self.in_person.append(in_person)


@pytest.mark.parametrize(
    ("seconds", "answers", "expected"),
    [
        (31, [running(), running(), over()], [False, False]),
        (30, [running(), running(), over()], [True, True]),
        (3600, [running(), None, running(), over()], [False, True, False]),
        (3600, [running(), running(start="B"), None, running(), over()], [False, True, True, False]),
    ],
)
async def test_looks_that_decide_are_looks_in_person(seconds: float, answers: list[Any], expected: list[bool]) -> None:
    """No list serves for the look at the deadline, nor for one after a look that did not show the run."""
    looks = NotedLooks(answers)
    deadline = START + timedelta(seconds=seconds)

    updates = [
        update async for update in watch_run(FakeReader([]), HANDLE, deadline=deadline, looks=looks, clock=FakeClock())
    ]

    assert event_of(updates).status == "over"
    assert looks.in_person == expected


async def test_a_run_that_ends_by_the_last_look_is_over() -> None:
    """An end that the last look sees is an end."""
    updates = await watch(running(), over(), deadline=START + timedelta(seconds=10))

    assert event_of(updates).status == "over"


async def test_a_deadline_that_has_passed_still_gets_its_look() -> None:
    """A watch that begins too late, as after a long outage of the triggerer, looks before it judges."""
    assert event_of(await watch(over(), deadline=START - timedelta(hours=1))).status == "over"
    assert event_of(await watch(running(), deadline=START - timedelta(hours=1))).status == "timeout"


async def test_a_last_look_that_fails_is_repeated_a_few_times() -> None:
    """One passing fault at the deadline does not make a run overdue; an outage then does."""
    late = START - timedelta(seconds=1)
    clock = FakeClock()

    assert event_of(await watch(look_error(500), over(), deadline=late)).status == "over"
    event = event_of(await watch(look_error(500), deadline=late, clock=clock))
    assert (event.status, len(clock.pauses)) == ("timeout", 2)


async def test_the_log_is_told_as_it_grows() -> None:
    """What the log gains between two looks is told in whole lines, and the rest at the end."""
    log = FakeLog(log_file=LOG_FILE)
    clock = FakeClock()
    grown = iter([b"one\ntw", b"o\n", b"three\nfour"])

    class Growing(FakeReader):
        async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
            log.content += next(grown, b"")
            return await super().get_image_template(image_template_id, retries=retries)

    reader = Growing([running(), running(), over()])
    updates = [
        update async for update in watch_run(reader, HANDLE, deadline=DEADLINE, clock=clock, relay=LogRelay(log))
    ]

    assert text_of(updates) == ["one", "two", "three", "four"]
    assert event_of(updates).status == "over"


async def test_what_a_log_has_gained_carries_how_far_it_is_told() -> None:
    """Also where nothing of it is shown: whoever takes over need not read it again."""
    log = FakeLog(b"    azure-arm: fine\n", LOG_FILE)

    updates = await watch(running(), running(), over(), relay=LogRelay(log, summary=LogSummary()))

    gained = [update for update in updates if isinstance(update, LogLines)]
    assert gained == [LogLines((), RelayMark(LOG_FILE.name, len(log.content)))]


async def test_a_log_that_is_not_there_yet_is_no_trouble() -> None:
    """A run that is queued has no log."""
    updates = await watch(running("Queued"), over(), relay=LogRelay(FakeLog()))

    assert [type(update) for update in updates] == [PhaseChange, PhaseChange, RunEvent]


async def test_no_log_is_looked_for_while_a_run_is_queued() -> None:
    """It would cost each of a thousand builds that begin together a request, and there is none."""
    relay = LogRelay(FakeLog(log_file=LOG_FILE, error=look_error(403)))

    updates = await watch(running("Queued"), running(), over(), relay=relay)

    assert [type(update) for update in updates] == [PhaseChange, PhaseChange, WatchTrouble, PhaseChange, RunEvent]


@pytest.mark.parametrize("error", [look_error(403), TimeoutError("late"), ValueError("odd")])
async def test_trouble_with_the_log_never_ends_the_watch(error: Exception) -> None:
    """Whatever ails the log is told once, and the run is watched on."""
    updates = await watch(running(), running(), over(), relay=LogRelay(FakeLog(log_file=LOG_FILE, error=error)))

    assert event_of(updates).status == "over"
    assert [update.message for update in updates if isinstance(update, WatchTrouble)] == [
        f"The customization log cannot be read, the run is watched without it: {error}"
    ]


async def test_a_log_that_takes_too_long_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout has no words of its own."""
    monkeypatch.setattr(run_watch, "RELAY_TIMEOUT", 0)

    class EndlessLog(FakeLog):
        async def look_at(self, blob: StagedBlob) -> StagedBlob:
            await asyncio.Event().wait()
            return blob

    updates = await watch(over(), relay=LogRelay(EndlessLog(b"one\n", LOG_FILE)))

    assert [update.message for update in updates if isinstance(update, WatchTrouble)] == [
        "The customization log cannot be read, the run is watched without it: it has taken longer than 0 seconds"
    ]


async def test_trouble_without_words_is_named_by_its_type() -> None:
    """An error that says nothing leaves no empty reason."""
    updates = await watch(over(), relay=LogRelay(FakeLog(log_file=LOG_FILE, error=TimeoutError())))

    assert [update.message.rpartition(": ")[2] for update in updates if isinstance(update, WatchTrouble)] == [
        "TimeoutError"
    ]
