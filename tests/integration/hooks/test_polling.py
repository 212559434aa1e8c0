from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.polling.plan import Scope
from airflow_aib.hooks.polling.poller import fleet_looks
from airflow_aib.hooks.polling.source import LeanImageTemplates
from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.image_run.run_status import read_last_run_status
from airflow_aib.triggers.watching import WatchOrder, watch_to_the_end
from tests.integration.hooks.azure import GROUP, Azure

if TYPE_CHECKING:
    from airflow_aib.hooks.polling.poller import FleetLooks
    from airflow_aib.hooks.staging_account import StorageAccount

COUNT = 12
# As many as the emulator shows at a time here.
PAGE_SIZE = 2


class TextLog:
    """Be a task's log, and keep what is written."""

    text = ""

    def log(self, level: int, event: Any, /, *args: Any) -> None:
        """Keep a record."""
        del level
        self.info(event, *args)

    def info(self, event: Any, /, *args: Any) -> None:
        """Keep a record."""
        self.text += event % args if args else event

    warning = info


def template_id(azure: Azure, number: int) -> str:
    """Name one of many image templates."""
    return image_template_id(azure.clients.settings.require_subscription_id(), GROUP, f"fleet-{number}")


def scope(azure: Azure, group: str | None = GROUP) -> Scope:
    """Name what to list."""
    return Scope(azure.clients.settings.require_subscription_id().lower(), group)


@pytest.fixture
async def ids(azure: Azure) -> list[str]:
    """Have many image templates."""
    found = [template_id(azure, number) for number in range(COUNT)]
    for each in found:
        await azure.service.submit(each, azure.document())
    for each in found:
        await azure.service.wait_until_provisioned(each, poll_interval=0.05)
    azure.control.forget_requests()
    return found


async def look_together(azure: Azure, ids: list[str]) -> list[FleetLooks]:
    """Look at all of them at once."""
    async with AsyncExitStack() as stack:
        looks = [await stack.enter_async_context(fleet_looks(azure.clients, each)) for each in ids]
        bodies = await asyncio.gather(*(look.look() for look in looks))
        assert [str(body["id"]).lower() for body in bodies if body] == [each.lower() for each in ids]
    return looks


async def test_many_looks_are_one_list(azure: Azure, ids: list[str]) -> None:
    """Waits that look together at one resource group's image templates ask for one list, page by page."""
    await look_together(azure, ids)

    assert azure.count("GET", "/imageTemplates") == COUNT // PAGE_SIZE
    assert azure.control.requests(method="GET", path="imageTemplates/") == []


async def test_a_list_shows_what_a_read_shows(azure: Azure, ids: list[str]) -> None:
    """Both say the same of an image template, as far as a wait needs it, and the same as the SDK's own client."""
    await azure.service.start_run(ids[0])
    lean = LeanImageTemplates(azure.clients)

    page = await lean.list_page(scope(azure))
    assert ids[0].lower() in page.bodies
    read = await lean.get_image_template(ids[0])
    whole = await azure.service.require_image_template(ids[0])

    assert read is not None
    shown = page.bodies[ids[0].lower()]
    assert {key: value for key, value in shown.items() if key != "properties"} == {
        key: value for key, value in read.items() if key != "properties"
    }
    started = [read_last_run_status(body) for body in (shown, read, whole)]
    assert len({status.start_time for status in started if status}) == 1
    assert None not in started
    assert read["properties"]["exactStagingResourceGroup"] == whole["properties"]["exactStagingResourceGroup"]


async def test_a_list_of_the_subscription_shows_every_resource_group(azure: Azure, ids: list[str]) -> None:
    """What lies in a resource group is in the list of its subscription."""
    lean = LeanImageTemplates(azure.clients)
    page = await lean.list_page(scope(azure, None))
    found = set(page.bodies)
    while page.next_link is not None:
        page = await lean.list_page(scope(azure, None), page.next_link)
        found |= set(page.bodies)

    assert found == {each.lower() for each in ids}


async def test_what_azure_says_of_its_limits_is_heard(azure: Azure, ids: list[str]) -> None:
    """Each answer tells how many reads are left."""
    told: list[str] = []
    lean = LeanImageTemplates(azure.clients)
    lean.note = lambda _, headers: told.append(headers["x-ms-ratelimit-remaining-subscription-reads"])

    await lean.get_image_template(ids[0])
    await lean.list_page(scope(azure))

    assert told == ["249", "249"]


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_a_list_that_is_refused_costs_no_look(azure: Azure, ids: list[str], status: int) -> None:
    """Each image template is then looked at by itself."""
    azure.control.plan_fault(path="imageTemplates$", method="GET", status=status, count=None)

    await look_together(azure, ids)

    assert len(azure.control.requests(method="GET", path="imageTemplates/")) == COUNT


async def test_an_image_template_that_is_not_there_is_none(azure: Azure) -> None:
    """Where nothing is, the look is none, and no error."""
    service = ImageTemplateService(azure.clients)
    async with fleet_looks(azure.clients, template_id(azure, 99)) as looks:
        assert await looks.look() is None
    assert await service.get_image_template(template_id(azure, 99)) is None


async def test_a_token_that_is_taken_back_costs_no_look(azure: Azure, ids: list[str]) -> None:
    """A list that is refused for its token is asked for with a new one; nobody is read singly for it."""
    azure.control.plan_fault(path="imageTemplates$", method="GET", status=401)

    await look_together(azure, ids)

    assert len(azure.control.requests(method="GET", path="imageTemplates$", status="401")) == 1
    assert azure.control.requests(method="GET", path="imageTemplates/") == []


ACCOUNTS = "Microsoft.Storage/storageAccounts$"


async def find_accounts(azure: Azure, ids: list[str]) -> list[StorageAccount | None]:
    """Find the staging storage accounts of all of them at once."""
    async with AsyncExitStack() as stack:
        looks = [await stack.enter_async_context(fleet_looks(azure.clients, each)) for each in ids]
        bodies = await asyncio.gather(*(look.look() for look in looks))
        areas = [StagingArea(azure.clients, accounts=look.accounts) for look in looks]
        found = zip(areas, bodies, strict=True)
        return await asyncio.gather(*(area.find_account(body or {}) for area, body in found))


async def test_many_relays_find_their_accounts_with_one_list(azure: Azure, ids: list[str]) -> None:
    """A thousand builds that start together do not ask for a thousand resource groups' accounts."""
    log = TextLog()
    handles = [await azure.service.start_run(each) for each in ids[:6]]
    azure.control.forget_requests()
    deadline = datetime.now(UTC) + timedelta(days=2)
    orders = [WatchOrder(handle, deadline, poll_interval=0.5, relay_log="full") for handle in handles]

    settings = azure.clients.settings
    events = await asyncio.gather(*(watch_to_the_end(settings, order, log=log) for order in orders))

    assert {event.status for event in events} == {"over"}
    assert log.text.count("Starting provisioner shell") >= len(handles)
    asked = [call["path"].partition("?")[0] for call in azure.control.requests(method="GET", path=ACCOUNTS)]
    assert {path.lower().count("/resourcegroups/") for path in asked} == {0}
    # Page by page, and there is one account that is nobody's.
    assert len(asked) == COUNT // PAGE_SIZE + 1


async def test_accounts_are_each_their_own_image_templates(azure: Azure, ids: list[str]) -> None:
    """What is found together is what each would have found by itself."""
    found = await find_accounts(azure, ids)

    alone = StagingArea(azure.clients)
    bodies = [await azure.service.require_image_template(each) for each in ids]
    assert found == [await alone.find_account(body) for body in bodies]
    assert len(set(found)) == COUNT


@pytest.mark.parametrize("status", [403, 404])
async def test_where_accounts_may_not_be_listed_each_group_is_asked(azure: Azure, ids: list[str], status: int) -> None:
    """The permission may be given for the staging resource groups alone."""
    whole = rf"subscriptions/[^/]+/providers/{ACCOUNTS}"
    azure.control.plan_fault(path=whole, method="GET", status=status, count=None)

    found = await find_accounts(azure, ids)

    assert None not in found
    assert len(azure.control.requests(method="GET", path=ACCOUNTS)) == COUNT + 1


async def test_a_group_without_an_account_is_not_asked_at_every_look(azure: Azure) -> None:
    """It stays so for a while, and a request each time would be as many as there are looks."""
    body = {"properties": {"exactStagingResourceGroup": azure.group_id}}
    azure.control.plan_fault(path=ACCOUNTS, method="GET", status=404, count=None)
    async with fleet_looks(azure.clients, azure.image_template_id) as looks:
        area = StagingArea(azure.clients, accounts=looks.accounts)
        assert [await area.find_account(body) for _ in range(3)] == [None] * 3

    assert len(azure.control.requests(method="GET", path=ACCOUNTS)) == 1
