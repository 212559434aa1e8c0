"""Joins the parts into one emulator, and starts and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from aib_emulator import control, restore, start_world
from aib_emulator.applications import Application, Applications
from aib_emulator.arm.operations import Operations
from aib_emulator.blobs import AzuriteBlobStore
from aib_emulator.choices import Choices
from aib_emulator.clock import ScaledClock
from aib_emulator.faults import Faults
from aib_emulator.front import KEEP_ALIVE, Front
from aib_emulator.keeping.journal import Journal, not_restored
from aib_emulator.keeping.keeper import SINGLE, Keeper
from aib_emulator.listening import listen
from aib_emulator.openapi import openapi
from aib_emulator.request_record import RequestRecord
from aib_emulator.schedule import Schedule
from aib_emulator.services.authorization import routes as authorization
from aib_emulator.services.authorization.resources import Authorization
from aib_emulator.services.compute import routes as compute
from aib_emulator.services.compute.resources import ComputeResources
from aib_emulator.services.identity import routes as identity
from aib_emulator.services.image_builder import routes as image_builder
from aib_emulator.services.managed_identity import routes as managed_identity
from aib_emulator.services.managed_identity.resources import identity_resource
from aib_emulator.services.resources import routes as resources
from aib_emulator.services.storage import routes as storage
from aib_emulator.services.storage.resources import StorageAccounts
from aib_emulator.settings import LOOPBACK, SHUTDOWN_SECONDS
from aib_emulator.store import Store
from aib_emulator.tls import TlsFiles, tls_files
from aib_emulator.tokens import TokenAuthority
from aib_emulator.world import World

if TYPE_CHECKING:
    from typing import IO, Any

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.arm.route import Route
    from aib_emulator.settings import EmulatorSettings
    from aib_emulator.store import Resource

SERVICES = (identity, authorization, resources, managed_identity, storage, compute, image_builder)
"""Each answers `routes(world)`."""
AZURE_CLI_FOLDER = "azure-config"
BLOB_FOLDER = "emulated-blobs"
JOURNAL = "state.journal"
STOP_SECONDS = 4.0
"""How long stopping may take; within that, calls that are being answered have `SHUTDOWN_SECONDS`, Azurite the rest."""


class Emulator:
    """Run a whole local Azure in this event loop.

    :param settings: what it is told
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self._own_folder: Path | None = None
        self._lock: IO[bytes] | None = None
        self._runner: web.AppRunner | None = None
        self._arm_port = 0
        self._resetting = asyncio.Lock()
        self._folder = Path()
        self._tls: TlsFiles | None = None
        self._world: World | None = None
        self.served_routes: tuple[Route, ...] = ()
        self._keeper, self._operations = Keeper(), Operations()
        self._kept: dict[str, dict[str, Any]] = {}

    @property
    def world(self) -> World:
        """What the services share; there once it is started."""
        if self._world is None:
            raise RuntimeError("The emulator is not started.")
        return self._world

    @property
    def arm_url(self) -> str:
        """Address of Resource Manager, Entra and the control door, without a final slash."""
        return f"https://localhost:{self._arm_port}"

    @property
    def blob_url(self) -> str:
        """Address of the blob endpoint, without a final slash; accounts are the first segment of the path."""
        return self.world.blobs.public_url

    @property
    def control_url(self) -> str:
        """Address of the control door."""
        return f"{self.arm_url}{control.DOOR}"

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust."""
        if self._tls is None:
            raise RuntimeError("The emulator is not started.")
        return self._tls.ca_file

    async def start(self) -> None:
        """Start everything; once this returns, clients are answered."""
        try:
            await asyncio.to_thread(self._prepare_folder)
            self._tls = await asyncio.to_thread(tls_files, self._folder / "tls")
            clock = ScaledClock(self.settings.starting_scale)
            tokens = await asyncio.to_thread(TokenAuthority.from_folder, self._folder / "tls", lambda: clock.skew)
            self._world = self._make_world(self._tls, tokens, clock)
            await self._world.blobs.start()
            routes = self._routes()
            await self._fill()
            await self._listen(self._tls, routes)
            self._keep_ports()
            await self._world.schedule.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything that was started, within `STOP_SECONDS`."""
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        async with contextlib.AsyncExitStack() as stack:
            if self._lock is not None:
                stack.callback(self._lock.close)
                self._lock = None
            if self._own_folder is not None:
                stack.push_async_callback(asyncio.to_thread, shutil.rmtree, self._own_folder, ignore_errors=True)
                self._own_folder = None
            stack.callback(self._keeper.close)
            if self._world is not None:
                stack.push_async_callback(self._world.blobs.stop, deadline)
                stack.push_async_callback(self._world.schedule.stop)
            stack.push_async_callback(self._close_doors)

    async def _close_doors(self) -> None:
        doors = [] if self._runner is None else [self._runner.cleanup()]
        if self._world is not None:
            doors.append(self._world.blobs.close())
        self._runner = None
        await asyncio.gather(*doors)

    async def reset(self) -> None:
        """Forget every resource, plan and record, turn the clock back, and furnish the start world again."""
        world = self.world
        async with self._resetting:
            with self._keeper.as_one():
                await self._begin_anew(world)

    async def _begin_anew(self, world: World) -> None:
        await world.schedule.clear()
        plans = (world.faults, world.failures, world.sign_in_refusals)
        people = (world.applications, world.access)
        kept = (world.choices, world.store, world.operations, world.requests, world.runs)
        for forget in (*kept, *plans, *people):
            forget.clear()
        world.tokens.reset()
        world.throttle.switch(None)
        world.compute.reset()
        await world.blobs.reset()
        world.clock.restart(self.settings.starting_scale)
        await self._furnish()

    def environment(self) -> dict[str, str]:
        """Return the variables that point every usual client at this emulator."""
        settings, ca_file = self.settings, str(self.ca_file)
        return {
            "REQUESTS_CA_BUNDLE": ca_file,
            "SSL_CERT_FILE": ca_file,
            "NODE_EXTRA_CA_CERTS": ca_file,
            "AZURE_CONFIG_DIR": str(self._folder / AZURE_CLI_FOLDER),
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_AUTHORITY_HOST": self.arm_url,
            "AZURE_TENANT_ID": settings.tenant_id,
            "AZURE_CLIENT_ID": settings.client_id,
            "AZURE_CLIENT_SECRET": settings.client_secret,
            "AZURE_SUBSCRIPTION_ID": settings.subscription_id,
            "AIB_EMULATOR_ARM": self.arm_url,
            "AIB_EMULATOR_BLOB": self.blob_url,
            "AIB_EMULATOR_CONTROL": self.control_url,
            "AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT": json.dumps(self.airflow_connection()),
        }

    def airflow_connection(self) -> dict[str, object]:
        """Return the Airflow connection to this emulator, in Airflow's JSON form."""
        settings = self.settings
        return {
            "conn_type": "azure_image_builder",
            "login": settings.client_id,
            "password": settings.client_secret,
            "extra": {
                "tenantId": settings.tenant_id,
                "subscriptionId": settings.subscription_id,
                "cloud_environment": "custom",
                "resource_manager_endpoint": self.arm_url,
                "authority_host": self.arm_url,
                "storage_suffix": self.blob_url.partition("//")[2],
                "ca_bundle": str(self.ca_file),
            },
        }

    def description(self) -> dict[str, Any]:
        """Return the OpenAPI document of every call that is served."""
        return openapi(self.served_routes, self.arm_url)

    def _prepare_folder(self) -> None:
        folder = self.settings.data_dir
        if folder is None:
            folder = self._own_folder = Path(tempfile.mkdtemp(prefix="aib-emulator-"))
        self._folder = folder
        try:
            (self._folder / AZURE_CLI_FOLDER).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise NotADirectoryError(f"{folder}: --data must be a folder, or a path where one can be made.") from error
        self._lock = _locked(self._folder)
        if self.settings.data_dir is not None:
            self._read_journal()
        if not self._kept:  # blobs of resources that nobody knows
            shutil.rmtree(self._folder / BLOB_FOLDER, ignore_errors=True)

    def _read_journal(self) -> None:
        self._operations = Operations(keeper=self._keeper)
        self._kept = self._keeper.open(Journal(self._folder / JOURNAL), restore.codec_for(self._operations))
        # Clients and resources know the addresses of before.
        ports = self._kept.get("ports", {}).get(SINGLE, {"arm": 0, "blob": 0})
        arm_port, blob_port = self.settings.arm_port or ports["arm"], self.settings.blob_port or ports["blob"]
        self.settings = replace(self.settings, arm_port=arm_port, blob_port=blob_port)

    async def _fill(self) -> None:
        with self._keeper.as_one():
            if self._kept:
                await self._restore()
            else:
                await self._furnish()
            restore.keep_singles(self.world)

    async def _restore(self) -> None:
        try:
            await restore.restore(self.world, restore.codec_for(self._operations), self._kept)
        except OSError:
            raise
        except Exception as error:
            raise not_restored(self._folder / JOURNAL, error) from error
        self._kept = {}

    def _keep_ports(self) -> None:
        ports = {"arm": self._arm_port, "blob": int(self.blob_url.rpartition(":")[2])}
        self._keeper.add_single("ports", lambda: ports)
        self._keeper.commit()

    def _make_world(self, tls: TlsFiles, tokens: TokenAuthority, clock: ScaledClock) -> World:
        keeper, store = self._keeper, Store(self._keeper)
        faults, requests = Faults(), RequestRecord()
        settings = self.settings
        first = Application(settings.client_id, settings.client_secret, settings.client_object_id)
        applications = Applications(first)
        access = Authorization(store, applications, clock, settings.tenant_id, keeper)
        blobs = AzuriteBlobStore(
            self.settings,
            folder=self._folder / BLOB_FOLDER,
            tls=tls,
            tokens=tokens,
            clock=clock,
            faults=faults,
            requests=requests,
            granted=access.blob_role,
            keeper=keeper,
        )
        accounts = StorageAccounts(store, blobs, clock)
        return World(
            settings=self.settings,
            choices=Choices(self.settings.choices),
            clock=clock,
            store=store,
            blobs=blobs,
            operations=self._operations,
            schedule=Schedule(clock, keeper.commit),
            tokens=tokens,
            applications=applications,
            access=access,
            faults=faults,
            requests=requests,
            storage=accounts,
            compute=ComputeResources(store, clock),
            keeper=keeper,
            delete_hooks={"microsoft.storage/storageaccounts": accounts.delete_blobs},
        )

    async def _furnish(self) -> None:
        await start_world.furnish(self.world, self._make_identity)

    def _make_identity(self, identity_id: ResourceId) -> Resource:
        settings = self.settings
        return identity_resource(
            identity_id, location=settings.location, tags={}, tenant_id=settings.tenant_id, now=self.world.clock.now()
        )

    async def _listen(self, tls: TlsFiles, routes: list[Route]) -> None:
        application = Front(self.world, routes).application()
        self._runner = web.AppRunner(
            application, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=SHUTDOWN_SECONDS, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self.settings.arm_port, ssl_context=tls.server_context())
        await listen(site, self.settings.arm_port, "--port")
        self._arm_port = int(self._runner.addresses[0][1])

    def _routes(self) -> list[Route]:
        found = control.routes(self.world, partial(self.reset), self.description)
        for service in SERVICES:
            found.extend(service.routes(self.world))
        self.served_routes = tuple(found)
        return found


def _locked(folder: Path) -> IO[bytes]:
    """Return a file of `folder` that only one emulator can have; it is free again once that has ended."""
    file = (folder / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BlockingIOError(f"{folder} is in use by another emulator. Give each a data folder of its own.") from error
    return file
