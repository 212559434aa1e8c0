from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import azure.mgmt.authorization
import azure.mgmt.authorization.aio
import pytest

from tests.contract.raw_arm import RawArm
from tests.contract.roles import ASSIGNMENTS, DEFINITIONS, IDENTITIES, principal_of
from tests.contract.sdk_clients import GROUP, done, every, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

BUILTIN = {
    "Owner",
    "Contributor",
    "Reader",
    "User Access Administrator",
    "Managed Identity Operator",
    "Managed Identity Contributor",
    "Storage Blob Data Reader",
    "Storage Blob Data Contributor",
    "Storage Blob Data Owner",
}
SOMEBODY = "12345678-0000-4000-8000-000000000001"


class Roles:
    """Assign roles with the real SDK, at the group of the start world unless another scope is given.

    :param cloud: whose client, in which flavour
    """

    def __init__(self, cloud: Cloud) -> None:
        self.subscription = f"/subscriptions/{cloud.settings.subscription_id}"
        self.group = f"{self.subscription}/resourceGroups/{GROUP}"
        client = cloud._manager(
            azure.mgmt.authorization.AuthorizationManagementClient,
            azure.mgmt.authorization.aio.AuthorizationManagementClient,
        )
        self.definitions, self.assignments = client.role_definitions, client.role_assignments

    async def role_id(self, name: str) -> str:
        """Return the id of the role that people call so."""
        (role,) = await every(self.definitions.list(self.group, filter=f"roleName eq '{name}'"))
        return str(role.id)

    async def assign(self, role: str = "Reader", scope: str = "", name: str = "", **more: Any) -> Any:
        """Assign a role to somebody."""
        body = {
            "role_definition_id": await self.role_id(role),
            "principal_id": SOMEBODY,
            "principal_type": "User",
            **more,
        }
        return await done(self.assignments.create(scope or self.group, name or str(uuid.uuid4()), _parameters(body)))

    async def names(self, scope: str, **more: str) -> set[str]:
        """Return which assignments a list shows."""
        return {found.name for found in await every(self.assignments.list_for_scope(scope, **more))}


def _parameters(body: dict[str, Any]) -> Any:
    from azure.mgmt.authorization.models import RoleAssignmentCreateParameters

    return RoleAssignmentCreateParameters(**body)


@pytest.fixture
def roles(cloud: Cloud) -> Roles:
    """Make a client of Microsoft.Authorization, synchronous and asynchronous in turn."""
    return Roles(cloud)


async def test_the_built_in_roles_are_there(roles: Roles) -> None:
    """A list shows every built-in role; one is found by its name, and then by its id."""
    found = await every(roles.definitions.list(roles.group))
    assert {role.role_name for role in found} == BUILTIN
    reader = await done(roles.definitions.get_by_id((await roles.role_id("reader")).lstrip("/")))
    assert (reader.role_name, reader.role_type, reader.assignable_scopes) == ("Reader", "BuiltInRole", ["/"])
    assert [block.actions for block in reader.permissions] == [["*/read"]]


async def test_a_role_is_assigned_shown_and_taken_away(roles: Roles) -> None:
    """An assignment says who has which role where, since when and through whom."""
    made = await roles.assign("Reader", description="for the audit")
    assert made.id == f"{roles.group}{ASSIGNMENTS}/{made.name}"
    assert (made.scope, made.principal_id, made.principal_type) == (roles.group, SOMEBODY, "User")
    assert (made.role_definition_id, made.description) == (await roles.role_id("Reader"), "for the audit")
    shown = await done(roles.assignments.get(roles.group, made.name))
    assert (shown.created_on, shown.created_by) == (made.created_on, made.created_by)
    assert (await done(roles.assignments.delete(roles.group, made.name))).name == made.name
    with refused("RoleAssignmentNotFound", status=404):
        await done(roles.assignments.get(roles.group, made.name))
    assert await done(roles.assignments.delete(roles.group, made.name)) is None


async def test_roles_are_assigned_at_any_scope(roles: Roles) -> None:
    """A list shows what holds at a scope: assigned there, above it and below it."""
    account = f"{roles.group}/providers/Microsoft.Storage/storageAccounts/imagestore"
    of_account, of_group, of_subscription = [
        (await roles.assign("Reader", scope)).name for scope in (account, roles.group, roles.subscription)
    ]
    mine = {"filter": f"principalId eq '{SOMEBODY}'"}
    assert await roles.names(roles.group, **mine) == {of_account, of_group, of_subscription}
    at_group = {"filter": f"atScope() and assignedTo('{SOMEBODY}')"}
    assert await roles.names(roles.group, **at_group) == {of_group, of_subscription}
    listed = await every(roles.assignments.list_for_subscription(**mine))
    assert {found.name for found in listed} == {of_account, of_group, of_subscription}
    listed = await every(roles.assignments.list_for_resource_group(GROUP))
    assert {of_account, of_group, of_subscription} < {found.name for found in listed}


async def test_a_second_assignment_of_the_same_is_refused(roles: Roles) -> None:
    """Principal, role and scope together are assigned once; the same name again changes the description only."""
    made = await roles.assign()
    with refused("RoleAssignmentExists", status=409):
        await roles.assign()
    again = await roles.assign(name=made.name, description="changed")
    assert (again.description, again.created_on) == ("changed", made.created_on)
    with refused("RoleAssignmentUpdateNotPermitted", status=400):
        await roles.assign("Owner", name=made.name)


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("InvalidRoleAssignmentId", {"name": "mine"}),
    ("PrincipalNotFound", {"principal_type": None}),
    ("InvalidPrincipalId", {"principal_id": "me"}),
    ("RoleDefinitionDoesNotExist", {"role_definition_id": f"{DEFINITIONS}/{SOMEBODY}"}),
    ("InvalidRoleDefinitionId", {"role_definition_id": "Reader"}),
]


@pytest.mark.parametrize(("code", "change"), REFUSED, ids=[code for code, _ in REFUSED])
async def test_a_bad_assignment_is_refused(roles: Roles, code: str, change: dict[str, Any]) -> None:
    """Each mistake has its code, and assigns nothing."""
    before = await roles.names(roles.group)
    with refused(code, status=400):
        await roles.assign(**change)
    assert await roles.names(roles.group) == before


async def test_a_principal_that_is_known_needs_no_type(roles: Roles, emulator: EmulatorThread) -> None:
    """A managed identity and an application are service principals, and nothing else."""
    identity = principal_of(RawArm(emulator))
    application = emulator.control.register_application()["object_id"]
    for principal_id in (identity, application):
        made = await roles.assign(principal_id=principal_id, principal_type=None)
        assert made.principal_type == "ServicePrincipal"
    with refused("UnmatchedPrincipalType", status=400):
        await roles.assign("Owner", principal_id=identity, principal_type="User")


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("/resourceGroups/none", "ResourceGroupNotFound"),
        (f"/resourceGroups/{GROUP}{IDENTITIES}/nobody", "ResourceNotFound"),
    ],
)
async def test_a_scope_that_does_not_exist_is_refused(roles: Roles, scope: str, code: str) -> None:
    """A role is assigned only where there is something."""
    with refused(code, status=404):
        await roles.assign(scope=f"{roles.subscription}{scope}")


async def test_assignments_go_with_their_scope(roles: Roles, cloud: Cloud) -> None:
    """What is deleted takes the assignments at it along, and they do not come back with it."""
    account_id = f"{roles.group}/providers/Microsoft.Storage/storageAccounts/brief"
    await cloud.make_account("brief")
    made = await roles.assign(scope=account_id)
    await done(cloud.storage().storage_accounts.delete(GROUP, "brief"))
    await cloud.make_account("brief")
    assert made.name not in await roles.names(account_id)


async def test_a_role_of_ones_own(roles: Roles) -> None:
    """A custom role is made, found, changed, and deleted once nobody has it any more."""
    name = str(uuid.uuid4())
    body = {
        "role_name": "Image Runner",
        "permissions": [{"actions": ["Microsoft.VirtualMachineImages/imageTemplates/run/action"]}],
        "assignable_scopes": [roles.group],
    }
    made = await done(roles.definitions.create_or_update(roles.group, name, _role(body)))
    assert (made.role_type, made.name) == ("CustomRole", name)
    custom = await every(roles.definitions.list(roles.group, filter="type eq 'CustomRole'"))
    assert [role.role_name for role in custom] == ["Image Runner"]
    assert await every(roles.definitions.list(roles.subscription, filter="roleName eq 'Image Runner'")) == []
    with refused("RoleDefinitionWithSameNameExists", status=409):
        await done(roles.definitions.create_or_update(roles.group, str(uuid.uuid4()), _role(body)))
    assignment = await roles.assign("Image Runner")
    with refused("RoleDefinitionHasAssignments", status=400):
        await done(roles.definitions.delete(roles.group, name))
    await done(roles.assignments.delete(roles.group, assignment.name))
    assert (await done(roles.definitions.delete(roles.group, name))).role_name == "Image Runner"
    assert await every(roles.definitions.list(roles.group, filter="type eq 'CustomRole'")) == []


async def test_a_built_in_role_stays(roles: Roles) -> None:
    """Nobody changes or deletes a role that is Azure's own."""
    name = (await roles.role_id("Reader")).rpartition("/")[2]
    body = {"role_name": "Mine", "permissions": [], "assignable_scopes": [roles.group]}
    with refused("BuiltInRoleCannotBeChanged", status=403):
        await done(roles.definitions.create_or_update(roles.group, name, _role(body)))
    with refused("BuiltInRoleCannotBeChanged", status=403):
        await done(roles.definitions.delete(roles.group, name))


def _role(body: dict[str, Any]) -> Any:
    from azure.mgmt.authorization.models import Permission, RoleDefinition

    return RoleDefinition(**{**body, "permissions": [Permission(**block) for block in body["permissions"]]})


def test_built_in_roles_are_found_without_a_subscription(emulator: EmulatorThread) -> None:
    """The id of a built-in role may be written without any scope."""
    raw = RawArm(emulator)
    url = f"{raw.url}{DEFINITIONS}"
    assert len(raw.send("GET", url).json()["value"]) == raw.thread.emulator.settings.list_page_size
    one = raw.send("GET", f"{url}/acdd72a7-3385-48ef-bd42-f606fba81ae7").json()
    assert one["properties"]["roleName"] == "Reader"


def test_another_scope_is_refused(emulator: EmulatorThread) -> None:
    """There are no management groups, and the only subscription is the emulator's."""
    raw = RawArm(emulator)
    management_group = f"{raw.url}/providers/Microsoft.Management/managementGroups/m{ASSIGNMENTS}"
    assert raw.send("GET", management_group).json()["error"]["code"] == "InvalidScope"
    other = f"{raw.url}/subscriptions/{SOMEBODY}{ASSIGNMENTS}"
    assert raw.send("GET", other).json()["error"]["code"] == "SubscriptionNotFound"
