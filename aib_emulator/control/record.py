"""What was asked of the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call

if TYPE_CHECKING:
    from aib_emulator.control.reading import Table
    from aib_emulator.world import World


def table(world: World) -> Table:
    """Return what is answered about the record."""
    record = RecordDoor(world)
    return [
        ("GET", "/requests", record.get),
        ("DELETE", "/requests", record.delete),
    ]


class RecordDoor:
    """Answer the calls about the record.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._requests = world.requests

    async def get(self, _: Call) -> Answer:
        """List what was asked since the last reset, oldest first."""
        return Answer(200, {"value": [request.to_json() for request in self._requests.all()]})

    async def delete(self, _: Call) -> Answer:
        """Forget what was asked."""
        self._requests.clear()
        return Answer(204)
