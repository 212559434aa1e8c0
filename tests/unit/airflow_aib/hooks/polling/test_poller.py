from __future__ import annotations

import asyncio
import contextvars
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.polling import poller as module
from airflow_aib.hooks.polling.asking import AT_ONCE, AT_ONCE_IN_PERSON, PAGE_PAUSE
from airflow_aib.hooks.polling.gathering import LONGEST_GATHERING
from airflow_aib.hooks.polling.plan import FIRST_BAR
from airflow_aib.hooks.polling.poller import FleetPoller, fleet_looks
from airflow_aib.hooks.polling.read_budget import BUCKET_SIZE, REFILL_PER_SECOND, RESERVE
from tests.fakes import (
    START,
    SUBSCRIPTION,
    FakeClock,
    FakeFleet,
    SteppedClock,
    image_template,
    look_error,
    run_status,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from airflow_aib.hooks.clients import AzureClients

INTERVAL = 30.0
MINUTE = 60.0


def template_id(number: int, group: str = "images") -> str:
    """Name an image template."""
    provider = "providers/microsoft.virtualmachineimages/imagetemplates"
    return f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/{provider}/t{number}"


def fleet(count: int, **changes: Any) -> FakeFleet:
    """Have many image templates whose runs go on."""
    return FakeFleet({template_id(number): image_template(run_status()) for number in range(count)}, **changes)


@dataclass
class Wait:
    """Look again and again, as a watch does, and keep what it has seen."""

    image_template_id: str
    pause: float = INTERVAL
    in_person: bool = False
    seen: list[Any] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)


@dataclass
class Lab:
    """Run waits by one poller on a clock that the test moves."""

    source: FakeFleet
    clock: SteppedClock = field(default_factory=SteppedClock)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.poller = FleetPoller(self.source, clock=self.clock)

    def begin(self, *waits: Wait) -> None:
        """Let waits begin."""
        self.tasks += [asyncio.create_task(self._keep_looking(wait)) for wait in waits]

    def asked(self) -> list[str]:
        """Give what was asked since the last time."""
        asked, self.source.asked = self.source.asked, []
        return asked

    async def _keep_looking(self, wait: Wait) -> None:
        looks = self.poller.join(wait.image_template_id)
        while True:
            try:
                wait.seen.append(await looks.look())
            except ArmRequestError as error:
                wait.seen.append(error)
            wait.moments.append(self.clock.now().timestamp())
            await looks.rest(wait.pause, in_person=wait.in_person)


@asynccontextmanager
async def lab(source: FakeFleet) -> AsyncIterator[Lab]:
    """Have a lab, and leave nothing."""
    made = Lab(source)
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await made.poller.close()


def waits(count: int, **options: Any) -> list[Wait]:
    """Have a wait for each of many image templates."""
    return [Wait(template_id(number), **options) for number in range(count)]


async def test_a_thousand_waits_are_served_by_lists() -> None:
    """Ten pages of a hundred bring a thousand looks."""
    async with lab(fleet(1000)) as at:
        begun = waits(1000)
        at.begin(*begun)
        await at.clock.advance(5)
        assert at.asked().count("list images") == 10

        await at.clock.advance(INTERVAL)

        assert at.asked() == ["list images"] * 10
        assert {len(wait.seen) for wait in begun[1:]} == {2}


async def test_knowledge_is_never_older_than_the_interval() -> None:
    """Whatever is merged with what, each wait has a look within its own interval."""
    async with lab(fleet(300)) as at:
        begun = [Wait(template_id(number), pause=10 + number % 7) for number in range(300)]
        for part in range(6):
            at.begin(*begun[part * 50 : part * 50 + 50])
            await at.clock.advance(3.3)
        await at.clock.advance(5 * MINUTE)

        for wait in begun:
            pauses = [late - early for early, late in zip(wait.moments, wait.moments[1:], strict=False)]
            assert max(pauses) <= wait.pause + 0.001


async def test_one_wait_looks_by_itself_and_at_once() -> None:
    """A wait that is alone asks for its image template, without waiting for others first."""
    async with lab(fleet(1)) as at:
        (wait,) = waits(1)
        at.begin(wait)
        await at.clock.advance(0)

        assert at.asked() == ["get"]
        assert wait.seen == [at.source.bodies[template_id(0)]]


async def test_what_a_list_does_not_show_is_looked_at_before_anything_is_concluded() -> None:
    """Absence from a list is no deletion: the image template itself is asked."""
    hidden = template_id(7)
    async with lab(fleet(50, unlisted={hidden})) as at:
        begun = waits(50)
        at.begin(*begun)
        await at.clock.advance(5)

        assert "list images" in at.asked()
        assert begun[7].seen == [at.source.bodies[hidden]]


async def test_what_lists_never_show_is_looked_at_by_itself_for_good() -> None:
    """After two lists without it, an image template costs one request a look, and no detour."""
    hidden = template_id(7)
    async with lab(fleet(50, unlisted={hidden})) as at:
        begun = waits(50)
        at.begin(*begun)
        await at.clock.advance(5)
        await at.clock.advance(3 * INTERVAL)
        at.asked()

        await at.clock.advance(INTERVAL)

        assert sorted(at.asked()) == ["get", "list images"]
        assert None not in begun[7].seen


async def test_a_deleted_image_template_is_known_to_be_gone() -> None:
    """Where the image template itself is not there, the look is none."""
    async with lab(fleet(20)) as at:
        begun = waits(20)
        at.begin(*begun)
        await at.clock.advance(5)
        del at.source.bodies[template_id(3)]

        await at.clock.advance(INTERVAL)

        assert begun[3].seen[-1] is None


async def begin_slowly(at: Lab, begun: list[Wait], seconds: int) -> None:
    """Let waits begin one after the other, as after a restart of the triggerer."""
    part = len(begun) // (5 * seconds)
    for first in range(0, len(begun), part):
        at.begin(*begun[first : first + part])
        await at.clock.advance(0.2)


@pytest.mark.parametrize("failures", [0, 1])
async def test_three_thousand_waits_find_their_step(failures: int) -> None:
    """However slowly they begin, and though a list fails meanwhile: lists serve them soon, and nobody looks late."""
    asked = {}
    for count in (1000, 3000):
        async with lab(fleet(count, list_error=look_error(503), failures=0)) as at:
            begun = waits(count)
            await begin_slowly(at, begun, 12)
            at.source.failures = failures
            await at.clock.advance(2 * MINUTE)
            asked[count] = len(at.asked())
            await at.clock.advance(MINUTE)

            assert set(at.asked()) == {"list images"}
            now = at.clock.now().timestamp()
            assert max(now - wait.moments[-1] for wait in begun) <= INTERVAL + 1
    assert asked[3000] <= 3 * asked[1000]


async def test_waits_that_begin_together_are_gathered() -> None:
    """A first look waits for others until a second has brought none, and ten seconds at most."""
    async with lab(fleet(100)) as at:
        at.begin(Wait(template_id(0)))
        await at.clock.advance(0)
        at.begin(*waits(50)[1:])
        await at.clock.advance(0.9)
        assert at.asked() == ["get"]
        await at.clock.advance(0.2)
        assert at.asked() == ["list images"]

        late = waits(100)[50:]
        for wait in late:
            at.begin(wait)
            await at.clock.advance(0.5)
        assert late[0].moments[0] - START.timestamp() == pytest.approx(1.1 + LONGEST_GATHERING, abs=0.01)


async def test_a_list_takes_over_what_queues_to_be_read_singly() -> None:
    """When lists work again, nobody goes on reading one after the other, nor does a list wait behind them."""
    async with lab(fleet(1000, list_error=look_error(500), failures=2)) as at:
        begun = waits(1000)
        at.begin(*begun)
        await at.clock.advance(PAGE_PAUSE + 5)
        singly = at.asked().count("get")
        assert 0 < singly < 1000
        await at.clock.advance(FIRST_BAR)

        assert all(wait.seen for wait in begun)
        assert singly + at.asked().count("get") < 600


async def test_a_page_that_fails_once_is_asked_for_again() -> None:
    """A passing fault costs two seconds, and no single request."""
    async with lab(fleet(300, list_error=look_error(503), fails_from=1, failures=1)) as at:
        begun = waits(300)
        at.begin(*begun)
        await at.clock.advance(PAGE_PAUSE)

        assert at.asked() == ["list images"] * 4
        assert all(isinstance(wait.seen[0], dict) for wait in begun)


async def test_a_request_that_queues_for_a_wait_that_has_ended_is_not_sent() -> None:
    """What nobody waits for any more costs nothing."""
    async with lab(fleet(300, list_error=look_error(403))) as at:
        at.begin(*waits(300, pause=600))
        await at.clock.advance(1.1)
        assert BUCKET_SIZE - RESERVE <= at.asked().count("get") < 300
        for task in at.tasks:
            task.cancel()
        await at.clock.advance(MINUTE)

        assert at.asked() == []
        assert at.poller.asking.budgets[SUBSCRIPTION].wait(at.clock.now().timestamp()) == 0


async def test_a_subscription_whose_limit_is_reached_holds_no_other_up() -> None:
    """Each has its own bucket, and connections are held only by what is sent."""
    other = template_id(0).replace(SUBSCRIPTION, "00000000-0000-4000-8000-000000000002")
    many = fleet(300, list_error=look_error(403))
    many.bodies[other] = image_template(run_status())
    async with lab(many) as at:
        at.begin(*waits(300, pause=600))
        await at.clock.advance(1.1)
        lone = Wait(other)
        at.begin(lone)
        await at.clock.advance(1.1)

        assert lone.seen


async def test_what_no_list_shows_leaves_others_their_share() -> None:
    """A list that shows nothing is no reason to use what is kept for whoever else reads in the subscription."""
    ids = {template_id(number) for number in range(1000)}
    async with lab(fleet(1000, unlisted=ids)) as at:
        at.begin(*waits(1000, pause=600))
        await at.clock.advance(1)

        assert at.asked().count("get") <= BUCKET_SIZE - RESERVE + REFILL_PER_SECOND


@pytest.mark.parametrize(("fails_from", "singly"), [(0, 300), (2, 100)])
@pytest.mark.parametrize(
    "error",
    [look_error(500), look_error(404), look_error(None, trouble="malformed"), look_error(403), RuntimeError("a bug")],
    ids=str,
)
async def test_a_list_that_fails_costs_no_wait_its_look(error: Exception, fails_from: int, singly: int) -> None:
    """Whom the list does not bring is looked at singly; what its first pages brought counts."""
    async with lab(fleet(300, list_error=error, fails_from=fails_from)) as at:
        begun = waits(300)
        at.begin(*begun)
        await at.clock.advance(20)

        assert all(isinstance(wait.seen[0], dict) for wait in begun)
        assert at.asked().count("get") == singly


async def test_after_a_failure_lists_are_tried_again() -> None:
    """A list that failed is done without for a while, not for good."""
    async with lab(fleet(200, list_error=look_error(500))) as at:
        at.begin(*waits(200))
        await at.clock.advance(5)
        at.source.list_error = None
        await at.clock.advance(2 * FIRST_BAR)
        at.asked()

        await at.clock.advance(2 * INTERVAL)

        assert set(at.asked()) == {"list images"}


async def test_without_the_permission_to_list_there_are_no_more_lists() -> None:
    """A refusal is believed: resource group and subscription are each tried once, then never again."""
    async with lab(fleet(50, list_error=look_error(403))) as at:
        at.begin(*waits(50))
        await at.clock.advance(5)
        at.source.list_error = None

        await at.clock.advance(2 * 3600)

        lists = [asked for asked in at.asked() if asked.startswith("list")]
        assert len(lists) == len(set(lists)) <= 2


@pytest.mark.parametrize("error", [look_error(429, retry_after=20), look_error(None, trouble="connection")], ids=str)
async def test_where_single_requests_would_fail_as_well_the_waits_are_told(error: ArmRequestError) -> None:
    """An outage, or the request limit, is not answered with a request for each wait."""
    async with lab(fleet(200, list_error=error)) as at:
        begun = waits(200)
        at.begin(*begun)
        await at.clock.advance(5)

        assert all(wait.seen == [error] for wait in begun[1:])
        assert "get" not in at.asked()[1:]


async def test_a_pause_that_azure_asks_for_holds_all_but_what_decides() -> None:
    """After a refusal nobody of the subscription asks for so long, except for a look at a deadline."""
    async with lab(fleet(2, error=look_error(429, retry_after=60))) as at:
        at.begin(Wait(template_id(0), pause=10))
        await at.clock.advance(0)
        at.source.error = None
        await at.clock.advance(59)
        assert at.asked() == ["get"]

        at.begin(Wait(template_id(1), pause=0.5, in_person=True))
        await at.clock.advance(0.9)
        assert at.asked() == []
        await at.clock.advance(4)
        assert len(at.asked()) >= 2


async def test_requests_stay_within_the_subscriptions_bucket() -> None:
    """A thousand single looks at once are sent at the pace at which the bucket fills again."""
    async with lab(fleet(1000, list_error=look_error(403))) as at:
        begun = waits(1000, pause=600)
        at.begin(*begun)
        await at.clock.advance(1)
        assert at.asked().count("get") < 250

        await at.clock.advance(40)

        assert all(wait.seen for wait in begun)


async def test_few_requests_are_under_way_at_a_time() -> None:
    """Each request under way has a connection, and each connection a handshake."""
    async with lab(fleet(400, list_error=look_error(403))) as at:
        at.begin(*waits(400, pause=600))
        await at.clock.advance(30)

        assert at.source.most_at_once <= AT_ONCE + AT_ONCE_IN_PERSON


async def test_a_request_that_hangs_holds_up_nobody_else() -> None:
    """While one answer does not come, the others look on."""
    async with lab(fleet(2)) as at:
        at.source.may_answer = asyncio.Event()
        at.begin(Wait(template_id(0)))
        await at.clock.advance(0)
        at.source.may_answer = None
        other = Wait(template_id(1))
        at.begin(other)
        await at.clock.advance(3 * INTERVAL)

        assert len(other.seen) >= 3


async def test_a_wait_that_is_cancelled_leaves_nothing() -> None:
    """Its look is forgotten, and the others go on."""
    async with lab(fleet(3)) as at:
        begun = waits(3)
        at.begin(*begun)
        await at.clock.advance(4)
        at.tasks[0].cancel()
        await settle()
        seen = len(begun[0].seen)

        await at.clock.advance(INTERVAL)

        assert len(begun[0].seen) == seen
        assert len(begun[1].seen) == 2
        assert len(at.poller._futures) == 2


async def test_a_crash_of_the_poller_is_told_to_every_wait() -> None:
    """A mistake of ours ends waits with an error: none of them hangs."""
    async with lab(fleet(3)) as at:
        at.begin(Wait(template_id(0)))
        await at.clock.advance(2)
        at.poller.asking.lists = cast("Any", None)
        at.begin(*waits(3))
        await at.clock.advance(INTERVAL)

        await settle()
        assert all(isinstance(task.exception(), AttributeError) for task in at.tasks)


class AlarmError(BaseException):
    """Be what a signal handler raises wherever the process just is, as Airflow's execution timeout."""


@pytest.mark.parametrize("where", ["request", "plan", "later plan"])
async def test_an_alarm_that_strikes_the_poller_ends_every_wait(where: str) -> None:
    """None of them waits for ever for work that has died; each hears what has ended it."""
    source = fleet(2)
    async with lab(source) as at:
        if where == "later plan":
            at.begin(*waits(2))
            await at.clock.advance(INTERVAL)
        if where == "request":
            source.error = cast("Any", AlarmError())
        else:
            vars(at.poller.asking)["start"] = alarm
        at.begin(*([] if where == "later plan" else waits(2, in_person=True)))
        await at.clock.advance(3 * INTERVAL)

        await settle()
        assert [type(task.exception()) for task in at.tasks if task.done()] == [AlarmError] * 2


def alarm(*_: Any) -> None:
    """Strike."""
    raise AlarmError


LOG_OF = contextvars.ContextVar("LOG_OF", default="nobody")


async def test_the_poller_works_in_nobodys_name() -> None:
    """What is logged while it asks is not logged into the task that happened to come first."""
    names: list[str] = []

    class Noting(FakeFleet):
        async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
            names.append(LOG_OF.get())
            return await super().get_image_template(image_template_id, retries=retries)

    LOG_OF.set("the first task")
    async with lab(Noting(fleet(1).bodies)) as at:
        at.begin(*waits(1))
        await at.clock.advance(1)

    assert names == ["nobody"]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureClients]:
    """Have clients of which only the identity counts."""
    monkeypatch.setattr(module, "_make_poller", lambda _, clock: FleetPoller(fleet(3), clock=clock))
    yield cast("AzureClients", object())
    assert module._pollers == {}


async def test_waits_with_the_same_clients_share_a_poller_and_the_last_one_ends_it(clients: AzureClients) -> None:
    """While one is left the poller works; after the last nothing is left: no task, no entry."""
    before = asyncio.all_tasks()
    async with fleet_looks(clients, template_id(0), clock=FakeClock()) as first:
        async with fleet_looks(clients, template_id(1), clock=FakeClock()) as second:
            assert await second.look() is not None
            assert len(module._pollers) == 1
        assert await first.look() is not None

    assert module._pollers == {}
    assert asyncio.all_tasks() == before


async def test_a_wait_that_is_cancelled_while_it_looks_ends_its_poller(clients: AzureClients) -> None:
    """A request under way is given up with the wait."""
    before = asyncio.all_tasks()
    at_rest = asyncio.Event()

    async def wait() -> None:
        async with fleet_looks(clients, template_id(0)) as looks:
            await looks.look()
            at_rest.set()
            await looks.rest(3600)

    task = asyncio.create_task(wait())
    await at_rest.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == before
