"""Send what was planned: a few requests at a time, within the subscription's limits, and bear lists that fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import FORBIDDEN, TOO_MANY_REQUESTS, retry_after
from airflow_aib.hooks.polling.plan import ListFacts, Listing, Scope, Single
from airflow_aib.hooks.polling.read_budget import ReadBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.polling.plan import Ask, WantedLook
    from airflow_aib.hooks.polling.source import Source

    # A body, none, or why there is no answer.
    Answer = dict[str, Any] | None | Exception

# Requests at a time; each has a connection of its own. Looks that cannot wait have some for themselves.
AT_ONCE = 6
AT_ONCE_IN_PERSON = 4
# Seconds; a moment that is too short to count would be waited for again and again.
SHORTEST_PAUSE = 0.01
# More pages than any subscription has: addresses that go in circles must end.
MOST_PAGES = 1000


class Asking:
    """Send requests, and hand what they bring to those who wait for it.

    :param source: brings what is asked for
    :param answer: is handed looks with their answer
    :param put_back: is handed looks that must be planned anew
    :param clock: tells the time and waits
    """

    def __init__(
        self,
        source: Source,
        answer: Callable[[Iterable[WantedLook], Answer], None],
        put_back: Callable[[Iterable[WantedLook]], None],
        clock: Clock,
    ) -> None:
        self.lists: dict[Scope, ListFacts] = defaultdict(ListFacts)
        self.budgets: dict[str, ReadBudget] = defaultdict(ReadBudget)
        self._source = source
        self._answer = answer
        self._put_back = put_back
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._own_gate = asyncio.Semaphore(AT_ONCE_IN_PERSON)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, ask: Ask) -> None:
        """Send a request, and do not wait for it."""
        for look in ask.wanted:
            look.is_under_way = True
        work = self._list(ask) if isinstance(ask, Listing) else self._get(ask)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def note(self, subscription_id: str, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the subscription's limits."""
        self.budgets[subscription_id].note(headers, self._now())

    async def _get(self, ask: Single) -> None:
        """Ask for one image template; whatever comes of it is the answer."""
        first = ask.wanted[0]
        answer: Answer
        async with self._own_gate if first.in_person else self._gate:
            await self._admit(first.scope.subscription_id, in_person=first.in_person)
            try:
                answer = await self._source.get_image_template(ask.image_template_id, retries=False)
            except Exception as error:  # noqa: BLE001 - it is the waits' to judge
                answer = error
                self._hold(first.scope, error)
        self._answer(ask.wanted, answer)

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
            look.in_person, look.due = True, self._now()
        self._put_back(left)

    async def _turn_pages(self, scope: Scope, missing: dict[str, list[WantedLook]]) -> None:
        link, pages, found, size = None, 0, 0, 0
        while pages < MOST_PAGES:
            async with self._gate:
                await self._admit(scope.subscription_id)
                page = await self._source.list_page(scope, link)
            for image_template_id, body in page.bodies.items():
                self._answer(missing.pop(image_template_id, ()), body)
            link, pages, found, size = page.next_link, pages + 1, found + len(page.bodies), size + page.size
            if link is None:
                break
        self.lists[scope].learn(found, pages, size, self._now())

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
            if error.status == TOO_MANY_REQUESTS or error.data.get("trouble") in {"connection", "sign-in"}:
                self._answer(wanted, error)
                return
        self._put_back(wanted)

    def _hold(self, scope: Scope, error: Exception) -> None:
        seconds = retry_after(error) if isinstance(error, ArmRequestError) else None
        if seconds:
            self.budgets[scope.subscription_id].hold(seconds, self._now())

    async def _admit(self, subscription_id: str, *, in_person: bool = False) -> None:
        """Wait until the subscription has a read left, and take it."""
        budget = self.budgets[subscription_id]
        while (seconds := budget.wait(self._now(), in_person=in_person)) > 0:
            await self._clock.sleep(max(seconds, SHORTEST_PAUSE))
        budget.spend(self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()
