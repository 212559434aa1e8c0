"""The world at the control door: whether it is up, its clock, its rights, its marketplace, and a fresh start."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.control.reading import check_members, number
from aib_emulator.settings import FASTEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.control.reading import Table
    from aib_emulator.world import World

LONGEST_ADVANCE = 1_000_000_000.0
"""Seconds: some thirty years."""
LARGEST_SKEW = 86_400.0 * 365
VERSION_NAMES = ("publisher", "offer", "sku", "version")
OF_NEW_IMAGES = ("os_type", "hyper_v_generation")


def table(world: World) -> Table:
    """Return what is answered about the world."""
    door = WorldDoor(world)
    return [
        ("GET", "", door.get_state),
        ("GET", "/clock", door.get_clock),
        ("PUT", "/clock", door.put_clock),
        ("POST", "/clock/advance", door.post_advance),
        ("PUT", "/data-roles", door.put_data_role),
        ("DELETE", "/data-roles", door.delete_data_roles),
        ("POST", "/platform-versions", door.post_platform_version),
        ("POST", "/platform-versions/withdraw", door.post_withdrawal),
    ]


def reset_table(reset: Callable[[], Awaitable[None]]) -> Table:
    """Return what is answered about a fresh start."""

    async def post_reset(_: Call) -> Answer:
        await reset()
        return Answer(200, {"status": "reset"})

    return [("POST", "/reset", post_reset)]


def description_table(describe: Callable[[], dict[str, Any]]) -> Table:
    """Return what is answered about the calls themselves."""

    async def get_openapi(_: Call) -> Answer:
        return Answer(200, describe())

    return [("GET", "/openapi.json", get_openapi)]


class WorldDoor:
    """Answer the calls about the world.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def get_state(self, _: Call) -> Answer:
        """Say that the emulator is up, and what time it is there."""
        return Answer(200, {"status": "up", "blob_url": self._world.blobs.public_url, "clock": self._clock()})

    async def get_clock(self, _: Call) -> Answer:
        """Show the clock."""
        return Answer(200, self._clock())

    async def put_clock(self, call: Call) -> Answer:
        """Set how fast the clock goes, 0 stops it, and by how much the service's clocks differ from the clients'."""
        sent, world = call.json(), self._world
        if "skew" in sent:
            world.clock.set_skew(timedelta(seconds=number(sent, "skew", LARGEST_SKEW, least=-LARGEST_SKEW)))
        if "scale" in sent or "skew" not in sent:
            world.clock.set_scale(number(sent, "scale", FASTEST))
        return Answer(200, self._clock())

    async def post_advance(self, call: Call) -> Answer:
        """Put the clock forward; when this is answered, everything due by then has happened."""
        self._world.clock.advance(number(call.json(), "seconds", LONGEST_ADVANCE))
        await self._world.schedule.settle()
        return Answer(200, self._clock())

    async def put_data_role(self, call: Call) -> Answer:
        """Say what a principal may do with an account's blobs; `*` is every principal, or every account."""
        sent = {"role": "", "account": "*", "object_id": "*", **call.json()}
        check_members(sent, dict.fromkeys(("role", "account", "object_id"), str))
        try:
            self._world.blobs.set_data_role(sent["role"], account=sent["account"], object_id=sent["object_id"])
        except ValueError as error:
            raise ArmError(400, "InvalidDataRole", f"{error}: use none, reader or contributor.") from error
        return Answer(200, sent)

    async def delete_data_roles(self, _: Call) -> Answer:
        """Let role assignments alone decide again who may read and write blobs."""
        self._world.blobs.clear_data_roles()
        return Answer(204)

    async def post_platform_version(self, call: Call) -> Answer:
        """Publish a new version of a marketplace image."""
        return Answer(201, _carried_out(self._world.compute.publish_platform_version, call, *OF_NEW_IMAGES))

    async def post_withdrawal(self, call: Call) -> Answer:
        """Withdraw a version of a marketplace image."""
        return Answer(200, _carried_out(self._world.compute.withdraw_platform_version, call))

    def _clock(self) -> dict[str, Any]:
        clock = self._world.clock
        return {"now": clock.now().isoformat(), "scale": clock.scale, "skew": clock.skew.total_seconds()}


def _carried_out(change: Callable[..., None], call: Call, *optional: str) -> dict[str, Any]:
    sent = call.json()
    check_members(sent, dict.fromkeys((*VERSION_NAMES, *optional), str))
    names = {name: sent.get(name, "") for name in VERSION_NAMES}
    try:
        change(**names, **{name: sent[name] for name in optional if name in sent})
    except (LookupError, ValueError) as error:
        raise ArmError(400, "InvalidPlatformVersion", str(error)) from error
    return sent
