"""One resource of a deployment on its way."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.arm.call import Answer, Call
    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.resources.deployments.lookups import Lookups
    from aib_emulator.services.resources.deployments.plan import Plan, PlannedResource
    from aib_emulator.world import World

STATUS_WORDS = {200: "OK", 201: "Created", 202: "Accepted", 204: "NoContent", 400: "BadRequest", 403: "Forbidden"}
STATUS_WORDS |= {404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict"}


@dataclass
class Step:
    """Follow one resource from the plan to its end.

    :param resource: what is put
    :param state: `Waiting`, `Running`, `Succeeded` or `Failed`
    :param started: when it was put
    :param ended: when it was there, or had failed
    :param status: how its service answered
    :param operation: what its service does, when that takes time
    :param error: why it failed, in ARM's form
    """

    resource: PlannedResource
    state: str = "Waiting"
    started: datetime | None = None
    ended: datetime | None = None
    status: str = ""
    operation: Operation | None = None
    error: dict[str, Any] | None = None

    async def begin(self, world: World, call: Call, lookups: Lookups, plan: Plan) -> None:
        """Put the resource, as the one who deploys."""
        now = world.clock.now()
        self.state, self.started = "Running", now
        resource = self.resource
        try:
            scope = await lookups.scope(resource.sent, resource.scope, plan)
            answer = await world.send(put_call(call, resource, resource.body(scope)))
        except ExpressionError as error:
            self.fail(now, {"code": "InvalidTemplate", "message": _not_evaluated(resource, error)}, "BadRequest")
        except ArmError as error:
            self.fail(now, {"code": error.code, "target": resource.resource_id, "message": error.message}, error.status)
        else:
            self.status = STATUS_WORDS.get(answer.status, str(answer.status))
            self.operation = _operation(world, answer)
            if self.operation is None:
                self.state, self.ended = "Succeeded", now

    def look(self, now: datetime) -> None:
        """Take over the end of what its service does."""
        operation = self.operation
        if self.state != "Running" or operation is None or operation.ended is None or not operation.is_over(now):
            return
        if operation.outcome == "Succeeded":
            self.state, self.ended = "Succeeded", operation.ended
            return
        self.fail(operation.ended, _resource_failure(self.resource.resource_id, operation), "Conflict")

    def fail(self, at: datetime, error: dict[str, Any], status: int | str) -> None:
        """End badly."""
        self.state, self.ended, self.error = "Failed", at, error
        self.status = STATUS_WORDS.get(status, str(status)) if isinstance(status, int) else status


def put_call(call: Call, resource: PlannedResource, body: dict[str, Any]) -> Call:
    """Return the call that puts a resource."""
    return replace(
        call,
        method="PUT",
        path=resource.resource_id,
        query={"api-version": resource.api_version},
        body=json.dumps(body).encode(),
    )


def _operation(world: World, answer: Answer) -> Operation | None:
    url = answer.headers.get("Azure-AsyncOperation", "")
    return world.operations.find(url.partition("?")[0].rpartition("/")[2]) if url else None


def _resource_failure(resource_id: str, operation: Operation) -> dict[str, Any]:
    return {
        "code": "ResourceDeploymentFailure",
        "target": resource_id,
        "message": "The resource write operation failed to complete successfully, because it reached terminal "
        f"provisioning state '{operation.outcome}'.",
        "details": [dict(operation.error)] if operation.error else [],
    }


def _not_evaluated(resource: PlannedResource, error: ExpressionError) -> str:
    return f"Unable to process template language expressions for resource '{resource.resource_id}'. '{error}'"
