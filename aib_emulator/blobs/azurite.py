"""Runs one Azurite on loopback: starts it, tells it its accounts, ends it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import re
import secrets
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aib_emulator.azurite_install import azurite_program, node_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

log = logging.getLogger(__name__)

MENDS = Path(__file__).with_name("mend_azurite.cjs")
START_TIMEOUT = 60.0
STOP_TIMEOUT = 5.0
ORDER_TIMEOUT = 30.0
LISTENING = re.compile(r"successfully listens on (http://\S+)")
ORDER_DONE = "order done"
SEED, LOCK, ACCOUNTS = "delegation-seed", "lock", "accounts.json"
LOCK_TIMEOUT, LOCK_INTERVAL = 10.0, 0.05


class AzuriteError(ChildProcessError):
    """Azurite did not start, or ended by itself; the message holds its last lines."""


def _nobody() -> None:
    """Stand for nobody who wants to be told."""


class Azurite:
    """Run the installed Azurite until `stop`; it also ends by itself when this process does.

    :param location: folder for its blobs
    :param when_lost: told when it has ended although nobody stopped it; `start` runs it again, at the same address
    :param order_timeout: seconds after which an order that is not acknowledged has failed
    """

    def __init__(
        self, location: Path, when_lost: Callable[[], None] = _nobody, *, order_timeout: float = ORDER_TIMEOUT
    ) -> None:
        self.location = location
        self._when_lost = when_lost
        self._order_timeout = order_timeout
        self._accounts: dict[str, list[str]] = {}
        self.delegation_seed = ""
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=30)
        self._orders: deque[asyncio.Future[None]] = deque()
        self._listening: asyncio.Future[str] | None = None

    async def start(self) -> None:
        """Start the process on a free port, or that of before with the accounts of before; wait until it listens."""
        self.location.mkdir(parents=True, exist_ok=True)
        self.delegation_seed = _kept_seed(self.location)
        self._write_accounts()
        lock = await _locked(self.location)
        try:
            listening = await self._start_process(lock.fileno())
        finally:
            lock.close()  # Azurite has it now, and lets go when it has ended
        try:
            self.url = await asyncio.wait_for(asyncio.shield(listening), START_TIMEOUT)
        except TimeoutError:
            await self.stop()
            raise AzuriteError(f"Azurite did not listen within {START_TIMEOUT:.0f} s.\n{self._tail()}") from None
        except AzuriteError:
            await self.stop()
            raise
        finally:
            (self.location / ACCOUNTS).unlink(missing_ok=True)

    def _write_accounts(self) -> None:
        # It reads them before it listens: nobody may find his account missing.
        file = self.location / ACCOUNTS
        file.touch(mode=0o600)
        file.write_text(json.dumps([{"account": name, "keys": keys} for name, keys in self._accounts.items()]))

    async def _start_process(self, lock: int) -> asyncio.Future[str]:
        listening = self._listening = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "AIB_EMULATOR_DELEGATION_SEED": self.delegation_seed,
                "AIB_EMULATOR_ACCOUNTS": str(self.location / ACCOUNTS),
            },
            cwd=self.location,
            pass_fds=(lock,),
            start_new_session=True,  # a Ctrl-C is ours to answer: Azurite ends when we say so
        )
        self._reader = asyncio.create_task(self._read_lines(self._process))
        return listening

    async def stop(self, within: float = STOP_TIMEOUT) -> None:
        """End it with SIGTERM, so that it saves what it has; kill it when that takes more than so many seconds."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        self._process = None
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), within)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reader

    async def set_account(self, account: str, keys: Sequence[str] | None) -> None:
        """Make `account` exist with these base64 keys, or not exist any more (`None`); done when this returns."""
        await self._order({"account": account, "keys": None if keys is None else list(keys)})
        if keys is None:
            self._accounts.pop(account, None)
        else:
            self._accounts[account] = list(keys)

    async def note_copy(self, place: Mapping[str, str], state: Mapping[str, str]) -> None:
        """Say what is to be seen of a copy that goes on; done when this returns.

        :param place: `account`, `container` and `blob` that it writes to
        :param state: its `progress`, and once it has ended badly `status`, `description` and `ended`
        """
        await self._order({"copy": {**place, **state}})

    async def _order(self, order: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise AzuriteError(f"Azurite is not running.\n{self._tail()}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders.append(done)
        process.stdin.write(json.dumps(order).encode() + b"\n")
        try:
            await asyncio.wait_for(done, self._order_timeout)
        except TimeoutError:
            raise AzuriteError(f"Azurite hangs: no answer within {self._order_timeout:g} s.\n{self._tail()}") from None

    def _command(self) -> list[str]:
        options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--disableProductStyleUrl"]
        port = self.url.rpartition(":")[2] or "0"
        where = ["--blobHost", "127.0.0.1", "--blobPort", port, "--location", str(self.location)]
        return [str(node_program()), "--require", str(MENDS), str(azurite_program()), *where, *options]

    async def _read_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        async for raw in process.stdout:
            self._note(raw.decode(errors="replace").rstrip())
        await process.wait()
        ended = AzuriteError(f"Azurite ended (exit {process.returncode}).\n{self._tail()}")
        for waiting in (self._listening, *self._orders):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ended)
                waiting.exception()  # who has waited for it may be gone
        self._orders.clear()
        if self._process is process and self._has_listened():
            log.error("%s", ended)
            self._when_lost()

    def _has_listened(self) -> bool:
        listening = self._listening
        return listening is not None and listening.done() and listening.exception() is None

    def _note(self, line: str) -> None:
        if line == ORDER_DONE:
            done = self._orders.popleft()
            if not done.done():
                done.set_result(None)
            return
        self._last_lines.append(line)
        found = LISTENING.search(line)
        if found and self._listening is not None and not self._listening.done():
            self._listening.set_result(found[1])

    def _tail(self) -> str:
        return "\n".join(self._last_lines)


def _kept_seed(folder: Path) -> str:
    """Return the seed of the user delegation keys, which stay good as long as the folder is there."""
    file = folder / SEED
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
    return file.read_text(encoding="ascii")


async def _locked(folder: Path) -> IO[bytes]:
    """Return the folder's lock once an Azurite whose emulator was killed has saved what it has, and ended."""
    file = (folder / LOCK).open("wb")
    try:
        async with asyncio.timeout(LOCK_TIMEOUT):
            while not _try_lock(file):  # noqa: ASYNC110 - another process holds it
                await asyncio.sleep(LOCK_INTERVAL)
    except TimeoutError:
        file.close()
        raise AzuriteError(f"{folder} is still in use by an Azurite. End it, or give another data folder.") from None
    return file


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
