"""What roles and role assignments look like, and how a role assignment that is put is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.time_format import ticks_text
from aib_emulator.services.authorization.permissions import MEMBERS, Permissions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAMESPACE = "Microsoft.Authorization"
ASSIGNMENT_TYPE = f"{NAMESPACE}/roleAssignments"
DEFINITION_TYPE = f"{NAMESPACE}/roleDefinitions"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ROLE_ID = re.compile(rf"(?P<scope>/.*?)?/?providers/{DEFINITION_TYPE}/(?P<name>[^/]+)", re.IGNORECASE)
BUILTIN, CUSTOM = "BuiltInRole", "CustomRole"
ROLE_SHAPE = {"properties": {"permissions": [{member: [str] for member in MEMBERS}]}}


@dataclass(frozen=True)
class RoleDefinition:
    """Keep one role.

    :param name: its id, a GUID
    :param role_name: what people call it
    :param role_type: `BuiltInRole` or `CustomRole`
    :param permissions: what it permits, block by block
    :param scopes: where it may be assigned
    :param description: what it says about itself
    :param created: when it was put; None for those that have always been there
    """

    name: str
    role_name: str
    role_type: str
    permissions: tuple[Permissions, ...]
    scopes: tuple[str, ...] = ("/",)
    description: str = ""
    created: datetime | None = None

    def allows(self, action: str, *, is_data: bool = False) -> bool:
        """Whether it permits an action."""
        return any(block.allow(action, is_data=is_data) for block in self.permissions)


@dataclass(frozen=True)
class RoleAssignment:
    """Keep one role assignment.

    :param name: its id, a GUID
    :param scope: where it holds, as it was written
    :param role_name: id of the role, in lower case
    :param principal_id: who has the role
    :param principal_type: such as `ServicePrincipal`
    :param created: when it was put
    :param created_by: object id of who put it
    :param more: description and condition, as they were sent
    """

    name: str
    scope: str
    role_name: str
    principal_id: str
    principal_type: str
    created: datetime
    created_by: str = ""
    more: tuple[tuple[str, Any], ...] = ()


def definition_body(role: RoleDefinition, subscription_id: str) -> dict[str, Any]:
    """Return a role as answers show it."""
    stamp = ticks_text(role.created) if role.created else "2015-02-02T21:55:09.8806423Z"
    return {
        "properties": {
            "roleName": role.role_name,
            "type": role.role_type,
            "description": role.description,
            "assignableScopes": list(role.scopes),
            "permissions": [block.to_json() for block in role.permissions],
            "createdOn": stamp,
            "updatedOn": stamp,
            "createdBy": None,
            "updatedBy": None,
        },
        "id": role_id(role.name, subscription_id),
        "type": DEFINITION_TYPE,
        "name": role.name,
    }


def assignment_body(assignment: RoleAssignment, subscription_id: str) -> dict[str, Any]:
    """Return a role assignment as answers show it."""
    stamp = ticks_text(assignment.created)
    more = {"condition": None, "conditionVersion": None, "description": None, **dict(assignment.more)}
    return {
        "properties": {
            "roleDefinitionId": role_id(assignment.role_name, subscription_id),
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": more["condition"],
            "conditionVersion": more["conditionVersion"],
            "createdOn": stamp,
            "updatedOn": stamp,
            "createdBy": assignment.created_by,
            "updatedBy": assignment.created_by,
            "delegatedManagedIdentityResourceId": None,
            "description": more["description"],
        },
        "id": f"{assignment.scope.rstrip('/')}/providers/{ASSIGNMENT_TYPE}/{assignment.name}",
        "type": ASSIGNMENT_TYPE,
        "name": assignment.name,
    }


def role_id(name: str, subscription_id: str) -> str:
    """Return the resource id of a role, which names the subscription whatever the scope that was asked."""
    return f"/subscriptions/{subscription_id}/providers/{DEFINITION_TYPE}/{name}"


def role_name_of(resource_id: str) -> str:
    """Return the GUID at the end of a role's resource id, in lower case."""
    match = ROLE_ID.fullmatch(resource_id)
    if match is None:
        raise ArmError(400, "InvalidRoleDefinitionId", f"The role definition ID '{resource_id}' is not valid.")
    return match["name"].lower()


def demand_guid(name: str, what: str) -> None:
    """Raise what the service answers to a name that is no GUID."""
    if not GUID.fullmatch(name):
        code = f"Invalid{''.join(word.capitalize() for word in what.split())}Id"
        message = f"The {what} ID '{name}' is not valid. The {what} ID must be a GUID."
        raise ArmError(400, code, message)


def properties_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent in `properties`, which must be there."""
    properties = sent.get("properties")
    if not isinstance(properties, dict):
        raise ArmError(400, "BadRequestFormat", "The request was incorrectly formatted: it has no 'properties'.")
    return properties


def role_members(properties: Mapping[str, Any]) -> tuple[str, tuple[str, ...], tuple[Permissions, ...]]:
    """Return name, assignable scopes and permissions of a custom role, or refuse it."""
    role_name, scopes, blocks = (properties.get(member) for member in ("roleName", "assignableScopes", "permissions"))
    if not isinstance(role_name, str) or not role_name:
        raise _bad_role("'roleName' is missing")
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise _bad_role("'assignableScopes' must be a list of at least one scope")
    if not isinstance(blocks or [], list) or not all(isinstance(block, dict) for block in blocks or []):
        raise _bad_role("'permissions' must be a list of objects")
    return role_name, tuple(scopes), tuple(Permissions.from_json(block) for block in blocks or [])


def _bad_role(what: str) -> ArmError:
    return ArmError(400, "InvalidRoleDefinition", f"The role definition is not valid: {what}.")


def role_not_found(name: str, status: int = 404) -> ArmError:
    """Return the service's answer about a role that does not exist; 400 where a body names it."""
    message = f"The specified role definition with ID '{name.replace('-', '')}' does not exist."
    return ArmError(status, "RoleDefinitionDoesNotExist", message)


def assignment_not_found(name: str) -> ArmError:
    """Return the service's answer about a role assignment that does not exist."""
    return ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{name.replace('-', '')}' is not found.")
