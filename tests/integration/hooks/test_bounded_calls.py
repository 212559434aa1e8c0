from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_aib.hooks import waiting
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.dependencies import find_api_version
from airflow_aib.hooks.gallery import GalleryService
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.staging_account import account_of, all_accounts
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.storage_address import BlobAddress
from tests.integration.hooks.azure import GROUP, NAME, Azure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

ACCOUNTS = "providers/Microsoft.Storage/storageAccounts$"
TOMORROW = 86400


def a_blob(azure: Azure) -> BlobFile:
    """Name a blob that may be there."""
    account_url = azure.clients.settings.cloud.blob_endpoint("imagestore")
    return BlobFile(StorageAccess(azure.clients, account_url), BlobAddress(account_url, "images", "base.vhd"))


async def see_all_accounts(azure: Azure) -> None:
    """List the accounts of the subscription."""

    async def at_once() -> None:
        return

    subscription_id = azure.clients.settings.require_subscription_id()
    assert [account async for account in all_accounts(azure.clients, subscription_id, at_once)]


CALLS: dict[str, tuple[str, str, Callable[[Azure], Awaitable[Any]]]] = {
    "list": ("GET", "imageTemplates$", lambda azure: azure.service.list_image_templates(GROUP)),
    "delete": ("DELETE", f"{NAME}$", lambda azure: azure.service.delete(azure.image_template_id)),
    "tag": ("PATCH", f"{NAME}$", lambda azure: azure.service.merge_tags(azure.image_template_id, {"owner": "us"})),
    "version": (
        "GET",
        "versions/1.0.0$",
        lambda azure: GalleryService(azure.clients).get_image_version(f"{azure.image_definition_id}/versions/1.0.0"),
    ),
    "versions": (
        "GET",
        "versions$",
        lambda azure: GalleryService(azure.clients).list_image_versions(azure.image_definition_id),
    ),
    "account": ("GET", ACCOUNTS, lambda azure: account_of(azure.clients, azure.group_id)),
    "accounts": ("GET", ACCOUNTS, see_all_accounts),
    "api-version": (
        "GET",
        "providers/Microsoft.Network$",
        lambda azure: find_api_version(
            azure.clients,
            ResourceId.parse(f"{azure.group_id}/providers/Microsoft.Network/virtualNetworks/build"),
        ),
    ),
    "sign-in": ("POST", "oauth2/v2.0/token", lambda azure: a_blob(azure).look()),
}


async def test_no_pause_that_azure_asks_for_holds_a_call_up(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the SDK would come back tomorrow, since Azure asks for that, a call counts as not answered."""
    await azure.create()
    monkeypatch.setattr(waiting, "READ_TIME", 2.0)
    for method, path, _ in CALLS.values():
        azure.control.plan_fault(method=method, path=path, status=429, retry_after=TOMORROW)

    outcomes = await asyncio.gather(*(make(azure) for _, _, make in CALLS.values()), return_exceptions=True)

    told = {name: str(outcome) for name, outcome in zip(CALLS, outcomes, strict=True)}
    assert [name for name, words in told.items() if "there was no whole answer within" not in words] == []
    assert [fault["struck"] for fault in azure.control.faults()] == [1] * len(CALLS)
