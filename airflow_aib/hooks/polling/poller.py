"""Bring the looks of all waits of a process that share a connection, with as few requests as will do."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.polling.accounts import SharedAccounts
from airflow_aib.hooks.polling.asking import Asking
from airflow_aib.hooks.polling.gathering import Gathering
from airflow_aib.hooks.polling.pace import RunHistory, paced
from airflow_aib.hooks.polling.plan import Scope, WantedLook, plan
from airflow_aib.hooks.polling.shared_work import SharedWork
from airflow_aib.hooks.polling.source import LeanImageTemplates
from airflow_aib.hooks.resource_id import parse_image_template_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.polling.asking import Answer
    from airflow_aib.hooks.polling.source import Source
    from airflow_aib.hooks.staging_account import StagingAccounts

# Seconds by which a look may come early: what is due within less is planned together.
SAME_MOMENT = 0.01
# So many lists in a row may lack an image template until it is looked at by itself for good.
UNLISTED = 2


class FleetPoller:
    """Look at the image templates of all waits, while there is one.

    :param source: brings what is asked for
    :param clock: tells the time and waits
    """

    def __init__(self, source: Source, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self.history = RunHistory()
        self.accounts: SharedAccounts | None = None
        self._work = SharedWork(self._end_waits)
        self.asking = Asking(source, self._answer, self._put_back, self._work, clock)
        self._futures: dict[WantedLook, asyncio.Future[Answer]] = {}
        self._gathering = Gathering()
        self._members: set[FleetLooks] = set()
        self._wake = asyncio.Event()
        self._wakes_at = 0.0
        self._is_at_work = False
        self._crash: BaseException | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, image_template_id: str) -> FleetLooks:
        """Give the looks of one more wait."""
        looks = FleetLooks(self, image_template_id)
        self._members.add(looks)
        if not self._is_at_work:
            self._is_at_work = True
            self._work.begin(self._plan_on())
        return looks

    def leave(self, looks: FleetLooks) -> None:
        """End the looks of a wait."""
        self._members.discard(looks)

    async def close(self) -> None:
        """End all that is under way."""
        await self._work.close()
        if self.accounts is not None:
            await self.accounts.close()

    async def want(self, look: WantedLook) -> Answer:
        """Wait for a look."""
        if self._crash is not None:
            return self._crash
        future = asyncio.get_running_loop().create_future()
        self._futures[look] = future
        if look.is_first:
            self._gathering.take(look, look.asked_at)
        if min(look.due, self._gathering.ends_at) < self._wakes_at:
            self._wake.set()
        try:
            answer: Answer = await future
        finally:
            self._futures.pop(look, None)
            # Should a request for it stand in the queue, it is not sent any more.
            look.is_open = False
        return answer

    async def _plan_on(self) -> None:
        while True:
            now = self.clock.now().timestamp() + SAME_MOMENT
            self._gathering.release(now)
            self.asking.start(plan(self._futures, now, self.asking.lists))
            self._wakes_at = self._next_moment(now)
            await self._sleep(self._wakes_at - now + SAME_MOMENT)

    def _end_waits(self, error: BaseException) -> None:
        """Tell everybody who waits, now or later, what the work has died of."""
        self._crash = error
        self._answer(list(self._futures), error)

    def _next_moment(self, now: float) -> float:
        """Give when there is to be planned again: a look is due, or a list may bring what queues to be read singly."""
        to_come = [look.due for look in self._futures if look.is_open and look.due > now]
        bars = [facts.barred_until for facts in self.asking.lists.values() if facts.barred_until > now]
        return min(self._gathering.ends_at, *to_come, *bars, math.inf)

    async def _sleep(self, seconds: float) -> None:
        """Wait until something is due, or something is to be planned anew."""
        loop = asyncio.get_running_loop()
        pauses: set[asyncio.Task[Any]] = {loop.create_task(self._wake.wait())}
        if seconds < math.inf:
            pauses.add(loop.create_task(self.clock.sleep(seconds)))
        try:
            ended, _ = await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
            for pause in ended:
                pause.result()
        finally:
            for pause in pauses:
                pause.cancel()
        self._wake.clear()

    def _answer(self, wanted: Iterable[WantedLook], answer: Answer) -> None:
        for look in wanted:
            future = self._futures.get(look)
            if future is not None and not future.done():
                future.set_result(answer)

    def _put_back(self, wanted: Iterable[WantedLook]) -> None:
        for look in wanted:
            look.is_open = True
        self._wake.set()


class FleetLooks:
    """Be the looks of one wait, as the poller brings them.

    :param poller: looks for all
    :param image_template_id: at what this one looks
    """

    def __init__(self, poller: FleetPoller, image_template_id: str) -> None:
        self._poller = poller
        self.image_template_id = image_template_id.lower()
        resource_id = parse_image_template_id(self.image_template_id)
        self._scope = Scope(resource_id.subscription_id, resource_id.resource_group_name)
        self._answers: list[Answer] = []
        self._body: Mapping[str, Any] | None = None
        self._unlisted = 0

    @property
    def accounts(self) -> StagingAccounts | None:
        """What finds staging storage accounts for all waits together."""
        return self._poller.accounts

    async def look(self) -> dict[str, Any] | None:
        """Give the look that `rest` has brought, or the first one."""
        if not self._answers:
            now = self._poller.clock.now().timestamp()
            # Who is alone has nobody to wait for.
            due = math.inf if len(self._poller) > 1 else now
            await self._bring(WantedLook(self.image_template_id, self._scope, now, due, is_first=True))
        answer = self._answers.pop()
        if isinstance(answer, BaseException):
            # The same error may be many waits': each raises it from where it stands.
            raise answer.with_traceback(None)
        return answer

    async def rest(self, seconds: float, *, in_person: bool = False) -> None:
        """Wait for the next look, at the latest for so many seconds, and keep it for `look`."""
        now = self._poller.clock.now()
        usual = self._poller.history.usual_duration(self.image_template_id)
        pause = paced(seconds, self._body, usual, now, len(self._poller))
        asked_at = now.timestamp()
        is_unlisted = self._unlisted >= UNLISTED
        due = asked_at + pause
        await self._bring(WantedLook(self.image_template_id, self._scope, asked_at, due, in_person, is_unlisted))

    async def _bring(self, wanted: WantedLook) -> None:
        self._answers.clear()
        answer = await self._poller.want(wanted)
        if not wanted.in_person and self._unlisted < UNLISTED:
            self._unlisted = self._unlisted + 1 if wanted.is_unlisted else 0
        self._answers.append(answer)
        if answer is not None and not isinstance(answer, BaseException):
            self._body = answer
            self._poller.history.note(self.image_template_id, answer)


# A triggerer has one loop; `dag.test()` and tests have one for each wait, and clients of their own with it.
_pollers: dict[AzureClients, FleetPoller] = {}


@asynccontextmanager
async def fleet_looks(
    clients: AzureClients, image_template_id: str, *, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[FleetLooks]:
    """Lend looks at an image template by the poller that all waits with these clients share; the last one ends it.

    :param clients: from `shared_clients`
    :param image_template_id: at what to look
    :param clock: tells the time and waits
    """
    poller = _pollers.get(clients)
    if poller is None:
        poller = _pollers[clients] = _make_poller(clients, clock)
    looks = poller.join(image_template_id)
    try:
        yield looks
    finally:
        poller.leave(looks)
        if not poller:
            # Forgotten first: who comes while it ends gets a new one.
            del _pollers[clients]
            await poller.close()


def _make_poller(clients: AzureClients, clock: Clock) -> FleetPoller:
    source = LeanImageTemplates(clients, clock=clock)
    poller = FleetPoller(source, clock=clock)
    source.note = poller.asking.note
    poller.accounts = SharedAccounts(clients, poller.asking.admit, clock)
    return poller
