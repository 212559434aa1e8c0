"""An emulator with a fleet whose builds write logs, each in a staging account of its own; a process of its own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aib_emulator.blob_front.access import DataRole
from aib_emulator.services.image_builder.effects import LOG_CONTAINER
from aib_emulator.services.image_builder.staging import make_staging
from aib_emulator.services.image_builder.timeline import Phase, Timeline
from aib_emulator.settings import EmulatorSettings
from tests.bench.fleet_azure import Fleet, FleetEmulator, serve
from tests.bench.relay_logs import LogCourse

if TYPE_CHECKING:
    from datetime import datetime

# Seconds between two writes of one log: whoever writes it gathers what it has to say.
BETWEEN_WRITES = 20
AT_ONCE = 8


class RelayEmulator(FleetEmulator):
    """Be an emulator whose builds all write a log until they are over.

    :param settings: what it is told
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        super().__init__(settings)
        self.begun = 0.0
        self.accounts: list[str] = []
        self.written: list[int] = []
        self.in_time: list[int] = []
        self._writing: asyncio.Task[None] | None = None

    async def furnish_fleet(self, fleet: Fleet) -> None:
        """Put image templates there, and have their logs written from now on."""
        self.fleet = fleet
        for number in range(len(fleet.ends)):
            image_template = self.put_image_template(number)
            await make_staging(self.world, image_template)
            self.accounts.append(image_template.staging_account)
        self.world.blobs.set_data_role(DataRole.READER, account="*", object_id="*")
        self.begun = time.time()
        courses = [LogCourse(number, self.begun, end) for number, end in enumerate(fleet.ends)]
        self.written, self.in_time = [0] * len(courses), [0] * len(courses)
        self._writing = asyncio.create_task(self._write(courses))

    def timeline(self, number: int, _: dict[str, Any], now: datetime) -> Timeline:
        """Have it build from now on until its end."""
        end = self.fleet.end_of(number)
        return Timeline((Phase("customize", 0, now, end, (end - now).total_seconds()),))

    async def report(self) -> dict[str, Any]:
        """Say what was asked of it, and how many lines each log had when its run was called over."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        record = self.world.requests
        reads = [request for request in record.all() if request.endpoint == "blob"]
        return {
            **await super().report(),
            "begun": self.begun,
            "in_time": self.in_time,
            "blob_requests": len(reads),
            "blob_connections": record.connections()["blob"]["connections"],
        }

    async def _write(self, courses: list[LogCourse]) -> None:
        gate, going_on, second = asyncio.Semaphore(AT_ONCE), courses, 0
        while going_on:
            due = [
                course
                for course in going_on
                # All begin at once: a run without a log would be looked for again and again.
                if not second or (course.number - second) % BETWEEN_WRITES == 0 or course.is_done(time.time())
            ]
            await asyncio.gather(*(self._append(course, gate) for course in due))
            going_on = [course for course in going_on if not (course in due and course.is_done(time.time() - 1))]
            second += 1
            await asyncio.sleep(1)

    async def _append(self, course: LogCourse, gate: asyncio.Semaphore) -> None:
        async with gate:
            first, end = self.written[course.number], course.lines_at(time.time())
            if end > first or not first:
                text = course.text(first, max(end, first + 1))
                blob = f"{course.number:06}/customization.log"
                await self.world.blobs.append_text(self.accounts[course.number], LOG_CONTAINER, blob, text)
                self.written[course.number] = max(end, first + 1)
                if time.time() < course.ends:
                    self.in_time[course.number] = self.written[course.number]


if __name__ == "__main__":
    asyncio.run(serve(RelayEmulator(EmulatorSettings())))
