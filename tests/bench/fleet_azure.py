"""An emulator with a fleet: image templates whose runs go on, and as many virtual machines; a process of its own.

It reads one line of JSON, how many of each there are and when which of them end, and says how it is reached. With a
second line it ends, and says what was asked of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aib_emulator.app import Emulator
from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.route import GROUP, Route
from aib_emulator.services.image_builder.desk import KEPT_AS
from aib_emulator.services.image_builder.resources import RESOURCE_TYPE, ImageTemplate, completed
from aib_emulator.services.image_builder.run import ImageRun
from aib_emulator.services.image_builder.timeline import Timeline, plan_run
from aib_emulator.settings import EmulatorSettings
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOURCE_GROUP = "images"
INSTANCE_VIEW = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{{name}}/instanceView"
# As large as image templates with a dozen scripts are.
SCRIPT = [f"echo step {number}: install, configure and verify one of many packages" for number in range(130)]


@dataclass(frozen=True)
class Fleet:
    """Say what there is.

    :param ends: seconds since the epoch at which each ends; far away for those that go on
    """

    ends: Sequence[float]

    def end_of(self, number: int) -> datetime:
        """When one of them ends."""
        return datetime.fromtimestamp(self.ends[number], UTC)


class FleetEmulator(Emulator):
    """Be an emulator that also answers how a virtual machine is doing.

    :param settings: what it is told
    """

    fleet = Fleet(())

    async def furnish_fleet(self, fleet: Fleet) -> None:
        """Put image templates there whose runs go on."""
        self.fleet = fleet
        for number in range(len(fleet.ends)):
            self.put_image_template(number)

    def timeline(self, number: int, properties: dict[str, Any], now: datetime) -> Timeline:
        """Lay out the course of a run, as it is when it ends then."""
        length = plan_run(properties, now).end - now
        return plan_run(properties, self.fleet.end_of(number) - length)

    async def report(self) -> dict[str, Any]:
        """Say what was asked of it."""
        record = self.world.requests
        connections = record.connections()
        total = len(record.all()) + record.forgotten() - connections["token_requests"]
        return {
            "requests": total,
            "lists": sum(request.path.lower().endswith("/imagetemplates") for request in record.all()),
            "handshakes": connections["arm"]["connections"],
            "tokens": connections["token_requests"],
        }

    def _routes(self) -> list[Route]:
        return [*super()._routes(), Route("GET", INSTANCE_VIEW, self._instance_view)]

    async def _instance_view(self, call: Call) -> Answer:
        is_over = self.world.clock.now() >= self.fleet.end_of(int(call.parameters["name"]))
        power = "deallocated" if is_over else "running"
        codes = ("ProvisioningState/succeeded", f"PowerState/{power}")
        return Answer(200, {"statuses": [{"code": code, "level": "Info"} for code in codes]})

    def put_image_template(self, number: int) -> ImageTemplate:
        """Put one image template there, whose run goes on."""
        world = self.world
        place = f"/subscriptions/{self.settings.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
        resource_id = ResourceId.parse(f"{place}/providers/{RESOURCE_TYPE}/{number}")
        image_template = ImageTemplate(resource_id, "eastus", {}, {"type": "None"}, completed(_properties()))
        image_template.state = "provisioned"
        start = world.clock.now()
        timeline = self.timeline(number, image_template.properties, start)
        run = ImageRun(image_template, timeline, world.operations.start(start))
        run.expect(())
        image_template.run = run
        world.schedule.add(run)
        resource = Resource(resource_id, {}, created=start, changed=start)
        resource.private[KEPT_AS] = image_template
        world.store.put(resource)
        return image_template


def _properties() -> dict[str, Any]:
    source = {
        "type": "PlatformImage",
        "publisher": "Canonical",
        "offer": "ubuntu",
        "sku": "server",
        "version": "latest",
    }
    return {
        "source": source,
        "customize": [{"type": "Shell", "name": "all", "inline": SCRIPT}],
        "distribute": [{"type": "VHD", "runOutputName": "disk"}],
    }


async def serve(emulator: FleetEmulator) -> None:
    """Serve until told to end."""
    asked = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await emulator.start()
    try:
        now = emulator.world.clock.now()
        ends = [(now + timedelta(seconds=end)).timestamp() for end in asked["ends"]]
        await emulator.furnish_fleet(Fleet(ends))
        say(connection=emulator.airflow_connection(), environment=emulator.environment(), ends=ends)
        await asyncio.to_thread(sys.stdin.readline)
        say(**await emulator.report())
    finally:
        await emulator.stop()


def say(**facts: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(FleetEmulator(EmulatorSettings())))
