"""A copy whose process is killed, and the next one, which goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.settings import MEBIBYTE
from tests.integration.hooks.vhd_process import copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.server import EmulatorThread

ROOT = Path(__file__).resolve().parents[3]
PIECE = "PUT /{account}/{container}/{blob}?comp=page"
LANES = 4
BEFORE_THE_KILL = 6
ALLOCATED = 24 * MEBIBYTE


@pytest.fixture
def source(emulator: EmulatorThread) -> str:
    """Leave a VHD of some dozens of pieces, and give its address."""
    blobs, loop = emulator.emulator.world.blobs, emulator._loop
    assert loop is not None
    making = blobs.put_sparse_vhd(
        "imagestore", "vhds", "source.vhd", size_bytes=256 * MEBIBYTE, allocated_bytes=ALLOCATED, seed="killed"
    )
    asyncio.run_coroutine_threadsafe(making, loop).result(60)
    emulator.control.forget_requests()
    return blobs.blob_url("imagestore", "vhds", "source.vhd")


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, half a minute at most."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.01)


async def test_a_killed_copy_goes_on(emulator: EmulatorThread, source: str) -> None:
    """After a `kill -9` at most one piece for each connection travels again."""
    order: dict[str, Any] = {
        "connection": json.loads(emulator.settings_json),
        "source": source,
        "destination": "imagestore/images",
        "options": {"method": "pages", "concurrency": LANES},
    }

    def pieces() -> int:
        return emulator.control.count_requests(endpoint="blob", status="201").get(PIECE, 0)

    # So that it cannot be done before it is killed.
    emulator.control.plan_fault(
        method="PUT", path="/images/source.vhd", skip=BEFORE_THE_KILL + 1, count=None, action="delay", seconds=1.0
    )
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.hooks.vhd_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert killed.stdin is not None
    killed.stdin.write(json.dumps(order).encode() + b"\n")
    await until(lambda: pieces() >= BEFORE_THE_KILL)
    killed.send_signal(signal.SIGKILL)
    await killed.wait()
    emulator.control.clear_plans()

    result = await copy(**order)

    assert killed.returncode == -signal.SIGKILL
    volumes = [
        call["volume"] for call in emulator.control.requests(method="PUT", endpoint="blob") if call["call"] == PIECE
    ]
    largest = sorted(volumes)[-LANES:]
    assert len(volumes) >= BEFORE_THE_KILL
    assert result["copied_bytes"] < result["allocated_bytes"] == ALLOCATED
    assert ALLOCATED <= sum(volumes) <= ALLOCATED + sum(largest)
