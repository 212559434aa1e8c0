"""The real SDKs' clients for an emulator, synchronous and asynchronous, so that one test body serves both."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import azure.identity
import azure.identity.aio
import azure.mgmt.compute
import azure.mgmt.compute.aio
import azure.mgmt.storage
import azure.mgmt.storage.aio
import azure.storage.blob
import azure.storage.blob.aio
import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from aib_emulator.arm.resource_id import ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from aib_emulator.server import EmulatorThread

Result = TypeVar("Result")

FLAVOURS = ("sync", "aio")
GROUP = "images"


class Cloud:
    """Make clients of one flavour, signed in at an emulator; `close` closes them all.

    :param thread: the emulator
    :param flavour: `sync` or `aio`
    :param application: whose `client_id` and `client_secret` sign in; the start world's when None
    """

    def __init__(self, thread: EmulatorThread, flavour: str, application: Mapping[str, str] | None = None) -> None:
        self.thread = thread
        self.flavour = flavour
        self._application = application or {}
        self.settings = thread.emulator.settings
        self._is_async = flavour == "aio"
        self._ca = {"connection_verify": str(thread.emulator.ca_file)}
        self._opened: list[Any] = []
        self.credential = self._sign_in()

    async def close(self) -> None:
        """Close every client and the credential."""
        for client in reversed(self._opened):
            await done(client.close())

    def storage(self) -> Any:
        """Return a client of Microsoft.Storage."""
        return self._manager(azure.mgmt.storage.StorageManagementClient, azure.mgmt.storage.aio.StorageManagementClient)

    def compute(self) -> Any:
        """Return a client of Microsoft.Compute."""
        return self._manager(azure.mgmt.compute.ComputeManagementClient, azure.mgmt.compute.aio.ComputeManagementClient)

    def blobs(self, account: str, credential: Any = None) -> Any:
        """Return a client of an account's blobs; signed in unless another credential is given."""
        module = azure.storage.blob.aio if self._is_async else azure.storage.blob
        url = f"{self.thread.emulator.blob_url}/{account}"
        return self._open(module.BlobServiceClient, url, credential=credential or self.credential, retry_total=0)

    def blob_at(self, url: str, credential: Any = None) -> Any:
        """Return a client of the blob at `url`, anonymous unless a credential is given."""
        module = azure.storage.blob.aio if self._is_async else azure.storage.blob
        return self._open(module.BlobClient.from_blob_url, url, credential)

    async def token(self) -> str:
        """Return an Authorization header for storage."""
        token = await done(self.credential.get_token("https://storage.azure.com/.default"))
        return f"Bearer {token.token}"

    async def get_json(self, url: str) -> Any:
        """Return what Resource Manager answers at `url`."""
        return (await self.get(url)).json()

    async def get(self, url: str) -> Any:
        """Return the whole answer of Resource Manager at `url`."""
        return await done(self.compute().send_request(HttpRequest("GET", url)))

    async def keys(self, account: str) -> list[str]:
        """Return the keys of an account in the group `images`."""
        answer = await done(self.storage().storage_accounts.list_keys(GROUP, account))
        return [key["value"] for key in answer["keys"]]

    async def make_account(self, name: str, **properties: Any) -> Any:
        """Make a storage account in the group `images`."""
        body = {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": properties}
        return await finished(self.storage().storage_accounts.begin_create(GROUP, name, body))

    def put_group(self, name: str) -> ResourceId:
        """Make a resource group, and return its id."""
        world = self.thread.emulator.world
        group_id = ResourceId(self.settings.subscription_id, name)
        world.put_group(group_id, location="eastus", tags={})
        return group_id

    def on_emulator(self, doing: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the emulator's own event loop, as effects of a build do."""
        loop = self.thread._loop
        assert loop is not None
        return asyncio.run_coroutine_threadsafe(doing, loop).result(60)

    def _sign_in(self) -> Any:
        module = azure.identity.aio if self._is_async else azure.identity
        settings = self.settings
        return self._open(
            module.ClientSecretCredential,
            settings.tenant_id,
            self._application.get("client_id", settings.client_id),
            self._application.get("client_secret", settings.client_secret),
            authority=self.thread.emulator.arm_url,
            disable_instance_discovery=True,
        )

    def _manager(self, plain: Callable[..., Any], asynchronous: Callable[..., Any]) -> Any:
        arm_url = self.thread.emulator.arm_url
        return self._open(
            asynchronous if self._is_async else plain,
            self.credential,
            self.settings.subscription_id,
            base_url=arm_url,
            credential_scopes=[f"{arm_url}/.default"],
            polling_interval=0.05,
        )

    def _open(self, kind: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        client = kind(*args, **kwargs, **self._ca)
        self._opened.append(client)
        return client


async def done(result: Any) -> Any:
    """Return what an SDK call gives, in either flavour."""
    return await result if inspect.isawaitable(result) else result


async def finished(poller: Any) -> Any:
    """Return the result of a long operation, in either flavour."""
    return await done((await done(poller)).result())


async def every(items: Any) -> list[Any]:
    """Return all items of a list call, in either flavour."""
    items = await done(items)
    if hasattr(items, "__aiter__"):
        return [item async for item in items]
    return list(items)


async def content(download: Any) -> bytes:
    """Return all that a download gives, in either flavour."""
    data: bytes = await done((await done(download)).readall())
    return data


@contextmanager
def refused(code: str, *, status: int | None = None) -> Iterator[None]:
    """Expect the service to refuse with this code, and with this status if one is given."""
    with pytest.raises(HttpResponseError) as caught:
        yield
    error: Any = caught.value
    assert (error.response.headers.get("x-ms-error-code") or error.error.code) == code
    assert status in {None, error.status_code}
