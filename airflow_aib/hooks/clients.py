"""Azure SDK clients and credentials made from settings; the only place that makes them."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow_aib.exceptions import ConnectionSettingsError
from airflow_aib.hooks.clock import SYSTEM_CLOCK
from airflow_aib.hooks.connection import AuthMethod, AzureSettings, which
from airflow_aib.hooks.storage_address import account_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    import aiohttp
    from azure.core import AsyncPipelineClient
    from azure.core.credentials import TokenCredential
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.imagebuilder.aio import ImageBuilderClient
    from azure.mgmt.resource.resources.aio import ResourceManagementClient
    from azure.mgmt.storage.aio import StorageManagementClient
    from azure.storage.blob.aio import BlobServiceClient

T = TypeVar("T")

# Seconds. A look that hangs must not hang a watch; an idle connection must outlive the pause between two looks.
CONNECT_TIMEOUT = 20
READ_TIMEOUT = 90
KEEP_ALIVE = 75
# Each image template has a storage account of its own for staging, and a triggerer may never be idle.
MOST_CLIENTS = 4096
# Bytes that a stream gives at most at once; the SDK's own 4 KiB cost more time than what is done with them.
READ_BLOCK = 256 * 1024

_SDK_MODULES = (
    "azure.core",
    "azure.core.pipeline.transport",
    "azure.identity.aio",
    "azure.mgmt.imagebuilder.aio",
    "azure.mgmt.compute.aio",
    "azure.mgmt.resource.resources.aio",
    "azure.mgmt.storage.aio",
    "azure.storage.blob.aio",
)

# Each request and each token is a line of INFO for these: in a trigger they would land in the task's log.
_CHATTY_LOGGERS = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity")


class AzureClients:
    """Hold one credential, one connection pool and the asynchronous clients for one connection.

    Use it as an async context manager, and in one event loop only; or share it with `shared_clients`.

    :param settings: where and how
    """

    def __init__(self, settings: AzureSettings) -> None:
        self.settings = settings
        # By account: keys that had to be fetched since the token was refused. They live as long as the clients.
        self.account_keys: dict[str, str] = {}
        self._clients: dict[tuple[str, ...], Any] = {}
        self._session: aiohttp.ClientSession | None = None
        self._transport: AioHttpTransport | None = None
        self._credential: AsyncTokenCredential | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Load the SDKs off the event loop, and make the connection pool and the credential."""
        tls = await asyncio.to_thread(_prepare, self.settings.cloud.ca_bundle)
        self._session = _open_session(tls)
        try:
            self._transport = _share_session(self._session)
            self._credential = build_async_credential(self.settings, transport=self._transport)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close every client, the credential and the connections, whatever one of them has to say to it."""
        clients, self._clients = list(self._clients.values()), {}
        credential, self._credential = self._credential, None
        session, self._session = self._session, None
        self._transport = None
        async with AsyncExitStack() as stack:
            # What was pushed last is closed first.
            for closeable in (session, credential, *clients):
                if closeable is not None:
                    stack.push_async_callback(closeable.close)

    @property
    def credential(self) -> AsyncTokenCredential:
        """The one credential of all clients."""
        if self._credential is None:
            raise RuntimeError("AzureClients is used outside of `async with`")
        return self._credential

    async def token(self, scope: str) -> str:
        """Give an access token, from memory while it lasts."""
        return (await self.credential.get_token(scope)).token

    async def renew_token(self, scope: str | None = None) -> None:
        """Fetch a new token, since the one that should still be good was refused.

        :param scope: what it is for; by default Resource Manager
        """
        # Only claims make azure-identity go past its memory; that the token be new is one that Entra knows.
        not_before = {"essential": True, "value": str(int(SYSTEM_CLOCK.now().timestamp()))}
        claims = json.dumps({"access_token": {"nbf": not_before}})
        # It has a memory for each of the two kinds of token: the client for storage asks for the plain ones.
        await self.credential.get_token(
            scope or self.settings.cloud.management_scope, claims=claims, enable_cae=scope is None
        )

    def image_builder(self, subscription_id: str | None = None) -> ImageBuilderClient:
        """Give the client for image templates in a subscription; by default the connection's."""
        from azure.mgmt.imagebuilder.aio import ImageBuilderClient

        return self._management_client(ImageBuilderClient, subscription_id)

    def compute(self, subscription_id: str | None = None) -> ComputeManagementClient:
        """Give the client for galleries, images and marketplace versions."""
        from azure.mgmt.compute.aio import ComputeManagementClient

        return self._management_client(ComputeManagementClient, subscription_id)

    def storage(self, subscription_id: str | None = None) -> StorageManagementClient:
        """Give the client for storage accounts, not for what is in them."""
        from azure.mgmt.storage.aio import StorageManagementClient

        return self._management_client(StorageManagementClient, subscription_id)

    def resources(self, subscription_id: str | None = None) -> ResourceManagementClient:
        """Give the client for resource groups and for resources of any type."""
        from azure.mgmt.resource.resources.aio import ResourceManagementClient

        return self._management_client(ResourceManagementClient, subscription_id)

    def blob_service(self, account_url: str, *, account_key: str | None = None, retries: int = 3) -> BlobServiceClient:
        """Give the client for the blobs of an account, with a token or with the account's key.

        :param retries: how often the client itself repeats a call; 0 leaves that to the caller
        """
        from azure.storage.blob.aio import BlobServiceClient, ExponentialRetry

        def make() -> BlobServiceClient:
            # Path-style addresses hide the account's name from the SDK: a key needs it spelled out.
            key = {"account_name": account_name(account_url), "account_key": account_key} if account_key else None
            return BlobServiceClient(
                account_url,
                credential=key or self.credential,
                transport=self._transport,
                # The SDK's own first pause is 15 seconds.
                retry_policy=ExponentialRetry(
                    initial_backoff=1, increment_base=2, retry_total=retries, random_jitter_range=1
                ),
            )

        return self._kept(("blob", account_url, account_key or "", str(retries)), make)

    def web(self, *, retries: int = 3) -> AsyncPipelineClient[Any, Any]:
        """Give the client for plain requests to storage that carry their own authorization.

        :param retries: how often the client itself repeats a call; 0 leaves that to the caller
        """
        from azure.core import AsyncPipelineClient
        from azure.core.pipeline import policies

        def make() -> AsyncPipelineClient[Any, Any]:
            return AsyncPipelineClient(
                base_url="https://",
                transport=self._transport,
                policies=[
                    policies.RequestIdPolicy(),
                    policies.UserAgentPolicy(sdk_moniker="airflow-aib"),
                    policies.AsyncRetryPolicy(retry_total=retries),
                ],
            )

        return self._kept(("web", str(retries)), make)

    def _management_client(self, kind: type[T], subscription_id: str | None) -> T:
        cloud = self.settings.cloud
        subscription = subscription_id or self.settings.require_subscription_id()
        make: Callable[..., T] = kind
        return self._kept(
            (kind.__name__, subscription.lower()),
            lambda: make(
                self.credential,
                subscription,
                base_url=cloud.resource_manager_endpoint,
                credential_scopes=[cloud.management_scope],
                transport=self._transport,
            ),
        )

    def _kept(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        client: T = self._clients.pop(key) if key in self._clients else make()
        self._clients[key] = client
        if len(self._clients) > MOST_CLIENTS:
            # The one that was not asked for the longest. It has no connections of its own, and may be in use yet.
            del self._clients[next(iter(self._clients))]
        return client


def build_credential(settings: AzureSettings, **options: Any) -> TokenCredential:
    """Make a synchronous credential."""
    from azure import identity

    ca_bundle = settings.cloud.ca_bundle
    verify = {"connection_verify": ca_bundle} if ca_bundle else {}
    credential: TokenCredential = _make_credential(identity, settings, **verify, **options)
    return credential


def build_async_credential(settings: AzureSettings, **options: Any) -> AsyncTokenCredential:
    """Make an asynchronous credential."""
    from azure.identity import aio

    credential: AsyncTokenCredential = _make_credential(aio, settings, **options)
    return credential


def build_sync_image_builder_client(settings: AzureSettings, subscription_id: str | None = None) -> Any:
    """Make a synchronous `ImageBuilderClient`, for users who want to call the SDK themselves."""
    from azure.mgmt.imagebuilder import ImageBuilderClient

    cloud = settings.cloud
    return ImageBuilderClient(
        build_credential(settings),
        subscription_id or settings.require_subscription_id(),
        base_url=cloud.resource_manager_endpoint,
        credential_scopes=[cloud.management_scope],
        connection_verify=cloud.ca_bundle or True,
    )


def _make_credential(identity: Any, settings: AzureSettings, **options: Any) -> Any:
    # `identity` is azure.identity or azure.identity.aio: the same classes with the same arguments.
    cloud = settings.cloud
    options["authority"] = cloud.authority_host
    if cloud.is_custom:
        # Else the SDK asks Microsoft's public cloud about an authority that it does not know.
        options["disable_instance_discovery"] = True
    try:
        return _CREDENTIALS[settings.auth_method](identity, settings, options)
    except ValueError as error:
        raise ConnectionSettingsError(
            f"The Airflow connection's sign-in by {settings.auth_method} is incomplete or wrong"
            f"{which(settings.connection_id)}: {error}",
            hint="See docs/reference/connection.md.",
        ) from error


def _client_secret(identity: Any, settings: AzureSettings, options: dict[str, Any]) -> Any:
    return identity.ClientSecretCredential(settings.tenant_id, settings.client_id, settings.client_secret, **options)


def _managed_identity(identity: Any, settings: AzureSettings, options: dict[str, Any]) -> Any:
    # It is answered by the machine itself, so that no authority has a say.
    options = {key: value for key, value in options.items() if key not in {"authority", "disable_instance_discovery"}}
    return identity.ManagedIdentityCredential(client_id=settings.managed_identity_client_id, **options)


def _workload_identity(identity: Any, settings: AzureSettings, options: dict[str, Any]) -> Any:
    # What is not given here, Azure's webhook has put into the pod's environment.
    known = {
        "tenant_id": settings.workload_identity_tenant_id or settings.tenant_id,
        "client_id": settings.client_id or settings.managed_identity_client_id,
    }
    return identity.WorkloadIdentityCredential(**{key: value for key, value in known.items() if value}, **options)


def _default_chain(identity: Any, settings: AzureSettings, options: dict[str, Any]) -> Any:
    workload_tenant = settings.workload_identity_tenant_id
    hints: dict[str, Any] = {
        "managed_identity_client_id": settings.managed_identity_client_id,
        "workload_identity_tenant_id": workload_tenant,
        "additionally_allowed_tenants": [workload_tenant] if workload_tenant else None,
    }
    # Each hint counts by itself, and an absent one leaves the SDK's own source, the environment, in place.
    return identity.DefaultAzureCredential(**{key: value for key, value in hints.items() if value}, **options)


_CREDENTIALS: dict[AuthMethod, Callable[[Any, AzureSettings, dict[str, Any]], Any]] = {
    AuthMethod.CLIENT_SECRET: _client_secret,
    AuthMethod.MANAGED_IDENTITY: _managed_identity,
    AuthMethod.WORKLOAD_IDENTITY: _workload_identity,
    AuthMethod.DEFAULT: _default_chain,
}


def _prepare(ca_bundle: str | None) -> ssl.SSLContext:
    """Do in a thread what would hold up the loop: import the SDKs and read certificate authorities."""
    for module in _SDK_MODULES:
        importlib.import_module(module)
    for name in _CHATTY_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise ConnectionSettingsError(
            f"CA bundle {ca_bundle!r} of the Airflow connection cannot be used: {error}",
            hint="It is a file with certificates in PEM form, on every machine that runs tasks or triggers.",
        ) from error


def _open_session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    import aiohttp

    # azure-core would make a new TLS context for every request when handed a CA file, and aiohttp keeps connections
    # apart by context: each look would pay for a handshake. With our own session there is one pool.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, keepalive_timeout=KEEP_ALIVE),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=True,
    )


def _share_session(session: aiohttp.ClientSession) -> AioHttpTransport:
    from azure.core.pipeline.transport import AioHttpTransport

    return AioHttpTransport(
        session=session,
        session_owner=False,
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        connection_data_block_size=READ_BLOCK,
    )


@dataclass
class _Shared:
    """Count the users of clients that several waits share."""

    clients: AzureClients
    users: int = 0
    ready: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_open: bool = False


# All triggers of a triggerer run on one loop of one process; `dag.test()` and tests use a loop for each.
_shared: dict[tuple[AzureSettings, int], _Shared] = {}


@asynccontextmanager
async def shared_clients(settings: AzureSettings) -> AsyncIterator[AzureClients]:
    """Lend the clients for these settings and this event loop; the last user's end closes them."""
    key = (settings, id(asyncio.get_running_loop()))
    shared = _shared.setdefault(key, _Shared(AzureClients(settings)))
    shared.users += 1
    try:
        async with shared.ready:
            if not shared.is_open:
                await shared.clients.open()
                shared.is_open = True
        yield shared.clients
    finally:
        shared.users -= 1
        if not shared.users:
            # Forgotten first: who comes while they are closing gets new ones.
            del _shared[key]
            await shared.clients.close()
