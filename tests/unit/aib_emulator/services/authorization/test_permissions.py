from __future__ import annotations

import pytest

from aib_emulator.services.authorization.builtin_roles import BUILTIN_ROLES
from aib_emulator.services.authorization.permissions import Permissions, covers

ROLES = {role.name: role.permissions for role in BUILTIN_ROLES}
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
RUN = "Microsoft.VirtualMachineImages/imageTemplates/run/action"
READ_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
GRANT = "Microsoft.Authorization/roleAssignments/write"


@pytest.mark.parametrize(
    ("role", "action", "is_allowed"),
    [
        ("Owner", GRANT, True),
        ("Contributor", RUN, True),
        ("Contributor", GRANT, False),
        ("Contributor", "microsoft.authorization/roleassignments/DELETE", False),
        ("Reader", "Microsoft.VirtualMachineImages/imageTemplates/read", True),
        ("Reader", RUN, False),
        ("User Access Administrator", GRANT, True),
        ("User Access Administrator", RUN, False),
        ("Managed Identity Operator", ASSIGN, True),
        ("Managed Identity Operator", "Microsoft.ManagedIdentity/userAssignedIdentities/write", False),
        ("Managed Identity Contributor", "Microsoft.ManagedIdentity/userAssignedIdentities/write", True),
        ("Managed Identity Contributor", ASSIGN, False),
        ("Storage Blob Data Owner", "Microsoft.Storage/storageAccounts/listKeys/action", False),
    ],
)
def test_what_a_built_in_role_permits(role: str, action: str, *, is_allowed: bool) -> None:
    """Each built-in role permits what Azure's does, in any casing."""
    assert ROLES[role].allow(action) is is_allowed


@pytest.mark.parametrize("role", ["Owner", "Contributor", "Reader"])
def test_a_role_on_resources_is_none_on_data(role: str) -> None:
    """Not even an owner may read blobs by that."""
    assert ROLES[role].allow(READ_BLOB)
    assert not ROLES[role].allow(READ_BLOB, is_data=True)
    assert ROLES["Storage Blob Data Reader"].allow(READ_BLOB, is_data=True)


def test_permissions_are_written_as_they_are_read() -> None:
    """The four lists of a block survive being read, absent ones as empty."""
    block = {"actions": ["*/read"], "notActions": ["a/b"], "dataActions": ["c/*"]}
    assert Permissions.from_json(block).to_json() == {**block, "notDataActions": []}


@pytest.mark.parametrize(
    ("scope", "place", "holds"),
    [
        ("/", "/subscriptions/s", True),
        ("/subscriptions/S", "/subscriptions/s/resourceGroups/g", True),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourcegroups/G/providers/P/t/n", True),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g2", False),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s", False),
    ],
)
def test_where_an_assignment_holds(scope: str, place: str, *, holds: bool) -> None:
    """What is granted holds at its scope and below, in any casing."""
    assert covers(scope, place) is holds
