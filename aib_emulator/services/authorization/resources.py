"""Keeps roles and role assignments, and answers who may do what because of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.keeping.keeper import Keeper
from aib_emulator.services.authorization.builtin_roles import BLOBS, BUILTIN_ROLES
from aib_emulator.services.authorization.permissions import covers
from aib_emulator.services.authorization.shapes import (
    BUILTIN,
    CUSTOM,
    RoleAssignment,
    RoleDefinition,
    demand_guid,
    properties_of,
    role_members,
    role_name_of,
    role_not_found,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aib_emulator.applications import Applications
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.clock import Clock
    from aib_emulator.services.authorization.filters import Filter
    from aib_emulator.store import Store

ASSIGNMENTS, ROLES = "role-assignment", "role"
IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
ACCOUNT_TYPE = "Microsoft.Storage/storageAccounts"
KEPT_AS_SENT = ("condition", "conditionVersion", "description")
SERVICE_PRINCIPAL = "ServicePrincipal"
READ_BLOBS, WRITE_BLOBS = f"{BLOBS}/read", f"{BLOBS}/write"
NOTHING, READER, CONTRIBUTOR = "none", "reader", "contributor"
"""What a principal may be to the blobs of an account."""


class Authorization:
    """Keep who has which role where.

    :param store: the resources, managed identities and storage accounts among them
    :param applications: the applications of the tenant
    :param clock: the emulated time
    :param tenant_id: the tenant, for messages
    :param keeper: told of every change
    """

    def __init__(
        self,
        store: Store,
        applications: Applications,
        clock: Clock,
        tenant_id: str,
        keeper: Keeper | None = None,
    ) -> None:
        self._store = store
        self._applications = applications
        self._clock = clock
        self._tenant_id = tenant_id
        self._roles: dict[str, RoleDefinition] = {}
        self._assignments: dict[str, RoleAssignment] = {}
        self._keeper = keeper or Keeper()
        self._keeper.add(ASSIGNMENTS, self._assignments)
        self._keeper.add(ROLES, self._roles)
        self.clear()

    def clear(self) -> None:
        """Forget every assignment and every custom role."""
        for name in self._assignments:
            self._keeper.touch(ASSIGNMENTS, name)
        for name in self._roles:
            self._keeper.touch(ROLES, name)
        self._assignments.clear()
        self._roles.clear()
        self._roles |= {
            role.role_id: RoleDefinition(
                role.role_id, role.name, BUILTIN, (role.permissions,), description=role.description
            )
            for role in BUILTIN_ROLES
        }
        for name in self._roles:
            self._keeper.touch(ROLES, name)

    def restore(self, roles: Iterable[RoleDefinition], assignments: Iterable[RoleAssignment]) -> None:
        """Take over what was kept."""
        self._roles.update({role.name.lower(): role for role in roles if role.role_type == CUSTOM})
        self._assignments.update({known.name.lower(): known for known in assignments})

    def may(self, principal_id: str, action: str, place: str, *, is_data: bool = False) -> bool:
        """Whether a principal may do something at a place, or to the data there."""
        return any(
            covers(assignment.scope, place) and role.allows(action, is_data=is_data)
            for assignment, role in self._granted(principal_id)
        )

    def may_somewhere(self, principal_id: str, action: str) -> bool:
        """Whether a principal may do something anywhere at all."""
        return any(role.allows(action) for _, role in self._granted(principal_id))

    def blob_role(self, account_name: str, principal_id: str) -> str:
        """Return what a principal may be to an account's blobs: `none`, `reader` or `contributor`."""
        place = next((str(account.id) for account in self._store.named(ACCOUNT_TYPE, account_name)), None)
        if place is None or not self.may(principal_id, READ_BLOBS, place, is_data=True):
            return NOTHING
        return CONTRIBUTOR if self.may(principal_id, WRITE_BLOBS, place, is_data=True) else READER

    def grant(self, role_name: str, principal_id: str, scope: str, *, name: str) -> RoleAssignment:
        """Assign a built-in role, known by what people call it."""
        role = next(role for role in self._roles.values() if role.role_name == role_name)
        made = RoleAssignment(name, scope, role.name, principal_id, SERVICE_PRINCIPAL, self._clock.now())
        self._keep(made)
        return made

    def forget(self, resource_id: ResourceId) -> None:
        """Forget the assignments at a resource or group that is deleted; those of its principal stay, as in Azure."""
        gone = [name for name, known in self._assignments.items() if covers(str(resource_id), known.scope)]
        for name in gone:
            del self._assignments[name]
            self._keeper.touch(ASSIGNMENTS, name)

    def put_assignment(
        self, scope: str, name: str, sent: Mapping[str, Any], created_by: str
    ) -> tuple[RoleAssignment, bool]:
        """Assign a role, and say whether that is new."""
        demand_guid(name, "role assignment")
        properties = properties_of(sent)
        role_name = role_name_of(str(properties.get("roleDefinitionId") or ""))
        self.find_role(role_name, scope, status=400)
        principal_id = str(properties.get("principalId") or "")
        more = tuple((member, properties[member]) for member in KEPT_AS_SENT if member in properties)
        principal_type = self._principal_type(principal_id, properties.get("principalType"))
        made = RoleAssignment(name, scope, role_name, principal_id, principal_type, self._clock.now(), created_by, more)
        known = self._assignments.get(name.lower())
        if known is None:
            self._demand_new(made)
        elif _what(known) != _what(made):
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ArmError(400, "RoleAssignmentUpdateNotPermitted", message)
        else:
            made = replace(made, name=known.name, created=known.created)
        self._keep(made)
        return made, known is None

    def find_assignment(self, scope: str, name: str) -> RoleAssignment | None:
        """Return the assignment of that name at that very scope."""
        known = self._assignments.get(name.lower())
        return known if known is not None and known.scope.lower() == scope.lower() else None

    def delete_assignment(self, assignment: RoleAssignment) -> None:
        """Take a role away again."""
        del self._assignments[assignment.name.lower()]
        self._keeper.touch(ASSIGNMENTS, assignment.name.lower())

    def list_assignments(self, scope: str, wanted: Filter) -> list[RoleAssignment]:
        """Return the assignments at the scope, above it, and unless the filter says no also below it."""
        return [
            known
            for known in self._assignments.values()
            if (covers(known.scope, scope) or (covers(scope, known.scope) and not wanted.at_scope))
            and wanted.principal_id in {None, known.principal_id.lower()}
        ]

    def put_role(self, name: str, sent: Mapping[str, Any]) -> tuple[RoleDefinition, bool]:
        """Make or change a custom role, and say whether it is new."""
        demand_guid(name, "role definition")
        properties, known = properties_of(sent), self._roles.get(name.lower())
        role_name, scopes, blocks = role_members(properties)
        if known is not None and known.role_type == BUILTIN:
            raise ArmError(403, "BuiltInRoleCannotBeChanged", f"The built-in role '{known.role_name}' stays as it is.")
        self._demand_free_name(role_name, name)
        created = known.created if known is not None else self._clock.now()
        made = RoleDefinition(
            name, role_name, CUSTOM, blocks, scopes, str(properties.get("description") or ""), created
        )
        self._roles[name.lower()] = made
        self._keeper.touch(ROLES, name.lower())
        return made, known is None

    def find_role(self, name: str, scope: str, *, status: int = 404) -> RoleDefinition:
        """Return a role that may be assigned at the scope, or raise that there is none."""
        role = self._roles.get(name.lower())
        if role is None or not any(covers(place, scope) or scope == "/" for place in role.scopes):
            raise role_not_found(name, status)
        return role

    def delete_role(self, name: str) -> RoleDefinition | None:
        """Delete a custom role that nobody has, and return it."""
        role = self._roles.get(name.lower())
        if role is None:
            return None
        if role.role_type == BUILTIN:
            raise ArmError(403, "BuiltInRoleCannotBeChanged", f"The built-in role '{role.role_name}' stays as it is.")
        if any(known.role_name == role.name.lower() for known in self._assignments.values()):
            message = "There are existing role assignments referencing role."
            raise ArmError(400, "RoleDefinitionHasAssignments", message)
        self._keeper.touch(ROLES, name.lower())
        return self._roles.pop(name.lower())

    def list_roles(self, scope: str, wanted: Filter) -> list[RoleDefinition]:
        """Return the roles that may be assigned at the scope."""
        return [
            role
            for role in self._roles.values()
            if any(covers(place, scope) or scope == "/" for place in role.scopes)
            and wanted.role_name in {None, role.role_name.lower()}
            and wanted.role_type in {None, role.role_type.lower()}
        ]

    def _keep(self, assignment: RoleAssignment) -> None:
        self._assignments[assignment.name.lower()] = assignment
        self._keeper.touch(ASSIGNMENTS, assignment.name.lower())

    def _granted(self, principal_id: str) -> Iterator[tuple[RoleAssignment, RoleDefinition]]:
        for assignment in self._assignments.values():
            if assignment.principal_id.lower() == principal_id.lower():
                yield assignment, self._roles[assignment.role_name]

    def _demand_new(self, made: RoleAssignment) -> None:
        same = next((known for known in self._assignments.values() if _what(known) == _what(made)), None)
        if same is not None:
            message = (
                "The role assignment already exists. The ID of the conflicting role assignment is "
                f"{same.name.replace('-', '')}."
            )
            raise ArmError(409, "RoleAssignmentExists", message)

    def _demand_free_name(self, role_name: str, name: str) -> None:
        for known in self._roles.values():
            if known.role_name.lower() == role_name.lower() and known.name.lower() != name.lower():
                message = (
                    f"A custom role with the same name already exists in this directory. Use a different name: "
                    f"'{role_name}'."
                )
                raise ArmError(409, "RoleDefinitionWithSameNameExists", message)

    def _principal_type(self, principal_id: str, given: Any) -> str:
        demand_guid(principal_id, "principal")
        if self._is_service_principal(principal_id):
            if given not in {None, "", SERVICE_PRINCIPAL}:
                message = (
                    f"The PrincipalId '{principal_id.replace('-', '')}' has type '{SERVICE_PRINCIPAL}' , which is "
                    f"different from specified PrinciaplType '{given}'."
                )
                raise ArmError(400, "UnmatchedPrincipalType", message)
            return SERVICE_PRINCIPAL
        if not given:
            raise _principal_not_found(principal_id, self._tenant_id)
        # With a type the service looks nobody up: the principal may be so new that it is not found yet.
        return str(given)

    def _is_service_principal(self, principal_id: str) -> bool:
        identities = self._store.list(resource_type=IDENTITY_TYPE)
        known = {str(identity.body["properties"]["principalId"]).lower() for identity in identities}
        return principal_id.lower() in known or self._applications.is_principal(principal_id)


def _what(assignment: RoleAssignment) -> tuple[str, str, str]:
    return assignment.scope.lower(), assignment.role_name, assignment.principal_id.lower()


def _principal_not_found(principal_id: str, tenant_id: str) -> ArmError:
    message = (
        f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant_id}. Check that you have "
        "the correct principal ID. If you are creating this principal and then immediately assigning a role, this "
        "error might be related to a replication delay. In this case, set the role assignment principalType property "
        "to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
    )
    return ArmError(400, "PrincipalNotFound", message)
