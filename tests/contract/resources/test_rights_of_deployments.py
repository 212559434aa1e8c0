from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.raw_arm import RawArm
from tests.contract.resources.documents import IDENTITY, asked, document, identity, image_template
from tests.contract.roles import assign
from tests.contract.sdk_clients import GROUP

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

DEPLOYMENT = f"/resourceGroups/{GROUP}/providers/Microsoft.Resources/deployments/first"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
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


@pytest.mark.parametrize(
    ("has_role", "state", "codes"), [(True, "Succeeded", []), (False, "Failed", ["ResourceDeploymentFailure"])]
)
def test_an_identity_gets_its_rights_by_the_same_document(
    owner: RawArm, *, has_role: bool, state: str, codes: list[str]
) -> None:
    """A new identity distributes to a gallery once the document gives it the right; without it the creation fails."""
    gallery_image = "[resourceId('Microsoft.Compute/galleries/images', 'corp', 'linux-base')]"
    to_gallery = {"type": "SharedImage", "runOutputName": "version", "galleryImageId": gallery_image}
    golden = image_template("golden")
    golden["properties"]["distribute"] = [{**to_gallery, "replicationRegions": ["eastus"]}]
    resources = [identity("mine"), golden]
    if has_role:
        golden["dependsOn"].append("[guid(resourceGroup().id, 'mine')]")
        resources.append(contributor("[guid(resourceGroup().id, 'mine')]"))
    done = deployed(owner, asked(document(*resources)))
    details = done.get("error", {}).get("details", [])
    assert (done["provisioningState"], [detail["code"] for detail in details]) == (state, codes)
    assert all("Not authorized to access the resource" in str(detail["details"]) for detail in details)


def contributor(name: str) -> dict[str, Any]:
    """Return an assignment of the role Contributor on the group to the identity `mine`."""
    return {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": name,
        "properties": {
            "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{CONTRIBUTOR}')]",
            "principalId": "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'mine'), "
            "'2023-01-31').principalId]",
            "principalType": "ServicePrincipal",
        },
    }


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
