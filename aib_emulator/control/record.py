"""What was asked of the emulator: all of it, a part of it, or how many of what; and which runs that began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.request_record import RequestFilter, RequestFilterError, counted

if TYPE_CHECKING:
    from aib_emulator.control.reading import Table
    from aib_emulator.world import World

COUNT = "count"
KNOWN = (COUNT, "client", "method", "path", "status", "endpoint")


def table(world: World) -> Table:
    """Return what is answered about the record."""
    record = RecordDoor(world)
    return [
        ("GET", "/requests", record.get),
        ("DELETE", "/requests", record.delete),
        ("GET", "/connections", record.get_connections),
        ("GET", "/runs", record.get_runs),
    ]


class RecordDoor:
    """Answer the calls about the record.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._requests = world.requests

    async def get(self, call: Call) -> Answer:
        """List or count what was asked since the last reset, oldest first."""
        unknown = sorted(set(call.query) - set(KNOWN))
        if unknown:
            raise ArmError(400, "UnknownMember", f"Unknown: {', '.join(unknown)}. Known: {', '.join(KNOWN)}.")
        wanted = {name: value for name, value in call.query.items() if name != COUNT}
        try:
            found = self._requests.fitting(RequestFilter(**wanted))
            by = call.query.get(COUNT)
            counts = None if by is None else counted(found, by.removeprefix("by-"))
        except RequestFilterError as error:
            raise ArmError(400, "InvalidFilter", str(error)) from error
        value = [request.to_json() for request in found] if counts is None else counts
        return Answer(200, {"value": value, "total": len(found), "forgotten": self._requests.forgotten()})

    async def get_connections(self, _: Call) -> Answer:
        """Count connections, TLS handshakes and token requests."""
        return Answer(200, self._requests.connections())

    async def get_runs(self, _: Call) -> Answer:
        """List the runs that have begun since the last reset, oldest first, as their image templates describe them."""
        now, runs = self._world.clock.now(), self._world.runs
        value = [{"image_template_id": run.image_template_path, **run.last_run_status(now)} for run in runs]
        return Answer(200, {"value": value})

    async def delete(self, _: Call) -> Answer:
        """Forget what was asked."""
        self._requests.clear()
        return Answer(204)
