from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_aib.hooks.clients import AzureClients, shared_clients
from airflow_aib.hooks.image_builder import ImageTemplateService
from tests.integration.hooks.azure import VHD, Azure
from tests.integration.hooks.vhd import Vhd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aib_emulator.server import EmulatorThread


@pytest.fixture
async def clients(emulator: EmulatorThread) -> AsyncIterator[AzureClients]:
    """Reach the emulator as operators and triggers reach Azure."""
    connection = emulator.emulator.airflow_connection()
    async with shared_clients(Azure.read(connection)) as clients:
        yield clients


@pytest.fixture
def azure(emulator: EmulatorThread, clients: AzureClients) -> Azure:
    """Know what is there, and do quickly what a test is not about."""
    return Azure(emulator, ImageTemplateService(clients))


@pytest.fixture
async def vhd(azure: Azure) -> Vhd:
    """Build an image template that leaves a VHD."""
    await azure.build(VHD)
    return Vhd(azure, await azure.vhd_uri())
