"""Role definitions and role assignments over HTTP, at any scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import resource_not_found
from aib_emulator.arm.paging import page
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.route import SCOPE, Route
from aib_emulator.services.authorization.filters import read_filter
from aib_emulator.services.authorization.resources import Authorization
from aib_emulator.services.authorization.shapes import (
    ASSIGNMENT_TYPE,
    DEFINITION_TYPE,
    NAMESPACE,
    ROLE_SHAPE,
    RoleAssignment,
    RoleDefinition,
    assignment_body,
    assignment_not_found,
    definition_body,
)

if TYPE_CHECKING:
    from aib_emulator.world import World

KEPT_NAMESPACES = (
    "microsoft.compute",
    "microsoft.managedidentity",
    "microsoft.storage",
    "microsoft.virtualmachineimages",
)
"""Of these the emulator knows each resource; a subnet is taken on trust."""
TENANT = "/"


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.Authorization."""
    authorization = world.access
    if not isinstance(authorization, Authorization):
        raise TypeError(f"The routes of {NAMESPACE} need Authorization, not {type(authorization).__name__}.")
    roles, assignments = RoleRoutes(world, authorization), AssignmentRoutes(world, authorization)
    every_role, every_assignment = f"/providers/{DEFINITION_TYPE}", f"/providers/{ASSIGNMENT_TYPE}"
    role, assignment = f"{every_role}/{{role_id}}", f"{every_assignment}/{{assignment_id}}"
    return [
        # The built-in roles belong to no subscription: whoever may read roles anywhere may read them here.
        Route("GET", every_role, roles.list, f"{DEFINITION_TYPE}/read", is_for_anywhere=True),
        Route("GET", role, roles.get, f"{DEFINITION_TYPE}/read", is_for_anywhere=True),
        Route("GET", SCOPE + every_role, roles.list, f"{DEFINITION_TYPE}/read"),
        Route("GET", SCOPE + role, roles.get, f"{DEFINITION_TYPE}/read"),
        Route("PUT", SCOPE + role, roles.put, f"{DEFINITION_TYPE}/write"),
        Route("DELETE", SCOPE + role, roles.delete, f"{DEFINITION_TYPE}/delete"),
        Route("GET", SCOPE + every_assignment, assignments.list, f"{ASSIGNMENT_TYPE}/read"),
        Route("GET", SCOPE + assignment, assignments.get, f"{ASSIGNMENT_TYPE}/read"),
        Route("PUT", SCOPE + assignment, assignments.put, f"{ASSIGNMENT_TYPE}/write"),
        Route("DELETE", SCOPE + assignment, assignments.delete, f"{ASSIGNMENT_TYPE}/delete"),
    ]


class RoleRoutes:
    """Answer the calls about roles.

    :param world: what the services share
    :param authorization: keeps them
    """

    def __init__(self, world: World, authorization: Authorization) -> None:
        self._world = world
        self._authorization = authorization

    async def list(self, call: Call) -> Answer:
        """List the roles that may be assigned at a scope."""
        found = self._authorization.list_roles(_scope(call), read_filter(call.query.get("$filter", "")))
        values = [self._body(role) for role in found]
        return Answer(200, page(call, values, self._world.settings.list_page_size))

    async def get(self, call: Call) -> Answer:
        """Show a role."""
        return Answer(200, self._body(self._authorization.find_role(call.parameters["role_id"], _scope(call))))

    async def put(self, call: Call) -> Answer:
        """Make or change a custom role."""
        role, is_new = self._authorization.put_role(call.parameters["role_id"], call.json(ROLE_SHAPE))
        return Answer(201 if is_new else 200, self._body(role))

    async def delete(self, call: Call) -> Answer:
        """Delete a custom role, and show what it was."""
        role = self._authorization.delete_role(call.parameters["role_id"])
        return Answer(204) if role is None else Answer(200, self._body(role))

    def _body(self, role: RoleDefinition) -> dict[str, object]:
        return definition_body(role, self._world.settings.subscription_id)


class AssignmentRoutes:
    """Answer the calls about role assignments.

    :param world: what the services share
    :param authorization: keeps them
    """

    def __init__(self, world: World, authorization: Authorization) -> None:
        self._world = world
        self._authorization = authorization

    async def list(self, call: Call) -> Answer:
        """List the assignments at, above and below a scope."""
        found = self._authorization.list_assignments(_scope(call), read_filter(call.query.get("$filter", "")))
        values = [self._body(assignment) for assignment in found]
        return Answer(200, page(call, values, self._world.settings.list_page_size))

    async def get(self, call: Call) -> Answer:
        """Show an assignment."""
        name = call.parameters["assignment_id"]
        assignment = self._authorization.find_assignment(_scope(call), name)
        if assignment is None:
            raise assignment_not_found(name)
        return Answer(200, self._body(assignment))

    async def put(self, call: Call) -> Answer:
        """Assign a role."""
        scope, name = _scope(call), call.parameters["assignment_id"]
        self._demand_resource(scope)
        created_by = str(call.claims.get("oid", ""))
        assignment, is_new = self._authorization.put_assignment(scope, name, call.json(), created_by)
        return Answer(201 if is_new else 200, self._body(assignment))

    async def delete(self, call: Call) -> Answer:
        """Take a role away again, and show what it was."""
        assignment = self._authorization.find_assignment(_scope(call), call.parameters["assignment_id"])
        if assignment is None:
            return Answer(204)
        self._authorization.delete_assignment(assignment)
        return Answer(200, self._body(assignment))

    def _body(self, assignment: RoleAssignment) -> dict[str, object]:
        return assignment_body(assignment, self._world.settings.subscription_id)

    def _demand_resource(self, scope: str) -> None:
        resource_id = ResourceId.parse(scope)
        if (resource_id.namespace or "").lower() not in KEPT_NAMESPACES:
            return
        # A blob container, say, is kept by its account.
        whole = ResourceId(
            resource_id.subscription_id, resource_id.resource_group_name, resource_id.namespace, resource_id.path[:2]
        )
        if self._world.store.get(whole) is None:
            raise resource_not_found(whole.resource_type, whole.name, whole.resource_group_name)


def _scope(call: Call) -> str:
    return call.parameters.get("scope", TENANT)
