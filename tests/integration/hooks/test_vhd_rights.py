"""With which right VHDs are copied: tokens, signatures of the identity's own, and account keys as the last resort."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.clients import shared_clients

if TYPE_CHECKING:
    from airflow_aib.hooks.copy_progress import CopyProgress
    from tests.integration.hooks.vhd import Vhd

STORAGE_KEYS = "storageAccounts/[a-z0-9]+/listKeys$"


async def test_a_token_is_all_it_takes(vhd: Vhd, caplog: pytest.LogCaptureFixture) -> None:
    """Where data roles are granted, no account key is fetched."""
    with caplog.at_level(logging.WARNING):
        await vhd.copy()

    assert vhd.azure.control.requests(path=STORAGE_KEYS) == []
    assert caplog.records == []


@pytest.mark.parametrize(("account", "fetched"), [("*", 2), ("imagestore", 1)])
async def test_keys_are_used_where_tokens_are_refused(
    vhd: Vhd, account: str, fetched: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Without data roles the keys do it, a signature of minutes for the source, and a warning names each account."""
    vhd.azure.control.set_data_role("none", account=account)

    with caplog.at_level(logging.WARNING):
        result = await vhd.copy()

    warnings = [record.message for record in caplog.records if "account key is used instead" in record.message]
    assert len(warnings) == fetched == len(vhd.azure.control.requests(path=STORAGE_KEYS))
    assert sum("account imagestore " in warning for warning in warnings) == 1
    vhd.azure.control.set_data_role("contributor", account=account)
    assert await vhd.content(result.destination) == await vhd.content()


async def test_keys_are_not_used_where_the_connection_forbids_it(vhd: Vhd) -> None:
    """Then the refusal stands, with the role that lacks."""
    vhd.azure.control.set_data_role("reader", account="imagestore")

    async with shared_clients(vhd.azure.settings(allow_account_keys=False)) as clients:
        with pytest.raises(VhdCopyError, match="Contributor"):
            await vhd.copy(clients=clients)


async def test_a_signature_is_sent_where_the_token_is_not_passed_on(vhd: Vhd) -> None:
    """A destination that does not read with the token gets an address that the identity itself has signed."""
    vhd.azure.control.plan_fault(
        method="PUT",
        path="/imagestore/images/vhds",
        skip=1,
        status=403,
        body={"error": {"code": "CannotVerifyCopySource", "message": "No."}},
        headers={"x-ms-error-code": "CannotVerifyCopySource"},
    )

    result = await vhd.copy(concurrency=1)

    calls = vhd.azure.control.count_requests(endpoint="blob")
    assert calls["POST /{account}?restype=service&comp=userdelegationkey"] == 1
    assert vhd.azure.control.requests(path=STORAGE_KEYS) == []
    assert await vhd.content(result.destination) == await vhd.content()


async def test_a_token_that_ends_during_the_copy_is_renewed(vhd: Vhd) -> None:
    """A copy outlasts the token that it began with, on both sides, and goes on where it was."""
    ended: list[asyncio.Task[None]] = []

    def end_tokens(_: CopyProgress) -> None:
        if not ended:
            ending = asyncio.to_thread(vhd.azure.control.expire_tokens)
            ended.append(asyncio.get_running_loop().create_task(ending))

    vhd.azure.control.plan_fault(method="PUT", path="/imagestore/images/vhds", skip=2, count=3, status=503)
    vhd.listener = end_tokens
    before = vhd.azure.control.connections()["token_requests"]

    result = await vhd.copy(concurrency=2)

    assert ended
    assert vhd.azure.control.connections()["token_requests"] > before
    assert vhd.azure.control.requests(path="/images/vhds", status="401") != []
    assert await vhd.content(result.destination) == await vhd.content()


async def test_short_lived_tokens_last_for_a_copy(vhd: Vhd) -> None:
    """Tokens of seconds are asked for again before they end: storage never sees one that is over."""
    vhd.azure.control.set_token_lifetime(3)
    async with shared_clients(vhd.azure.settings(allow_account_keys=False)) as clients:
        vhd.azure.control.plan_fault(method="PUT", path="/imagestore/images/vhds", skip=2, count=3, status=503)

        result = await vhd.copy(clients=clients, concurrency=1)

    assert result.copied_bytes == result.allocated_bytes
