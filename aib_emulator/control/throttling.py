"""Throttling at the control door: on with the documented numbers or others, off, and how it stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.throttling import DOCUMENTED, BucketSize
from aib_emulator.control.reading import number

if TYPE_CHECKING:
    from aib_emulator.control.reading import Table
    from aib_emulator.world import World

LARGEST_BUCKET = 1_000_000.0
SLOWEST_REFILL = 0.001


def table(world: World) -> Table:
    """Return what is answered about throttling."""
    door = ThrottleDoor(world)
    return [
        ("GET", "/throttling", door.get),
        ("PUT", "/throttling", door.put),
        ("DELETE", "/throttling", door.delete),
    ]


class ThrottleDoor:
    """Answer the calls about throttling.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._throttle = world.throttle

    async def get(self, _: Call) -> Answer:
        """Show the sizes of the buckets, and how many calls were refused."""
        return Answer(200, self._state())

    async def put(self, call: Call) -> Answer:
        """Switch throttling on, with full buckets."""
        sent = call.json()
        unknown = sorted(set(sent) - set(DOCUMENTED))
        if unknown:
            raise ArmError(400, "UnknownMember", f"Unknown: {', '.join(unknown)}. Known: {', '.join(DOCUMENTED)}.")
        self._throttle.switch({kind: _size(sent.get(kind), usual) for kind, usual in DOCUMENTED.items()})
        return Answer(200, self._state())

    async def delete(self, _: Call) -> Answer:
        """Switch throttling off."""
        self._throttle.switch(None)
        return Answer(204)

    def _state(self) -> dict[str, Any]:
        sizes = self._throttle.sizes
        buckets = None if sizes is None else {kind: asdict(size) for kind, size in sizes.items()}
        return {"is_on": sizes is not None, "buckets": buckets, "refused": self._throttle.refused}


def _size(sent: Any, usual: BucketSize) -> BucketSize:
    if sent is None:
        return usual
    if not isinstance(sent, dict):
        raise ArmError(400, "InvalidMember", f"{sent!r} is no bucket: write size and refill_per_second.")
    wanted = {**asdict(usual), **sent}
    size = number(wanted, "size", LARGEST_BUCKET, least=1)
    return BucketSize(int(size), number(wanted, "refill_per_second", LARGEST_BUCKET, least=SLOWEST_REFILL))
