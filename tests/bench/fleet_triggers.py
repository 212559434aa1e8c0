"""The peer's trigger at another endpoint, and one that measures the event loop that triggers share."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.microsoft.azure.hooks import compute as official_hooks
from airflow.providers.microsoft.azure.triggers.compute import AzureVirtualMachineStateTrigger
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TICK = 0.05
compute: Any = official_hooks
_client = compute.AsyncComputeManagementClient


class VirtualMachineTrigger(AzureVirtualMachineStateTrigger):
    """Be the official trigger, whose hook knows no other endpoint than the public cloud's.

    :param endpoint: address of Resource Manager
    """

    def __init__(self, endpoint: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.endpoint = endpoint
        scopes = [f"{endpoint}/.default"]
        compute.AsyncComputeManagementClient = partial(_client, base_url=endpoint, credential_scopes=scopes)


class LoopDelayTrigger(BaseTrigger):
    """Tell how late the event loop is, again and again.

    :param seconds: for how long at a time
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what makes the same trigger anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"seconds": self.seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Send the delays of each tick."""
        while True:
            end, delays = time.monotonic() + self.seconds, []
            while (before := time.monotonic()) < end:
                await asyncio.sleep(TICK)
                delays.append(round(time.monotonic() - before - TICK, 4))
            yield TriggerEvent(delays)  # type: ignore[no-untyped-call]  # Airflow's own


class LogFloodTrigger(BaseTrigger):
    """Write into the task's log as fast as it goes, in records as large as those of a relay.

    :param count: bytes
    """

    def __init__(self, count: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.count = count

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what makes the same trigger anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"count": self.count}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Write, then send how long the event loop was held up."""
        record, held_up = "\n".join(["flood ".ljust(99, ".")] * 100), 0.0
        for _ in range(self.count // len(record)):
            before = time.monotonic()
            self.log.info("%s", record)
            held_up = max(held_up, time.monotonic() - before)
            await asyncio.sleep(0)
        yield TriggerEvent(held_up)  # type: ignore[no-untyped-call]  # Airflow's own
