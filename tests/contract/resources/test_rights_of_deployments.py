from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.raw_arm import RawArm
from tests.contract.resources.documents import IDENTITY, asked, document, identity
from tests.contract.roles import assign
from tests.contract.sdk_clients import GROUP

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

DEPLOYMENT = f"/resourceGroups/{GROUP}/providers/Microsoft.Resources/deployments/first"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
def owner(emulator: EmulatorThread) -> RawArm:
    """Speak to the emulator as the application that may everything."""
    return RawArm(emulator)


def deployed(raw: RawArm, body: dict[str, Any]) -> dict[str, Any]:
    """Deploy, let it end, and return the deployment's properties."""
    answer = raw.send("PUT", DEPLOYMENT, body)
    assert answer.status_code == 201, answer.text
    raw.thread.control.advance(60)
    properties: dict[str, Any] = raw.send("GET", DEPLOYMENT).json()["properties"]
    return properties


@pytest.mark.parametrize("is_old_form", [False, True])
def test_a_document_assigns_a_role(owner: RawArm, *, is_old_form: bool) -> None:
    """An identity gets a role at its own resource by the document that makes it, in both ways to write that."""
    name = "[guid('reader')]"
    form = {
        "type": f"{IDENTITY}/providers/roleAssignments",
        "name": "[concat('mine/Microsoft.Authorization/', guid('reader'))]",
    }
    new_form = {"type": "Microsoft.Authorization/roleAssignments", "name": name, "scope": f"{IDENTITY}/mine"}
    assignment = {
        **(form if is_old_form else new_form),
        "apiVersion": "2022-04-01",
        "dependsOn": ["mine"],
        "properties": {
            "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{READER}')]",
            "principalId": "[reference('mine').principalId]",
            "principalType": "ServicePrincipal",
        },
    }
    done = deployed(owner, asked(document(assignment, identity("mine"))))
    assert done["provisioningState"] == "Succeeded", done
    made, assigned = (resource["id"] for resource in done["outputResources"])
    found = owner.send("GET", assigned).json()["properties"]
    assert (found["scope"], found["principalId"]) == (made, owner.send("GET", made).json()["properties"]["principalId"])


def test_a_deployment_may_what_its_caller_may(owner: RawArm, emulator: EmulatorThread) -> None:
    """Whoever may deploy, and not make what the document asks for, is refused for each resource."""
    application = emulator.control.register_application()
    guest = RawArm(emulator, application)
    assert guest.send("PUT", DEPLOYMENT, asked(document())).status_code == 403
    assign(owner, "Managed Identity Operator", application["object_id"], f"/resourceGroups/{GROUP}")
    done = deployed(guest, asked(document(identity("mine"))))
    assert done["provisioningState"] == "Failed"
    (detail,) = done["error"]["details"]
    assert detail["code"] == "AuthorizationFailed"
    assert f"{IDENTITY}/write" in detail["message"]
