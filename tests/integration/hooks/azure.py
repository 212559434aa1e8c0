"""The emulated Azure as the hooks' tests see it: names, documents, and short ways to a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.connection import AzureSettings, settings_from_connection
from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.hooks.run_watch import watch_run
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.control_client import ControlClient
    from aib_emulator.server import EmulatorThread
    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.hooks.log_relay import LogRelay
    from airflow_aib.hooks.run_watch import WatchUpdate
    from airflow_aib.image_run.run_handle import ImageRunHandle

GROUP = "images"
NAME = "base"
# Seconds between looks: emulated time flies.
QUICK = 0.05

VHD = {"type": "VHD", "runOutputName": "disk"}


@dataclass(frozen=True)
class Azure:
    """Know the emulator's start world.

    :param emulator: the emulator
    :param service: image templates in it
    :param name: of the image template that tests make
    """

    emulator: EmulatorThread
    service: ImageTemplateService
    name: str = NAME

    @staticmethod
    def read(connection: Mapping[str, Any], **changes: Any) -> AzureSettings:
        """Read an Airflow connection as the emulator hands it out, with other extras."""
        return settings_from_connection(
            conn_type=connection["conn_type"],
            login=connection["login"],
            password=connection["password"],
            extra={**connection["extra"], **changes},
        )

    def settings(self, **changes: Any) -> AzureSettings:
        """Give the settings of a connection to the emulator, with other extras."""
        return self.read(self.emulator.emulator.airflow_connection(), **changes)

    @property
    def clients(self) -> AzureClients:
        """The way there."""
        return self.service.clients

    @property
    def control(self) -> ControlClient:
        """The control door."""
        return self.emulator.control

    @property
    def group_id(self) -> str:
        """The resource group."""
        return f"/subscriptions/{self.clients.settings.subscription_id}/resourceGroups/{GROUP}"

    @property
    def image_definition_id(self) -> str:
        """An image definition in the gallery."""
        return f"{self.group_id}/providers/Microsoft.Compute/galleries/corp/images/linux-base"

    @property
    def image_template_id(self) -> str:
        """The image template that tests make."""
        return image_template_id(self.clients.settings.require_subscription_id(), GROUP, self.name)

    def document(self, *distribute: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
        """Write an image template with one customizer; a gallery image unless told otherwise."""
        identity = f"{self.group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-builder"
        gallery = {"type": "SharedImage", "runOutputName": "version", "galleryImageId": self.image_definition_id}
        return {
            "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
            "properties": {
                "source": {
                    "type": "PlatformImage",
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "customize": [{"type": "Shell", "name": "greet", "inline": ["echo hello"]}],
                "distribute": list(distribute) or [{**gallery, "targetRegions": [{"name": "eastus"}]}],
                **properties,
            },
        }

    async def create(self, *distribute: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
        """Create the image template."""
        await self.service.submit(self.image_template_id, self.document(*distribute, **properties))
        return await self.service.wait_until_provisioned(self.image_template_id, poll_interval=QUICK)

    async def build(self, *distribute: Mapping[str, Any]) -> tuple[dict[str, Any], LastRunStatus]:
        """Create the image template, run it to its end, and give both."""
        await self.create(*distribute)
        return await self.run()

    async def run(self) -> tuple[dict[str, Any], LastRunStatus]:
        """Run the image template to its end."""
        handle = await self.service.start_run(self.image_template_id)
        await self.watch(handle)
        body = await self.service.require_image_template(self.image_template_id)
        status = read_last_run_status(body)
        assert status is not None
        return body, status

    async def watch(
        self, handle: ImageRunHandle, *, relay: LogRelay | None = None, within: timedelta = timedelta(hours=3)
    ) -> list[WatchUpdate]:
        """Watch a run to its end."""
        deadline = datetime.now(UTC) + within
        watching = watch_run(self.service, handle, deadline=deadline, poll_interval=QUICK, relay=relay)
        updates = [update async for update in watching]
        assert isinstance(updates[-1], RunEvent)
        return updates

    async def vhd_uri(self) -> str:
        """Give the address of the VHD that the last run left."""
        outputs = await self.service.list_run_outputs(self.image_template_id)
        (uri,) = [item["properties"]["artifactUri"] for item in outputs if "artifactUri" in item["properties"]]
        return str(uri)

    def count(self, method: str, end: str) -> int:
        """Count the requests with this method whose path ends so."""
        asked = [(call["method"], call["path"].partition("?")[0]) for call in self.control.requests()]
        return sum(called == method and path.endswith(end) for called, path in asked)
