"""A VHD in the staging resource group, and short ways to copy it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.vhd_copy import copy_vhd, page_blob
from airflow_aib.hooks.vhd_marks import VhdOrigin
from airflow_aib.vhd.copy_options import CopyOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.copy_progress import CopyProgress
    from airflow_aib.hooks.page_blob import PageBlob
    from airflow_aib.vhd.copy_plan import VhdCopyResult
    from tests.integration.hooks.azure import Azure

DESTINATION = "imagestore/images/vhds"
EVERYTHING = 1 << 30


@dataclass
class Vhd:
    """Hold a VHD in the staging resource group, and copy it."""

    azure: Azure
    uri: str
    told: list[CopyProgress] = field(default_factory=list)
    clock: Clock = SYSTEM_CLOCK
    listener: Callable[[CopyProgress], None] | None = None

    @property
    def copy_url(self) -> str:
        """Where its copy lies: in the folder of its image template, under its own name."""
        destination = self.azure.clients.settings.cloud.container_address(DESTINATION)
        return destination.blob(f"{self.azure.name}/{self.name}").url

    @property
    def name(self) -> str:
        """Its name, and that of its copy."""
        return self.uri.rsplit("/", 1)[1]

    def file(self, url: str) -> PageBlob:
        """Give a blob by its address."""
        address = self.azure.clients.settings.cloud.blob_address(url)
        return page_blob(self.azure.clients, address, None, SYSTEM_CLOCK)

    async def copy(
        self,
        destination: str = DESTINATION,
        blob_name: str | None = None,
        clients: AzureClients | None = None,
        **options: Any,
    ) -> VhdCopyResult:
        """Copy it."""
        return await copy_vhd(
            clients or self.azure.clients,
            self.uri,
            destination,
            origin=VhdOrigin(self.azure.image_template_id, "2026-01-05T03:00:42.169984039Z", "disk"),
            options=CopyOptions(**options),
            blob_name=blob_name,
            progress=self.hear,
            clock=self.clock,
        )

    def hear(self, progress: CopyProgress) -> None:
        """Keep what is told of a copy."""
        self.told.append(progress)
        if self.listener is not None:
            self.listener(progress)

    async def content(self, url: str | None = None) -> bytes:
        """Read it, or its copy, whole."""
        return await self.file(url or self.uri).read(0, EVERYTHING)

    async def interrupt(self, after: int, **options: Any) -> None:
        """Begin to copy it, and be refused after some pieces."""
        self.azure.control.plan_fault(
            method="PUT", path="/imagestore/images/vhds", skip=after + 1, count=99, status=400
        )
        with pytest.raises(VhdCopyError):
            await self.copy(concurrency=1, **options)
        self.azure.control.clear_plans()
