from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from aib_emulator.blobs.azurite import Azurite, AzuriteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aib_emulator.server import EmulatorThread

DEADLINE = 20.0
KEYS = ("a2V5MQ==", "a2V5Mg==")
PARENT = """
import asyncio, sys, pathlib
from aib_emulator.blobs.azurite import Azurite

async def main():
    azurite = Azurite(pathlib.Path(sys.argv[1]))
    await azurite.start()
    print(azurite._process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
async def azurite(tmp_path: Path) -> AsyncIterator[Azurite]:
    """Run an Azurite."""
    found = Azurite(tmp_path / "blobs")
    await found.start()
    yield found
    await found.stop()


def process_id(azurite: Azurite) -> int:
    """Return the id of the running process."""
    assert azurite._process is not None
    return azurite._process.pid


def is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - a kernel's file
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def status_of_list(url: str, account: str) -> int:
    """Return how an anonymous list of an account's containers is answered."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/{account}?comp=list") as answer:
        return answer.status


async def test_account_is_there_once_it_is_set(azurite: Azurite) -> None:
    """An account exists, and does not any more, as soon as the order is acknowledged."""
    statuses = [await status_of_list(azurite.url, "acct")]
    for keys in (KEYS, None):
        await azurite.set_account("acct", keys)
        statuses.append(await status_of_list(azurite.url, "acct"))
    assert statuses == [404, 403, 404]


async def test_many_orders_at_once_are_all_carried_out(azurite: Azurite) -> None:
    """Orders given together are each acknowledged."""
    await asyncio.gather(*(azurite.set_account(f"acct{number}", KEYS) for number in range(200)))


async def test_stopped_azurite_is_gone(tmp_path: Path) -> None:
    """Stopping ends the process, and again is fine."""
    azurite = Azurite(tmp_path)
    await azurite.start()
    pid = process_id(azurite)
    for _ in range(2):
        await azurite.stop()
    assert not is_running(pid)


async def test_ended_azurite_is_told(azurite: Azurite) -> None:
    """Orders to an Azurite that ended by itself fail and say so, rather than wait."""
    os.kill(process_id(azurite), signal.SIGKILL)
    with pytest.raises(AzuriteError, match=r"ended|not running"):
        await asyncio.wait_for(_order_until_it_fails(azurite), DEADLINE)


async def test_accounts_are_there_when_it_listens_again(azurite: Azurite) -> None:
    """What is started once more has the address and the accounts of before, from the first call on."""
    await azurite.set_account("acct", KEYS)
    url = azurite.url
    await azurite.stop()
    await azurite.start()
    assert (azurite.url, await status_of_list(url, "acct")) == (url, 403)


async def test_hanging_azurite_is_told(tmp_path: Path) -> None:
    """Orders to an Azurite that does not answer fail, rather than wait for ever."""
    azurite = Azurite(tmp_path, order_timeout=0.1)
    await azurite.start()
    os.kill(process_id(azurite), signal.SIGSTOP)
    try:
        with pytest.raises(AzuriteError, match="hangs"):
            await azurite.set_account("acct", KEYS)
    finally:
        os.kill(process_id(azurite), signal.SIGCONT)
        await azurite.stop()


def test_lost_azurite_is_started_again(emulator: EmulatorThread, caplog: pytest.LogCaptureFixture) -> None:
    """When Azurite ends by itself the log says so, and a build writes on, at the same address."""
    emulator.run(emulator.emulator.world.blobs.create_container("imagestore", "late"))
    (node,) = [child for child in psutil.Process().children() if "mend_azurite" in " ".join(child.cmdline())]
    ended = os.pidfd_open(node.pid)  # to wait for its parent to reap it would be to reap it
    try:
        node.kill()
        select.select([ended], [], [], DEADLINE)
    finally:
        os.close(ended)
    emulator.run(emulator.emulator.world.blobs.append_text("imagestore", "images", "build.log", "on\n"))
    assert "Azurite ended (exit -9)" in caplog.text
    assert "Azurite runs again" in caplog.text
    emulator.control.reset()


async def _order_until_it_fails(azurite: Azurite) -> None:
    while True:
        await azurite.set_account("acct", KEYS)


def test_azurite_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """Azurite ends even when its parent is killed and can clean up nothing."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([child], [], [], DEADLINE)
    finally:
        os.close(child)
    assert ended
