from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.authorization.permissions import Permissions
from aib_emulator.services.authorization.shapes import role_members, role_name_of

ROLE = {"roleName": "Runner", "assignableScopes": ["/subscriptions/s"], "permissions": [{"actions": ["*/read"]}]}
NAME = "ACDD72A7-3385-48ef-bd42-f606fba81ae7"


def test_a_custom_role_is_read() -> None:
    """Name, scopes and permissions are taken over; a role that permits nothing is one too."""
    assert role_members(ROLE) == ("Runner", ("/subscriptions/s",), (Permissions(actions=("*/read",)),))
    assert role_members({**ROLE, "permissions": None})[2] == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"roleName": ""},
        {"roleName": 1},
        {"assignableScopes": []},
        {"assignableScopes": [1]},
        {"assignableScopes": "/"},
        {"permissions": "*"},
        {"permissions": ["*"]},
    ],
)
def test_a_senseless_role_is_refused(wrong: dict[str, Any]) -> None:
    """Each member must be of its kind."""
    with pytest.raises(ArmError) as refused:
        role_members({**ROLE, **wrong})
    assert (refused.value.status, refused.value.code) == (400, "InvalidRoleDefinition")


@pytest.mark.parametrize("scope", ["", "/subscriptions/s", "/subscriptions/s/resourceGroups/g"])
def test_a_role_is_named_with_any_scope(scope: str) -> None:
    """Only the GUID at the end counts, in lower case."""
    assert role_name_of(f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{NAME}") == NAME.lower()


@pytest.mark.parametrize("text", ["", "Reader", NAME, f"/providers/Microsoft.Authorization/roleAssignments/{NAME}"])
def test_what_names_no_role_is_refused(text: str) -> None:
    """A role is named by a whole resource id."""
    with pytest.raises(ArmError) as refused:
        role_name_of(text)
    assert refused.value.code == "InvalidRoleDefinitionId"
