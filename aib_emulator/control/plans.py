"""What is planned to go wrong: faults of the transport, failures of creations and runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.control.reading import built, missing
from aib_emulator.failures import PlannedFailure, PlannedFailureError
from aib_emulator.faults import Fault, FaultError
from aib_emulator.services.image_builder.failure_catalogue import completed

if TYPE_CHECKING:
    from aib_emulator.control.reading import Kinds, Table
    from aib_emulator.world import World

NONE = type(None)
FAULT_MEMBERS: Kinds = {
    **dict.fromkeys(("method", "path", "client", "action", "moment"), str),
    **dict.fromkeys(("skip", "seed", "status", "bytes_per_second"), int),
    **dict.fromkeys(("count", "retry_after", "retry_after_ms"), (int, NONE)),
    **dict.fromkeys(("probability", "seconds"), (int, float)),
    "headers": dict,
    "body": object,
}
FAILURE_MEMBERS: Kinds = {
    **dict.fromkeys(("image_template", "kind", "name", "at", "moment", "log_form"), str),
    **dict.fromkeys(("count", "index", "exit_code"), int),
    **dict.fromkeys(("message", "code"), (str, NONE)),
    **dict.fromkeys(("output", "indexes"), list),
    "seconds": (int, float, NONE),
}
"""Which kind of JSON each member of a plan is."""


def table(world: World) -> Table:
    """Return what is answered about plans."""
    faults, failures = FaultDoor(world), FailureDoor(world)
    return [
        ("GET", "/faults", faults.get_all),
        ("POST", "/faults", faults.post),
        ("DELETE", "/faults", faults.clear),
        ("GET", "/faults/{fault_id}", faults.get),
        ("DELETE", "/faults/{fault_id}", faults.delete),
        ("GET", "/failures", failures.get_all),
        ("POST", "/failures", failures.post),
        ("DELETE", "/failures", failures.clear),
        ("DELETE", "/failures/{failure_id}", failures.delete),
    ]


class FaultDoor:
    """Answer the calls about faults.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._faults = world.faults

    async def get_all(self, _: Call) -> Answer:
        """List the faults, those that are used up among them, with how often each has struck."""
        return Answer(200, {"value": [asdict(fault) for fault in self._faults.all()]})

    async def post(self, call: Call) -> Answer:
        """Plan a fault of the transport."""
        try:
            fault = built(Fault, call.json(), FAULT_MEMBERS)
        except FaultError as error:
            raise ArmError(400, "InvalidFault", str(error)) from error
        return Answer(201, asdict(self._faults.plan(fault)))

    async def get(self, call: Call) -> Answer:
        """Show one fault."""
        fault = self._faults.find(call.parameters["fault_id"])
        if fault is None:
            raise missing("fault", call.parameters["fault_id"])
        return Answer(200, asdict(fault))

    async def delete(self, call: Call) -> Answer:
        """Forget one fault."""
        if not self._faults.remove(call.parameters["fault_id"]):
            raise missing("fault", call.parameters["fault_id"])
        return Answer(204)

    async def clear(self, _: Call) -> Answer:
        """Forget the planned faults."""
        self._faults.clear()
        return Answer(204)


class FailureDoor:
    """Answer the calls about failures.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._failures = world.failures

    async def get_all(self, _: Call) -> Answer:
        """List the failures that have strikes left."""
        return Answer(200, {"value": [asdict(failure) for failure in self._failures.pending()]})

    async def post(self, call: Call) -> Answer:
        """Plan that something goes wrong with an image template."""
        try:
            failure = completed(built(PlannedFailure, call.json(), FAILURE_MEMBERS))
        except PlannedFailureError as error:
            raise ArmError(400, "InvalidFailure", str(error)) from error
        return Answer(201, asdict(self._failures.plan(failure)))

    async def delete(self, call: Call) -> Answer:
        """Forget one failure."""
        if not self._failures.remove(call.parameters["failure_id"]):
            raise missing("failure", call.parameters["failure_id"])
        return Answer(204)

    async def clear(self, _: Call) -> Answer:
        """Forget the planned failures."""
        self._failures.clear()
        return Answer(204)
