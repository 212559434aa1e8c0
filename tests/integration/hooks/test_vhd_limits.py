"""Copies against storage that says that it is busy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aib_emulator.settings import MEBIBYTE
from tests.fakes import SteppedClock
from tests.integration.hooks.vhd import Vhd

if TYPE_CHECKING:
    from tests.integration.hooks.azure import Azure

SECONDS = 0.1
REAL_SECONDS = 0.002
MOST_REFUSED = 0.25


async def test_a_busy_blob_is_not_hammered(azure: Azure) -> None:
    """Blobs that bear little in a second are copied nevertheless, and most of the requests are answered."""
    blobs = azure.emulator.emulator.world.blobs
    making = blobs.put_sparse_vhd(
        "imagestore", "vhds", "busy.vhd", size_bytes=64 * MEBIBYTE, allocated_bytes=8 * MEBIBYTE, seed="busy"
    )
    azure.emulator.run(making)
    clock = SteppedClock()
    vhd = Vhd(azure, blobs.blob_url("imagestore", "vhds", "busy.vhd"), clock=clock)
    azure.control.set_scale(0)
    azure.control.set_blob_limits(bytes_per_second=2 * MEBIBYTE)
    azure.control.forget_requests()

    copying = asyncio.create_task(vhd.copy(method="pages"))
    while not copying.done():
        # Time passes for who waits for it, and not while requests are on their way: however slow this machine is.
        if not clock.is_waited_for:
            await asyncio.sleep(REAL_SECONDS)
            continue
        await clock.advance(SECONDS)
        await asyncio.to_thread(azure.control.advance, SECONDS)
    result = await copying

    answers = azure.control.count_requests(by="status", endpoint="blob")
    assert 0 < answers["503"] <= MOST_REFUSED * sum(answers.values())
    azure.control.clear_blob_limits()
    assert await vhd.content(result.destination) == await vhd.content()
