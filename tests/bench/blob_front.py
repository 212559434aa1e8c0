"""What the TLS front costs: the same loads through it and on the Azurite behind it, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aib_emulator.server import EmulatorThread

if TYPE_CHECKING:
    Seconds = dict[str, float]

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
ACCOUNT = "imagestore"


def measure_front() -> tuple[Seconds, Seconds]:
    """Return the seconds of each load, the quickest of the rounds: through the front, and on plain Azurite."""
    with EmulatorThread() as thread:
        front, azurite = _front(thread), _azurite(thread)
        rounds = [(_load(front), _load(azurite)) for _ in range(ROUNDS)]
    ours, peer = ([seconds[side] for seconds in rounds] for side in (0, 1))
    return _quickest(ours), _quickest(peer)


def _front(thread: EmulatorThread) -> dict[str, str]:
    """Say how to reach the front: over TLS, with a token."""
    emulator = thread.emulator
    token = emulator.world.tokens.issue(
        tenant_id=emulator.settings.tenant_id,
        audience="https://storage.azure.com",
        client_id=emulator.settings.client_id,
        object_id=emulator.settings.client_object_id,
    )
    return {"url": emulator.blob_url, "account": ACCOUNT, "key": "", "token": token, "ca_file": str(emulator.ca_file)}


def _azurite(thread: EmulatorThread) -> dict[str, str]:
    """Say how to reach the Azurite behind it: plain HTTP, with the account's key."""
    blobs = thread.emulator.world.blobs
    url: str = blobs._azurite.url  # type: ignore[attr-defined]  # nobody else goes there
    return {"url": url, "account": ACCOUNT, "key": blobs.account_keys(ACCOUNT)[0], "token": "", "ca_file": ""}


def _load(where: dict[str, str]) -> Seconds:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.blob_load"],
        check=True,
        input=json.dumps(where) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    seconds: Seconds = json.loads(done.stdout)
    return seconds


def _quickest(rounds: list[Seconds]) -> Seconds:
    return {name: min(seconds[name] for seconds in rounds) for name in rounds[0]}
