"""What it takes to copy a VHD: ours beside AzCopy, Copy Blob, and the SDK's download and upload."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.contract.clients.azcopy_program import AzCopy, missing

ROOT = Path(__file__).resolve().parents[2]
VHD_SIZE = 8192 * MEBIBYTE
ALLOCATED = 1024 * MEBIBYTE
SOURCE, TARGET, CONTAINER = "stagingstore", "imagestore", "images"
WAYS = ("ours", "azcopy", "copy_blob", "sdk")
# Inside one account, where a smaller one shows the same.
INSIDE_SIZE, INSIDE_ALLOCATED = VHD_SIZE // 8, ALLOCATED // 8
INSIDE_WAYS = ("chosen", "ours", "azcopy")
# What a page blob of a standard account bears in a second, as documented.
REQUESTS_PER_SECOND, BYTES_PER_SECOND = 500.0, 60.0 * MEBIBYTE
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
LOOK = 0.02  # seconds between two looks at a process
COPYING = "PUT /{account}/{container}/{blob}?comp=page"


@dataclass(frozen=True)
class CopyCost:
    """Hold what one way of copying took.

    :param seconds: wall time
    :param requests: to storage
    :param moved: bytes that storage was asked to write into the copy
    :param read: bytes that passed into the worker
    :param sent: bytes that passed out of it
    :param memory: the most that the process had in memory, in bytes, beyond an interpreter that does nothing
    """

    seconds: float
    requests: int
    moved: int
    read: int
    sent: int
    memory: int


def measure_copies(
    ways: tuple[str, ...] = WAYS, *, size: int = VHD_SIZE, allocated: int = ALLOCATED, account: str = TARGET
) -> dict[str, CopyCost]:
    """Return the cost of each way, one after the other on the same emulator; AzCopy must be installed.

    :param account: where the copy is to be
    """
    reason = missing()
    if reason:
        raise RuntimeError(reason)
    with EmulatorThread(EmulatorSettings(time_scale=1.0)) as thread, tempfile.TemporaryDirectory() as folder:
        bench = CopyBench(thread, Path(folder), account)
        bench.prepare(size, allocated)
        return {way: bench.measure(way) for way in ways}


def measure_inside(ways: tuple[str, ...] = INSIDE_WAYS) -> dict[str, CopyCost]:
    """Return the cost of each way of copying inside one account."""
    return measure_copies(ways, size=INSIDE_SIZE, allocated=INSIDE_ALLOCATED, account=SOURCE)


@dataclass
class CopyBench:
    """Copy one VHD in several ways.

    :param thread: the emulator
    :param folder: for what AzCopy writes
    :param account: where the copy is to be
    :param source: address of the VHD
    """

    thread: EmulatorThread
    folder: Path
    account: str = TARGET
    source: str = ""

    def prepare(self, size: int, allocated: int) -> None:
        """Make the VHD, in an account of its own."""
        blobs = self.thread.emulator.world.blobs
        self._on_emulator(blobs.create_account(SOURCE))
        self.thread.control.set_data_role("contributor", account=SOURCE)
        making = blobs.put_sparse_vhd(
            SOURCE, "vhds", "source.vhd", size_bytes=size, allocated_bytes=allocated, seed="bench"
        )
        self._on_emulator(making)
        self._on_emulator(blobs.create_container(self.account, CONTAINER))
        self.source = blobs.blob_url(SOURCE, "vhds", "source.vhd")
        self.thread.control.set_blob_limits(requests_per_second=REQUESTS_PER_SECOND, bytes_per_second=BYTES_PER_SECOND)

    def measure(self, way: str) -> CopyCost:
        """Copy in one way, and delete the copy."""
        target = self.thread.emulator.world.blobs.blob_url(self.account, CONTAINER, f"{way}.vhd")
        self.thread.control.forget_requests()
        start = time.perf_counter()
        memory = self._azcopy(target) if way == "azcopy" else self._in_process(way, target)
        seconds = time.perf_counter() - start
        calls = self.thread.control.requests(endpoint="blob")
        self._on_emulator(self._delete(f"{way}.vhd"))
        copying = [call for call in calls if call["call"] == COPYING and call["status"] < 300]
        reads = [call["volume"] for call in calls if call["method"] == "GET" and "comp=" not in call["call"]]
        moved = sum(call["volume"] for call in copying)
        return CopyCost(
            seconds=seconds,
            requests=len(calls),
            moved=moved,
            read=sum(reads),
            sent=moved if way == "sdk" else 0,
            memory=memory - self._in_process("nothing", target),
        )

    def _in_process(self, way: str, target: str) -> int:
        """Copy in a process of its own, and give the most that it had in memory."""
        emulator = self.thread.emulator
        order: dict[str, Any] = {
            "way": way,
            "connection": json.loads(self.thread.settings_json),
            "env": dict(self.thread.env),
            "ca_file": str(emulator.ca_file),
            "source": self.source,
            "target": target,
        }
        command = [sys.executable, "-m", "tests.bench.vhd_way"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdin is not None
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.close()
            return wait_for(process)

    def _azcopy(self, target: str) -> int:
        azcopy = AzCopy(self.thread, self.folder)
        with azcopy.start("copy", self.source, target, "--from-to", "BlobBlob", is_signed_in=True) as process:
            return wait_for(process)

    async def _delete(self, blob: str) -> None:
        store = self.thread.emulator.world.blobs
        await store._blob(self.account, CONTAINER, blob).delete_blob()  # type: ignore[attr-defined]  # nobody else goes there

    def _on_emulator(self, work: Any) -> None:
        loop = self.thread._loop
        if loop is None:
            raise RuntimeError("the emulator has ended")
        asyncio.run_coroutine_threadsafe(work, loop).result(600)


def wait_for(process: subprocess.Popen[str]) -> int:
    """Wait for a process, which must succeed, and give the most that it had in memory, in bytes."""
    status, most = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        # The kernel keeps the peak; what it says after the end is that of the parent, before the program was loaded.
        found = PEAK.search(status.read_text())
        most = max(most, int(found[1]) * 1024) if found else most
        time.sleep(LOOK)
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return most
