from __future__ import annotations

import asyncio
import gc
import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.image_builder import AzureImageBuilderHook, ImageTemplateService
from tests.integration.hooks.azure import GROUP, Azure

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread


@pytest.fixture
def connection(emulator: EmulatorThread) -> dict[str, Any]:
    """Give the Airflow connection that the emulator hands out."""
    return dict(json.loads(emulator.settings_json))


def use(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> AzureImageBuilderHook:
    """Define the connection and give a hook for it."""
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT", json.dumps(connection))
    return AzureImageBuilderHook()


@pytest.mark.parametrize("conn_type", ["azure_image_builder", "azure"])
def test_a_good_connection_says_what_it_read(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any], conn_type: str
) -> None:
    """The test of a connection signs in and reads, whichever type the connection has."""
    hook = use(monkeypatch, {**connection, "conn_type": conn_type})

    is_good, message = hook.test_connection()

    assert is_good, message
    assert message == (
        f"Signed in to custom and read 0 image templates of subscription {hook.settings.subscription_id}."
    )


def test_a_wrong_secret_is_reported(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> None:
    """The sign-in service's refusal comes with what to do, and without the secret."""
    is_good, message = use(monkeypatch, {**connection, "password": "wrong-secret"}).test_connection()

    assert not is_good
    assert "secret" in message
    assert "AADSTS7000215" in message
    assert "wrong-secret" not in message


def test_a_wrong_subscription_is_reported(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> None:
    """A subscription that the identity does not see is named."""
    other = "00000000-0000-4000-8000-00000000dead"
    extra = {**connection["extra"], "subscriptionId": other}

    is_good, message = use(monkeypatch, {**connection, "extra": extra}).test_connection()

    assert not is_good
    assert other in message


def test_a_certificate_that_is_not_trusted_is_reported(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]
) -> None:
    """Without the right CA bundle nothing is read: TLS is never switched off."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    extra = {name: value for name, value in connection["extra"].items() if name != "ca_bundle"}

    is_good, message = use(monkeypatch, {**connection, "extra": extra}).test_connection()

    assert not is_good
    assert "CA bundle" in message
    assert "certificate" in message.lower()


def without_login(connection: dict[str, Any], **extra: str) -> dict[str, Any]:
    """Take client id, secret and tenant out of the connection."""
    kept = {name: value for name, value in connection["extra"].items() if name != "tenantId"}
    return {"conn_type": connection["conn_type"], "extra": {**kept, **extra}}


def test_the_default_chain_signs_in_both_ways(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any], emulator: EmulatorThread
) -> None:
    """Without any login the environment's identity is found, by the asynchronous and the synchronous client."""
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, emulator.env[name])
    hook = use(monkeypatch, without_login(connection))

    is_good, message = hook.test_connection()
    assert is_good, message
    with hook.get_conn() as client:
        assert list(client.virtual_machine_image_templates.list()) == []


def test_a_managed_identity_that_is_not_there_is_reported(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]
) -> None:
    """A machine without that identity gets an error that says who has not answered."""
    nobody = "http://127.0.0.1:1/token"
    monkeypatch.setenv("IDENTITY_ENDPOINT", nobody)
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    hook = use(monkeypatch, without_login(connection, managed_identity_client_id="m"))

    is_good, message = hook.test_connection()

    assert not is_good
    assert "no answer: Cannot connect to host 127.0.0.1:1" in message


def test_the_synchronous_client_works_with_the_same_connection(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]
) -> None:
    """Users who call the SDK themselves get a client that is signed in and trusts the right certificates."""
    with use(monkeypatch, connection).get_conn() as client:
        assert list(client.virtual_machine_image_templates.list()) == []


def test_both_connection_types_create_image_templates(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any], emulator: EmulatorThread
) -> None:
    """Settings of both types do real work."""

    async def create(hook: AzureImageBuilderHook, number: int) -> None:
        settings = await hook.async_settings()
        async with shared_clients(settings) as clients:
            service = ImageTemplateService(clients)
            azure = Azure(emulator, service)
            await service.submit(f"{azure.image_template_id}-{number}", azure.document())
            assert len(await service.list_image_templates(GROUP)) == number

    for number, conn_type in enumerate(("azure_image_builder", "azure"), start=1):
        hook = use(monkeypatch, {**connection, "conn_type": conn_type})
        asyncio.run(create(hook, number))


def test_nothing_stays_open(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> None:
    """After real requests no session, connection or transport is left to be complained about."""
    hook = use(monkeypatch, connection)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hook.test_connection()[0]
        gc.collect()


async def test_looks_share_one_connection_and_one_token(azure: Azure) -> None:
    """Many looks through shared clients cost one sign-in."""
    await azure.create()
    azure.control.forget_requests()

    for _ in range(20):
        await azure.service.require_image_template(azure.image_template_id)

    assert azure.count("POST", "/token") == 0


async def test_a_token_that_was_taken_back_is_renewed(azure: Azure) -> None:
    """A 401 costs a new token and a second look, and is an error only if the new token is refused too."""
    await azure.create()
    azure.control.forget_requests()
    azure.control.plan_fault(method="GET", path="imageTemplates/base$", status=401)

    assert await azure.service.require_image_template(azure.image_template_id)
    assert azure.count("POST", "/token") == 1

    azure.control.plan_fault(method="GET", path="imageTemplates/base$", status=401, count=2)
    with pytest.raises(ArmRequestError) as caught:
        await azure.service.require_image_template(azure.image_template_id)
    assert caught.value.status == 401


async def test_errors_carry_what_azures_support_asks_for(azure: Azure) -> None:
    """An error knows code, status, target and request id."""
    with pytest.raises(ArmRequestError) as caught:
        await azure.service.list_image_templates("absent")

    error = caught.value
    assert (error.code, error.status) == ("ResourceGroupNotFound", 404)
    assert error.request_id
    assert error.hint
