"""Copies a VHD in a process of its own, which a test may kill: it reads what to copy as one line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from airflow_aib.hooks.clients import AzureClients
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.vhd_copy import copy_vhd
from airflow_aib.vhd.copy_options import CopyOptions


async def copy(connection: dict[str, Any], source: str, destination: str, options: dict[str, Any]) -> dict[str, Any]:
    """Copy, and return the result as JSON.

    :param connection: as the emulator hands it out
    """
    known = {key: connection[key] for key in ("conn_type", "login", "password", "extra")}
    async with AzureClients(settings_from_connection(**known)) as clients:
        result = await copy_vhd(clients, source, destination, options=CopyOptions(**options))
    return result.to_json()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(copy(**json.loads(sys.stdin.readline())))))
