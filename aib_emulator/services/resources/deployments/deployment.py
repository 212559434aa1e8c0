"""A deployment: it puts its resources one after the other, and ends an operation; a Process of the schedule."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.resources.deployments.lookups import Lookups
from aib_emulator.services.resources.deployments.outputs import FAILED, outputs_failure, read_outputs
from aib_emulator.services.resources.deployments.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.arm.call import Call
    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.resources.deployments.evaluation import Scope
    from aib_emulator.services.resources.deployments.place import Place
    from aib_emulator.services.resources.deployments.plan import Plan
    from aib_emulator.services.resources.deployments.request import DeploymentRequest
    from aib_emulator.world import World

SOMEDAY = datetime.max.replace(tzinfo=UTC)
"""When something is due that waits for others."""
ACTIVE = {"Accepted", "Running"}

KEPT = ("operation", "state", "error", "outputs")
"""What outlives an emulator, besides the call and the steps."""


class Deployment:
    """Put what a document asks for, as the one who asked.

    :param world: what the services share
    :param call: the call that began it
    :param name: its own
    :param place: where it goes
    :param request: what was asked for
    :param scope: what the document's expressions may ask for
    :param plan: what it puts
    :param operation: what pollers ask about
    """

    def __init__(
        self,
        world: World,
        call: Call,
        *,
        name: str,
        place: Place,
        request: DeploymentRequest,
        scope: Scope,
        plan: Plan,
        operation: Operation,
    ) -> None:
        self.name = name
        self.place = place
        self.request = request
        self.scope = scope
        self.plan = plan
        self.operation = operation
        self.state = "Accepted"
        self.error: dict[str, Any] | None = None
        self.outputs: dict[str, Any] = {}
        self.steps = [Step(resource) for resource in plan.resources]
        self._world = world
        self._call = call
        self._lookups = Lookups(world, call)

    @property
    def path(self) -> str:
        """Its id."""
        return f"{self.place.path}/providers/Microsoft.Resources/deployments/{self.name}"

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.state in ACTIVE

    def next_due(self) -> datetime | None:
        """Return when there is something to do; None when it is over."""
        if not self.is_active:
            return None
        running = [step for step in self.steps if step.state == "Running"]
        if not running or self._ready():
            return self.operation.started
        return min(_end_of(step) for step in running)

    async def perform_next(self) -> None:
        """Look at what was put, put what can be put now, and end when nothing is left."""
        self.state = "Running"
        now = self._world.clock.now()
        for step in self.steps:
            step.look(now)
        for step in self._ready():
            if self.is_active:  # else it was cancelled meanwhile
                await step.begin(self._world, self._call, self._lookups, self.plan)
                self._touch()
                self._listen_to(step)
        if self.is_active and not self._ready() and all(step.state != "Running" for step in self.steps):
            await self._finish()
        self._touch()

    def record(self) -> dict[str, Any]:
        """Return what a later emulator needs to go on with it: the call, and how far its steps are."""
        call = {name: getattr(self._call, name) for name in ("method", "path", "base_url")}
        call |= {name: dict(getattr(self._call, name)) for name in ("parameters", "query", "claims")}
        names = [field.name for field in fields(Step) if field.name != "resource"]
        steps = {step.resource.key: {name: getattr(step, name) for name in names} for step in self.steps}
        kept = {name: getattr(self, name) for name in KEPT}
        return {"call": call, "body": self._call.body.decode(), "steps": steps, **kept}

    def go_on(self, record: Mapping[str, Any]) -> None:
        """Take over how far it was; what was being put without an answer is put once more."""
        for name in KEPT:
            setattr(self, name, record[name])
        for step in self.steps:
            for name, value in record["steps"].get(step.resource.key, {}).items():
                setattr(step, name, value)
            if step.state == "Running" and step.operation is None:
                step.state = "Waiting"
            self._listen_to(step)
        self._look_again()

    def _listen_to(self, step: Step) -> None:
        if step.operation is not None:
            step.operation.listeners.append(self._look_again)

    def _touch(self) -> None:
        self._world.store.touch(ResourceId.parse(self.path))

    def _look_again(self) -> None:
        if self.is_active:
            self._world.schedule.add(self)

    def break_off(self, error: Exception) -> None:
        """End as ARM does when it fails itself."""
        del error
        self._fail("InternalServerError", "Encountered internal server error.", [])

    def cancel(self) -> None:
        """Put nothing any more; what services have begun goes on."""
        message = f"The deployment '{self.name}' was canceled."
        self._end("Canceled", {"code": "DeploymentCanceled", "message": message})

    def _ready(self) -> list[Step]:
        done = {step.resource.key for step in self.steps if step.state == "Succeeded"}
        known = {step.resource.key for step in self.steps}
        return [step for step in self.steps if step.state == "Waiting" and (step.resource.depends_on & known) <= done]

    async def _finish(self) -> None:
        failed = [step.error for step in self.steps if step.error is not None]
        if failed:
            self._fail(
                "DeploymentFailed",
                "At least one resource deployment operation failed. Please list deployment operations for details. "
                "Please see https://aka.ms/arm-deployment-operations for usage details.",
                failed,
            )
            return
        written = self.request.document.get("outputs") or {}
        scope = await self._lookups.scope(written, self.scope, self.plan)
        self.outputs, errors = read_outputs(written, scope)
        if errors:
            self._fail(FAILED, outputs_failure(errors), errors)
            return
        if self.request.mode == "Complete":
            await self._delete_others()
        self._end("Succeeded")

    async def _delete_others(self) -> None:
        kept = {step.resource.key for step in self.steps}
        for resource in others(self._world, self.place, kept):
            await self._world.delete(resource)

    def _fail(self, code: str, message: str, details: list[dict[str, Any]]) -> None:
        self._end("Failed", {"code": code, "target": self.path, "message": message, "details": details})

    def _end(self, state: str, error: dict[str, Any] | None = None) -> None:
        if self.is_active:  # whoever ends it first is right
            self.state, self.error = state, error
            self.operation.end(self._world.clock.now(), state, error)
            self._touch()


def others(world: World, place: Place, kept: set[str]) -> list[ResourceId]:
    """Return what lies in the group besides the resources whose lower-case ids are kept, without their parts."""
    found = world.store.list(
        subscription_id=place.subscription_id, resource_group_name=place.resource_group_name or "-"
    )
    return [
        resource.id
        for resource in found
        if resource.id.path
        and resource.id.parent is None
        and resource.id.namespace != "Microsoft.Resources"
        and not any(key == resource.id.key or key.startswith(f"{resource.id.key}/") for key in kept)
    ]


def _end_of(step: Step) -> datetime:
    ended = step.operation.ended if step.operation is not None else None
    return SOMEDAY if ended is None else ended
