from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
import trustme
from azure.identity import aio

from airflow_aib.exceptions import ConnectionSettingsError
from airflow_aib.hooks import clients as module
from airflow_aib.hooks.clients import (
    MOST_CLIENTS,
    AzureClients,
    build_async_credential,
    build_credential,
    build_sync_image_builder_client,
    shared_clients,
)
from airflow_aib.hooks.clouds import CLOUDS
from airflow_aib.hooks.connection import AuthMethod, AzureSettings, settings_from_connection
from tests.fakes import SUBSCRIPTION

if TYPE_CHECKING:
    from pathlib import Path

CLOUD = {
    "cloud_environment": "custom",
    "resource_manager_endpoint": "https://arm.example:9443",
    "authority_host": "https://login.example:9443",
    "storage_suffix": "127.0.0.1:9444",
}


def settings(**extra: Any) -> AzureSettings:
    """Give settings for a custom cloud with a client secret."""
    fields = {"tenantId": "tenant", "subscriptionId": SUBSCRIPTION, **CLOUD, **extra}
    return settings_from_connection(conn_type="azure_image_builder", login="client", password="hush", extra=fields)


async def test_clients_are_made_once_for_each_purpose() -> None:
    """Asking twice gives the same client; another subscription has its own."""
    async with AzureClients(settings()) as clients:
        assert clients.image_builder() is clients.image_builder(SUBSCRIPTION.upper())
        assert clients.image_builder() is not clients.image_builder("other")
        assert clients.compute() is clients.compute()
        assert clients.storage() is clients.storage()
        assert clients.resources() is clients.resources()
        assert clients.web() is clients.web()
        account = "https://127.0.0.1:9444/store"
        assert clients.blob_service(account) is clients.blob_service(account)
        assert clients.blob_service(account) is not clients.blob_service(account, account_key="a2V5")


async def test_clients_of_accounts_that_are_gone_are_let_go() -> None:
    """A triggerer that is never idle meets ever new staging accounts: those asked for last are kept."""
    async with AzureClients(settings()) as clients:
        often = clients.blob_service("https://often")
        for number in range(MOST_CLIENTS):
            clients._kept(("blob", str(number)), FakeCloseable)
            assert clients.blob_service("https://often") is often

        assert len(clients._clients) == MOST_CLIENTS
        assert ("blob", "0") not in clients._clients


async def test_addresses_and_scopes_are_the_clouds() -> None:
    """Clients go where the settings say, and ask for tokens for that place."""
    async with AzureClients(settings()) as clients:
        config = clients.image_builder()._config
        assert config.base_url == "https://arm.example:9443"
        assert config.credential_scopes == ["https://arm.example:9443/.default"]
        service = clients.blob_service("https://127.0.0.1:9444/store", account_key="a2V5")
        assert service.url.startswith("https://127.0.0.1:9444/store")


async def test_a_client_without_any_subscription_is_explained() -> None:
    """A connection without a subscription works for what names one, and only for that."""
    async with AzureClients(settings(subscriptionId="")) as clients:
        assert clients.image_builder("other")._config.subscription_id == "other"
        with pytest.raises(ConnectionSettingsError, match="subscriptionId"):
            clients.image_builder()


async def test_clients_outside_their_block_are_an_error() -> None:
    """Clients that are not open, or closed, say so."""
    clients = AzureClients(settings())

    with pytest.raises(RuntimeError, match="async with"):
        clients.image_builder()


async def test_equal_settings_share_their_clients() -> None:
    """Two waits with equal connections have one client; the last one's end closes it."""
    async with shared_clients(settings()) as first:
        async with shared_clients(settings()) as second:
            assert first is second
        assert first.credential is not None
        async with shared_clients(settings(tenantId="other")) as other:
            assert other is not first
    with pytest.raises(RuntimeError):
        _ = first.credential
    assert module._shared == {}


async def test_waits_that_begin_together_share_one_opening() -> None:
    """Clients that are still being opened are waited for, not opened twice."""
    seen: set[int] = set()

    async def wait() -> None:
        async with shared_clients(settings()) as clients:
            seen.add(id(clients.credential))
            await asyncio.sleep(0.01)

    await asyncio.gather(*(wait() for _ in range(20)))

    assert len(seen) == 1
    assert module._shared == {}


def test_each_event_loop_has_its_own_clients() -> None:
    """A client of a loop that has ended is never used in another."""

    async def use() -> AzureClients:
        async with shared_clients(settings()) as clients:
            return clients

    assert asyncio.run(use()) is not asyncio.run(use())


def test_nothing_stays_open() -> None:
    """After the last release no session and no connection is left, whatever clients were used."""

    async def use() -> None:
        async with shared_clients(settings()) as clients:
            clients.image_builder()
            clients.compute()
            clients.storage()
            clients.resources()
            clients.web()
            clients.blob_service("https://127.0.0.1:9444/store")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(use())
        gc.collect()


@dataclass
class FakeCloseable:
    """Be closed, maybe with an error."""

    error: Exception | None = None
    is_closed: bool = False

    async def close(self) -> None:
        """Close it."""
        self.is_closed = True
        if self.error is not None:
            raise self.error


async def test_a_client_that_does_not_close_keeps_nothing_else_open() -> None:
    """An error of one client is told, after the other clients, the credential and the connections are closed."""
    clients = AzureClients(settings())
    await clients.open()
    session = clients._session
    others = [FakeCloseable(), FakeCloseable(OSError("broken pipe")), FakeCloseable(), FakeCloseable()]
    clients._clients = dict(zip((("a",), ("b",), ("c",)), others[:3], strict=True))
    await clients.credential.close()
    clients._credential = cast("Any", others[3])

    with pytest.raises(OSError, match="broken pipe"):
        await clients.close()

    assert [other.is_closed for other in others] == [True] * 4
    assert session is not None
    assert session.closed


async def test_an_opening_that_fails_leaves_nothing() -> None:
    """A wrong CA bundle is our error, and the next user starts anew."""
    wrong = settings(ca_bundle="/nowhere/ca.pem")

    for _ in range(2):
        with pytest.raises(ConnectionSettingsError, match=r"/nowhere/ca\.pem"):
            async with shared_clients(wrong):
                pass
    assert module._shared == {}


async def test_the_ca_bundle_is_what_is_trusted(tmp_path: Path) -> None:
    """Certificates are checked against the connection's file, with one context for all connections."""
    ca_bundle = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_bundle))
    async with AzureClients(settings(ca_bundle=str(ca_bundle))) as clients:
        assert clients._session is not None
        context = clients._session.connector._ssl  # type: ignore[union-attr]  # aiohttp shows it nowhere else
        assert isinstance(context, ssl.SSLContext)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert len(context.get_ca_certs()) == 1


def test_the_sdks_chatter_is_turned_down() -> None:
    """Each request would be a line in the task's log: the SDK's loggers begin at WARNING."""

    async def use() -> None:
        async with AzureClients(settings()):
            pass

    asyncio.run(use())

    for name in ("azure.core.pipeline.policies.http_logging_policy", "azure.identity.aio"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "ClientSecretCredential"),
        ({"auth_method": AuthMethod.MANAGED_IDENTITY}, "ManagedIdentityCredential"),
        ({"auth_method": AuthMethod.MANAGED_IDENTITY, "managed_identity_client_id": "m"}, "ManagedIdentityCredential"),
        ({"auth_method": AuthMethod.DEFAULT}, "DefaultAzureCredential"),
        (
            {
                "auth_method": AuthMethod.DEFAULT,
                "managed_identity_client_id": "m",
                "workload_identity_tenant_id": "w",
            },
            "DefaultAzureCredential",
        ),
    ],
)
async def test_each_sign_in_method_has_its_credential_in_both_flavours(changes: dict[str, Any], kind: str) -> None:
    """The same settings give the same kind of credential, synchronous and asynchronous."""
    chosen = replace(settings(), **changes)
    credential, async_credential = build_credential(chosen), build_async_credential(chosen)

    assert {type(credential).__name__, type(async_credential).__name__} == {kind}
    await async_credential.close()


@pytest.mark.parametrize("name", ["public", "usgov", "china"])
async def test_each_cloud_signs_in_at_its_own_authority(name: str) -> None:
    """The authority of the cloud is asked, never the public one instead."""
    credential = build_async_credential(replace(settings(), cloud=CLOUDS[name]))

    assert isinstance(credential, aio.ClientSecretCredential)
    assert f"https://{credential._client._authority.removeprefix('https://')}" == CLOUDS[name].authority_host
    await credential.close()


async def test_a_workload_identity_signs_in_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the connection leaves out, the pod's environment gives."""
    token_file = tmp_path / "token"
    token_file.write_text("token")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))
    chosen = replace(settings(), auth_method=AuthMethod.WORKLOAD_IDENTITY, workload_identity_tenant_id="w")

    credential = build_async_credential(chosen)

    assert isinstance(credential, aio.WorkloadIdentityCredential)
    await credential.close()


def test_a_sign_in_that_cannot_be_made_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workload identity outside of its pod is an error of the connection, in both flavours."""
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    chosen = replace(settings(), auth_method=AuthMethod.WORKLOAD_IDENTITY, client_id=None)

    with pytest.raises(ConnectionSettingsError, match="workload_identity"):
        build_credential(chosen)
    with pytest.raises(ConnectionSettingsError, match="workload_identity"):
        build_async_credential(chosen)


def test_the_synchronous_client_goes_to_the_same_place() -> None:
    """Users get the SDK's own client, set up as ours are."""
    with build_sync_image_builder_client(settings()) as client:
        assert client._config.base_url == "https://arm.example:9443"
        assert client._config.subscription_id == SUBSCRIPTION
