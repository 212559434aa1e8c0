"""Send what was planned: a few requests at a time, within the subscription's limits, and bear lists that fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import FORBIDDEN, TOO_MANY_REQUESTS, is_transient, retry_after
from airflow_aib.hooks.polling.plan import ListFacts, Listing, Scope, Single
from airflow_aib.hooks.polling.read_budget import ReadBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.polling.pages import Page
    from airflow_aib.hooks.polling.plan import Ask, WantedLook
    from airflow_aib.hooks.polling.shared_work import SharedWork
    from airflow_aib.hooks.polling.source import Source

    # A body, none, or why there is no answer.
    Answer = dict[str, Any] | None | BaseException
    # The subscription, and whether looks that decide stand here, which wait for no others.
    Queue = tuple[str, bool]

# Requests at a time; each has a connection of its own. Lists, and looks that decide, have some for themselves.
AT_ONCE = 6
AT_ONCE_IN_PERSON = 4
LISTS_AT_ONCE = 4
# Seconds; a moment that is too short to count would be waited for again and again.
SHORTEST_PAUSE = 0.01
# Seconds until a page that failed is asked for once more: a passing fault is over soon, and costs no single requests.
PAGE_PAUSE = 2.0
# More pages than any subscription has: addresses that go in circles must end.
MOST_PAGES = 1000


class Asking:
    """Send requests, and hand what they bring to those who wait for it.

    :param source: brings what is asked for
    :param answer: is handed looks with their answer
    :param put_back: is handed looks that must be planned anew
    :param work: does all this
    :param clock: tells the time and waits
    """

    def __init__(
        self,
        source: Source,
        answer: Callable[[Iterable[WantedLook], Answer], None],
        put_back: Callable[[Iterable[WantedLook]], None],
        work: SharedWork,
        clock: Clock,
    ) -> None:
        self.lists: dict[Scope, ListFacts] = defaultdict(ListFacts)
        self.budgets: dict[str, ReadBudget] = defaultdict(ReadBudget)
        self._source = source
        self._answer = answer
        self._put_back = put_back
        self._work = work
        self._clock = clock
        self._gates = {False: asyncio.Semaphore(AT_ONCE), True: asyncio.Semaphore(AT_ONCE_IN_PERSON)}
        self._list_gate = asyncio.Semaphore(LISTS_AT_ONCE)
        self._turns: dict[Queue, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._queues: dict[Queue, deque[Single]] = defaultdict(deque)
        self._served: set[Queue] = set()

    def start(self, asks: Sequence[Ask]) -> None:
        """Send what was planned, and do not wait for it.

        Lists go at once. Single requests queue, and what still stood there is forgotten: whatever has not been sent was
        planned anew, since a list may bring it by now.
        """
        for queue in self._queues.values():
            queue.clear()
        for ask in asks:
            if isinstance(ask, Listing):
                _close(ask.wanted)
                self._work.begin(self._list(ask))
            else:
                self._queues[ask.subscription_id, ask.in_person].append(ask)
        for key in self._queues.keys() - self._served:
            if self._queues[key]:
                self._served.add(key)
                self._work.begin(self._serve(key))

    def note(self, subscription_id: str, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the subscription's limits."""
        self.budgets[subscription_id].note(headers, self._now())

    async def _serve(self, key: Queue) -> None:
        """Send what stands in a queue, one after the other, as soon as the limits and the connections allow."""
        (subscription_id, in_person), queue = key, self._queues[key]
        gate = self._gates[in_person]
        try:
            while queue:
                await self.admit(subscription_id, in_person=in_person)
                await gate.acquire()
                wanted = _next(queue)
                if wanted:
                    _close(wanted)
                    self._work.begin(self._get(wanted, gate))
                else:
                    gate.release()
                    self.budgets[subscription_id].give_back()
        finally:
            self._served.discard(key)

    async def _get(self, wanted: Sequence[WantedLook], gate: asyncio.Semaphore) -> None:
        """Ask for one image template; whatever comes of it is the answer."""
        answer: Answer
        try:
            answer = await self._source.get_image_template(wanted[0].image_template_id, retries=False)
        except Exception as error:  # noqa: BLE001 - it is the waits' to judge
            answer = error
            self._hold(wanted[0].scope, error)
        finally:
            gate.release()
        self._answer(wanted, answer)

    async def _list(self, ask: Listing) -> None:
        """Ask for a list, page by page; whom it does not show, or not at all, is looked at singly."""
        missing: dict[str, list[WantedLook]] = defaultdict(list)
        for look in ask.wanted:
            missing[look.image_template_id].append(look)
        try:
            await self._turn_pages(ask.scope, missing)
        except Exception as error:  # noqa: BLE001 - a list is a help, each wait has another way
            self._bear(ask.scope, [look for looks in missing.values() for look in looks], error)
            return
        left = [look for looks in missing.values() for look in looks]
        for look in left:
            # A list may lag behind, or not show all: nothing is concluded from it.
            look.is_unlisted, look.due = True, self._now()
        self._put_back(left)

    async def _turn_pages(self, scope: Scope, missing: dict[str, list[WantedLook]]) -> None:
        link, pages, found, size = None, 0, 0, 0
        while pages < MOST_PAGES:
            page = await self._page(scope, link)
            for image_template_id, body in page.bodies.items():
                self._answer(missing.pop(image_template_id, ()), body)
            link, pages, found, size = page.next_link, pages + 1, found + len(page.bodies), size + page.size
            if link is None:
                break
        self.lists[scope].learn(found, pages, size, self._now())

    async def _page(self, scope: Scope, link: str | None) -> Page:
        """Ask for a page of a list, and once more where that may help."""
        try:
            return await self._ask_for_page(scope, link)
        except ArmRequestError as error:
            if not is_transient(error) or _fails_for_all(error):
                raise
            self._hold(scope, error)
        await self._clock.sleep(PAGE_PAUSE)
        return await self._ask_for_page(scope, link)

    async def _ask_for_page(self, scope: Scope, link: str | None) -> Page:
        async with self._list_gate:
            await self.admit(scope.subscription_id)
            return await self._source.list_page(scope, link)

    def _bear(self, scope: Scope, wanted: list[WantedLook], error: Exception) -> None:
        """Do without lists for a while, or for good; where single requests would fail as well, say so instead."""
        facts = self.lists[scope]
        if not isinstance(error, ArmRequestError):
            facts.fail(self._now())
        elif error.status == FORBIDDEN:
            facts.forbid()
        else:
            facts.fail(self._now())
            self._hold(scope, error)
            if _fails_for_all(error):
                self._answer(wanted, error)
                return
        self._put_back(wanted)

    def _hold(self, scope: Scope, error: Exception) -> None:
        seconds = retry_after(error) if isinstance(error, ArmRequestError) else None
        if seconds:
            self.budgets[scope.subscription_id].hold(seconds, self._now())

    async def admit(self, subscription_id: str, *, in_person: bool = False) -> None:
        """Wait for our turn, and until the subscription has a read left, and take it."""
        budget = self.budgets[subscription_id]
        async with self._turns[subscription_id, in_person]:
            while (seconds := budget.wait(self._now(), in_person=in_person)) > 0:
                await self._clock.sleep(max(seconds, SHORTEST_PAUSE))
            budget.spend(self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _close(wanted: Iterable[WantedLook]) -> None:
    for look in wanted:
        look.is_open = False


def _next(queue: deque[Single]) -> list[WantedLook]:
    """Take the looks that are still to be brought off the queue's head; none when there are none any more."""
    wanted: list[WantedLook] = []
    while queue and not wanted:
        wanted = [look for look in queue.popleft().wanted if look.is_open]
    return wanted


def _fails_for_all(error: ArmRequestError) -> bool:
    """Whether single requests would fail as well."""
    return error.status == TOO_MANY_REQUESTS or error.data.get("trouble") in {"connection", "sign-in"}
