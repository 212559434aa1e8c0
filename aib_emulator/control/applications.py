"""Applications at the control door: who may sign in besides the first."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.control.reading import check_members

if TYPE_CHECKING:
    from aib_emulator.control.reading import Kinds, Table
    from aib_emulator.world import World

APPLICATION_MEMBERS: Kinds = dict.fromkeys(("client_id", "client_secret", "object_id"), str)


def table(world: World) -> Table:
    """Return what is answered about applications."""
    return [("POST", "/applications", ApplicationDoor(world).post)]


class ApplicationDoor:
    """Answer the calls about applications.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def post(self, call: Call) -> Answer:
        """Register an application, which starts without any right; what is not given is made up."""
        sent = call.json()
        check_members(sent, APPLICATION_MEMBERS)
        tenant_id = self._world.settings.tenant_id
        return Answer(201, {"tenant_id": tenant_id, **asdict(self._world.applications.register(**sent))})
