"""Clients of the real SDKs, in both flavours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.sdk_clients import FLAVOURS, Cloud

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aib_emulator.server import EmulatorThread


@pytest.fixture(params=FLAVOURS)
async def cloud(request: pytest.FixtureRequest, emulator: EmulatorThread) -> AsyncIterator[Cloud]:
    """Sign in at the emulator; each test that asks for it runs once synchronously and once asynchronously."""
    found = Cloud(emulator, request.param)
    yield found
    await found.close()
