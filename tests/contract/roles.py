"""Applications, identities and their role assignments, for tests about rights."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.contract.sdk_clients import GROUP

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
IDENTITIES = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
IDENTITY = f"/resourceGroups/{GROUP}{IDENTITIES}/image-builder"


def assign(raw: RawArm, role_name: str, principal_id: str, scope: str = "") -> str:
    """Assign a role at a scope below the subscription, and return the path of the assignment."""
    found = raw.send("GET", f"{scope}{DEFINITIONS}", params={"$filter": f"roleName eq '{role_name}'"})
    (role,) = found.json()["value"]
    path = f"{scope}{ASSIGNMENTS}/{uuid.uuid4()}"
    properties = {"roleDefinitionId": role["id"], "principalId": principal_id, "principalType": "ServicePrincipal"}
    answer = raw.send("PUT", path, {"properties": properties})
    assert answer.status_code == 201, answer.text
    return path


def make_role(raw: RawArm, role_name: str, *actions: str) -> None:
    """Make a custom role that permits these actions."""
    properties = {
        "roleName": role_name,
        "permissions": [{"actions": list(actions)}],
        "assignableScopes": [f"/subscriptions/{raw.settings.subscription_id}"],
    }
    answer = raw.send("PUT", f"{DEFINITIONS}/{uuid.uuid4()}", {"properties": properties})
    assert answer.status_code == 201, answer.text


def take_away_roles(raw: RawArm, principal_id: str) -> None:
    """Delete every role assignment of a principal."""
    while found := raw.send("GET", ASSIGNMENTS, params={"$filter": f"principalId eq '{principal_id}'"}).json()["value"]:
        for assignment in found:
            assert raw.send("DELETE", assignment["id"]).status_code == 200


def principal_of(raw: RawArm, identity_name: str = "image-builder", group: str = GROUP) -> str:
    """Return the principal id of a managed identity."""
    identity = raw.send("GET", f"/resourceGroups/{group}{IDENTITIES}/{identity_name}").json()
    return str(identity["properties"]["principalId"])
