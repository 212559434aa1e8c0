"""The control door: start anew, turn the clock, plan what goes wrong, and ask what was asked."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from aib_emulator import blob_control
from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.route import Route
from aib_emulator.faults import Fault, FaultError
from aib_emulator.settings import FASTEST
from aib_emulator.world import PlannedFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.world import World

Plan = TypeVar("Plan", Fault, PlannedFailure)

DOOR = "/_emulator"
LONGEST_ADVANCE = 1_000_000_000.0
"""Seconds: some thirty years."""
OPTIONAL_TEXT = (str, type(None))
JSON_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("method", "path", "action", "moment", "image_template", "kind"), str),
    **dict.fromkeys(("count", "skip", "status", "index", "exit_code"), int),
    **dict.fromkeys(("message", "code"), OPTIONAL_TEXT),
    "headers": dict,
    "output": list,
    "body": object,
}
"""Which kind of JSON each member of a plan is."""
APPLICATION_MEMBERS = ("client_id", "client_secret", "object_id")
FAILURE_KINDS = ("creation", "customizer", "validator", "hang", "partial")


def routes(world: World, reset: Callable[[], Awaitable[None]]) -> list[Route]:
    """Return the routes of the control door.

    :param reset: puts the whole emulator back to its start
    """
    control = Control(world, reset)
    table = [
        ("GET", "", control.get_state),
        ("POST", "/reset", control.post_reset),
        ("GET", "/clock", control.get_clock),
        ("PUT", "/clock", control.put_clock),
        ("POST", "/clock/advance", control.post_advance),
        ("GET", "/faults", control.get_faults),
        ("POST", "/faults", control.post_fault),
        ("DELETE", "/faults", control.delete_faults),
        ("GET", "/failures", control.get_failures),
        ("POST", "/failures", control.post_failure),
        ("DELETE", "/failures", control.delete_failures),
        ("POST", "/applications", control.post_application),
        ("PUT", "/data-roles", control.put_data_role),
        ("DELETE", "/data-roles", control.delete_data_roles),
        ("POST", "/platform-versions", control.post_platform_version),
        ("GET", "/requests", control.get_requests),
        ("DELETE", "/requests", control.delete_requests),
        *blob_control.rows(world),
    ]
    return [
        Route(method, DOOR + path, handle, needs_token=False, needs_api_version=False) for method, path, handle in table
    ]


class Control:
    """Answer the calls at the control door.

    :param world: what the services share
    :param reset: puts the whole emulator back to its start
    """

    def __init__(self, world: World, reset: Callable[[], Awaitable[None]]) -> None:
        self._world = world
        self._reset = reset

    async def get_state(self, _: Call) -> Answer:
        """Say that the emulator is up, and what time it is there."""
        return Answer(200, {"status": "up", "blob_url": self._world.blobs.public_url, "clock": self._clock()})

    async def post_reset(self, _: Call) -> Answer:
        """Forget everything and furnish the start world again."""
        await self._reset()
        return Answer(200, {"status": "reset"})

    async def get_clock(self, _: Call) -> Answer:
        """Show the clock."""
        return Answer(200, self._clock())

    async def put_clock(self, call: Call) -> Answer:
        """Set how fast the clock goes; 0 stops it."""
        self._world.clock.set_scale(_number(call.json(), "scale", FASTEST))
        return Answer(200, self._clock())

    async def post_advance(self, call: Call) -> Answer:
        """Put the clock forward; when this is answered, everything due by then has happened."""
        self._world.clock.advance(_number(call.json(), "seconds", LONGEST_ADVANCE))
        await self._world.schedule.settle()
        return Answer(200, self._clock())

    async def get_faults(self, _: Call) -> Answer:
        """List the faults that have strikes left."""
        return Answer(200, {"value": [asdict(fault) for fault in self._world.faults.pending()]})

    async def post_fault(self, call: Call) -> Answer:
        """Plan a fault of the transport."""
        try:
            fault = _built(Fault, call.json())
        except FaultError as error:
            raise ArmError(400, "InvalidFault", str(error)) from error
        return Answer(201, asdict(self._world.faults.plan(fault)))

    async def delete_faults(self, _: Call) -> Answer:
        """Forget the planned faults."""
        self._world.faults.clear()
        return Answer(204)

    async def get_failures(self, _: Call) -> Answer:
        """List the failures that have strikes left."""
        return Answer(200, {"value": [asdict(failure) for failure in self._pending_failures()]})

    async def post_failure(self, call: Call) -> Answer:
        """Plan that a creation or a run goes wrong."""
        sent = call.json()
        failure = _built(PlannedFailure, sent)
        if failure.kind not in FAILURE_KINDS:
            raise ArmError(400, "InvalidFailure", f"kind={failure.kind!r}: use one of {', '.join(FAILURE_KINDS)}.")
        self._world.failures[:] = [*self._pending_failures(), failure]
        return Answer(201, asdict(failure))

    async def delete_failures(self, _: Call) -> Answer:
        """Forget the planned failures."""
        self._world.failures.clear()
        return Answer(204)

    async def post_application(self, call: Call) -> Answer:
        """Register an application, which starts without any right; what is not given is made up."""
        sent = call.json()
        unknown = sorted(set(sent) - set(APPLICATION_MEMBERS))
        if unknown:
            known = ", ".join(APPLICATION_MEMBERS)
            raise ArmError(400, "UnknownMember", f"Unknown: {', '.join(unknown)}. Known: {known}.")
        for name, value in sent.items():
            if not isinstance(value, str):
                raise ArmError(400, "InvalidMember", f"{name} is of the wrong kind: write a text.")
        tenant_id = self._world.settings.tenant_id
        return Answer(201, {"tenant_id": tenant_id, **asdict(self._world.applications.register(**sent))})

    async def put_data_role(self, call: Call) -> Answer:
        """Say what a principal may do with an account's blobs; `*` is every principal, or every account."""
        sent = {"role": "", "account": "*", "object_id": "*", **call.json()}
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
        sent = call.json()
        names = [str(sent.get(name, "")) for name in ("publisher", "offer", "sku", "version")]
        try:
            self._world.compute.publish_platform_version(*names)
        except (LookupError, ValueError) as error:
            raise ArmError(400, "InvalidPlatformVersion", str(error)) from error
        return Answer(201, sent)

    async def get_requests(self, _: Call) -> Answer:
        """List what was asked since the last reset, oldest first."""
        return Answer(200, {"value": [request.to_json() for request in self._world.requests.all()]})

    async def delete_requests(self, _: Call) -> Answer:
        """Forget what was asked."""
        self._world.requests.clear()
        return Answer(204)

    def _pending_failures(self) -> list[PlannedFailure]:
        return [failure for failure in self._world.failures if failure.count > 0]

    def _clock(self) -> dict[str, Any]:
        return {"now": self._world.clock.now().isoformat(), "scale": self._world.clock.scale}


def _built(kind: type[Plan], sent: dict[str, Any]) -> Plan:
    known = {field.name for field in fields(kind)} & set(JSON_KINDS)
    unknown = sorted(set(sent) - known)
    if unknown:
        raise ArmError(400, "UnknownMember", f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    for name, value in sent.items():
        if isinstance(value, bool) or not isinstance(value, JSON_KINDS[name]):
            raise ArmError(400, "InvalidMember", f"{name}={value!r} is of the wrong kind.")
    return kind(**sent)


def _number(sent: dict[str, Any], name: str, most: float) -> float:
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ArmError(400, "InvalidNumber", f"{name}={value!r} must be a number from 0 to {most:.0f}.")
    return float(value)
