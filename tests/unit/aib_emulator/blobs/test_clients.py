from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from azure.core.exceptions import ServiceRequestError

from aib_emulator.blobs.clients import service_client

if TYPE_CHECKING:
    import pytest


class Unreachable:
    """Is a transport that reaches nobody."""

    async def send(self, *_: object, **__: object) -> None:
        """Refuse every request."""
        raise ServiceRequestError("unreachable")


def test_the_emulators_own_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever logs what the SDK asks of Azure does not see what the emulator asks of Azurite."""

    async def ask() -> None:
        client = service_client("http://127.0.0.1:1/a", "a", "a2V5", Unreachable())
        try:
            await client.create_container("c", retry_total=0)
        except ServiceRequestError:
            return

    with caplog.at_level(logging.DEBUG):
        asyncio.run(ask())
    assert [record.name for record in caplog.records if "http_logging_policy" in record.name] == []
    assert "127.0.0.1" not in caplog.text
