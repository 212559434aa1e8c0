"""What the tests know of the emulated Azure, and do there beside Airflow."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.connection import AzureSettings, settings_from_connection
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.server import EmulatorThread

T = TypeVar("T")

GROUP = "images"
NAME = "base"
LOCATION = "eastus"
# Seconds. The first DAG waits for Airflow itself to start, and the machine may be busy.
PATIENCE = 60.0

Body = dict[str, Any]


@dataclass(frozen=True)
class Cloud:
    """Know the emulated Azure's start world.

    :param emulator: the emulator
    """

    emulator: EmulatorThread

    @property
    def settings(self) -> AzureSettings:
        """The way to it."""
        connection: dict[str, Any] = dict(self.emulator.emulator.airflow_connection())
        return settings_from_connection(
            conn_type=connection["conn_type"],
            login=connection["login"],
            password=connection["password"],
            extra=connection["extra"],
        )

    @property
    def group_id(self) -> str:
        """The resource group."""
        return f"/subscriptions/{self.settings.subscription_id}/resourceGroups/{GROUP}"

    @property
    def image_template_id(self) -> str:
        """The image template that tests make."""
        return f"{self.group_id}/providers/Microsoft.VirtualMachineImages/imageTemplates/{NAME}"

    def image_template(self, *, with_vhd: bool = False, **properties: Any) -> Body:
        """Write an image template with two customizers."""
        identity = f"{self.group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-builder"
        definition = f"{self.group_id}/providers/Microsoft.Compute/galleries/corp/images/linux-base"
        gallery: Body = {
            "type": "SharedImage",
            "runOutputName": "gallery",
            "galleryImageId": definition,
            "targetRegions": [{"name": LOCATION}],
        }
        vhd = {"type": "VHD", "runOutputName": "vhd"}
        return {
            "location": LOCATION,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
            "properties": {
                "buildTimeoutInMinutes": 60,
                "source": {
                    "type": "PlatformImage",
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "customize": [
                    {"type": "Shell", "name": "updates", "inline": ["sudo apt-get update"]},
                    {"type": "Shell", "name": "software", "inline": ["for x in a b; do echo ${x}{{y}}; done"]},
                ],
                "distribute": [gallery, vhd] if with_vhd else [gallery],
                **properties,
            },
        }

    def call(self, call: Callable[[ImageTemplateService], Awaitable[T]]) -> T:
        """Do something in Azure beside Airflow."""

        async def main() -> T:
            async with shared_clients(self.settings) as clients:
                return await call(ImageTemplateService(clients))

        return asyncio.run(main())

    def create(self, body: Body | None = None) -> Body:
        """Create the image template and wait until it is provisioned."""

        async def create(service: ImageTemplateService) -> Body:
            await service.submit(self.image_template_id, body or self.image_template())
            return await service.wait_until_provisioned(self.image_template_id, poll_interval=0.05)

        return self.call(create)

    def start_run(self) -> Body:
        """Start a run and give its handle as JSON."""
        return self.call(lambda service: service.start_run(self.image_template_id)).to_json()

    def finish_run(self) -> LastRunStatus | None:
        """Wait until the run is over."""
        return self.call(lambda service: service.wait_until_over(self.image_template_id, poll_interval=0.05))

    def body(self) -> Body | None:
        """Read the image template."""
        return self.call(lambda service: service.get_image_template(self.image_template_id))

    def last_run(self) -> LastRunStatus | None:
        """Read the last run's status."""
        return read_last_run_status(self.body() or {})

    def plan_fault(self, **fault: Any) -> None:
        """Have the emulator answer badly."""
        self.emulator.control.plan_fault(**fault)

    def plan_failure(self, **failure: Any) -> None:
        """Have a creation or a run go wrong."""
        self.emulator.control.plan_failure(**failure)

    def count(self, method: str, ending: str) -> int:
        """Count the requests to the emulator whose path ends so."""
        return sum(
            request["method"] == method and request["path"].split("?")[0].lower().endswith(ending.lower())
            for request in self.emulator.control.requests()
        )


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, and not for ever."""
    end = time.monotonic() + PATIENCE
    pause = asyncio.sleep
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The condition did not come true.")
        asyncio.run(pause(0.05))
