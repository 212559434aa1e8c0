"""Choices at the control door: which of the answers that nobody knows of the service are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.choices import ChoiceError

if TYPE_CHECKING:
    from aib_emulator.control.reading import Table
    from aib_emulator.world import World


def table(world: World) -> Table:
    """Return what is answered about choices."""
    door = ChoiceDoor(world)
    return [("GET", "/choices", door.get), ("PUT", "/choices", door.put)]


class ChoiceDoor:
    """Answer the calls about choices.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._choices = world.choices

    async def get(self, _: Call) -> Answer:
        """Show every choice."""
        return Answer(200, self._choices.all())

    async def put(self, call: Call) -> Answer:
        """Choose otherwise, until the next reset."""
        try:
            self._choices.change(call.json())
        except (ChoiceError, TypeError) as error:
            raise ArmError(400, "InvalidChoice", str(error)) from error
        return Answer(200, self._choices.all())
