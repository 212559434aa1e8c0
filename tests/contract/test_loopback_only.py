from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread


def test_it_listens_on_loopback_alone(emulator_thread: EmulatorThread) -> None:
    """Neither the emulator nor its Azurite has a port on any address but 127.0.0.1, IPv6 included."""
    ours = psutil.Process()
    listening = [
        connection.laddr.ip
        for process in (ours, *ours.children(recursive=True))
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}
    assert emulator_thread.emulator.blob_url.startswith("https://127.0.0.1:")
