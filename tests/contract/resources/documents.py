"""Documents to deploy."""

from __future__ import annotations

from typing import Any

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
IMAGE_TEMPLATE = "Microsoft.VirtualMachineImages/imageTemplates"


def document(*resources: Any, **sections: Any) -> dict[str, Any]:
    """Return a document with these resources, and with further sections."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", **sections, "resources": list(resources)}


def identity(name: str, **members: Any) -> dict[str, Any]:
    """Return a managed identity."""
    return {
        "type": IDENTITY,
        "apiVersion": "2023-01-31",
        "name": name,
        "location": "[resourceGroup().location]",
        **members,
    }


def image_template(name: str = "[parameters('name')]", **members: Any) -> dict[str, Any]:
    """Return an image template that uses the identity `mine`, made by the same document."""
    identity_id = f"[resourceId('{IDENTITY}', 'mine')]"
    ubuntu = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2"}
    return {
        "type": IMAGE_TEMPLATE,
        "apiVersion": "2024-02-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "dependsOn": [identity_id],
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id: {}}},
        "properties": {
            "source": {"type": "PlatformImage", **ubuntu, "version": "latest"},
            "customize": [{"type": "Shell", "name": "hello", "inline": ["echo hello"]}],
            "distribute": [{"type": "VHD", "runOutputName": "disk"}],
        },
        **members,
    }


def golden_image() -> dict[str, Any]:
    """Return a document as people write them: an identity, a storage account, and an image template after both."""
    account = "[toLower(format('st{0}', uniqueString(resourceGroup().id)))]"
    return document(
        image_template(tags={"principal": "[reference('mine', '2023-01-31').principalId]"}),
        {
            "type": "Microsoft.Storage/storageAccounts",
            "apiVersion": "2023-05-01",
            "name": "[variables('account')]",
            "location": "[resourceGroup().location]",
            "sku": {"name": "Standard_LRS"},
            "kind": "StorageV2",
        },
        identity("mine"),
        parameters={
            "name": {"type": "string"},
            "word": {"type": "securestring", "defaultValue": "not told"},
        },
        variables={"account": account},
        outputs={
            "imageTemplateId": {"type": "string", "value": f"[resourceId('{IMAGE_TEMPLATE}', parameters('name'))]"},
            "blobs": {"type": "string", "value": "[reference(variables('account')).primaryEndpoints.blob]"},
            "keys": {
                "type": "int",
                "value": "[length(listKeys(resourceId('Microsoft.Storage/storageAccounts', variables('account')), "
                "'2023-05-01').keys)]",
            },
        },
    )


def golden_image_in_a_gallery() -> dict[str, Any]:
    """Return a document that makes a gallery with a definition, lets its identity write there, and builds into it."""
    definition_id = "[resourceId('Microsoft.Compute/galleries/images', 'golden', 'linux')]"
    contributor = "Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c"
    place = {"apiVersion": "2024-03-03", "location": "[resourceGroup().location]"}
    built = image_template()
    gallery = {"type": "SharedImage", "runOutputName": "version", "galleryImageId": definition_id}
    built["properties"]["distribute"] = [{**gallery, "replicationRegions": ["[resourceGroup().location]"]}]
    built["dependsOn"] = [definition_id, "[resourceId('Microsoft.Authorization/roleAssignments', guid('mine'))]"]
    return document(
        built,
        {"type": "Microsoft.Compute/galleries", "name": "golden", **place, "properties": {}},
        {
            "type": "Microsoft.Compute/galleries/images",
            "name": "golden/linux",
            **place,
            "dependsOn": ["[resourceId('Microsoft.Compute/galleries', 'golden')]"],
            "properties": {
                "osType": "Linux",
                "osState": "Generalized",
                "hyperVGeneration": "V2",
                "identifier": {"publisher": "corp", "offer": "golden", "sku": "linux"},
            },
        },
        {
            "type": "Microsoft.Authorization/roleAssignments",
            "apiVersion": "2022-04-01",
            "name": "[guid('mine')]",
            "properties": {
                "roleDefinitionId": f"[subscriptionResourceId('{contributor}')]",
                "principalId": f"[reference(resourceId('{IDENTITY}', 'mine'), '2023-01-31').principalId]",
                "principalType": "ServicePrincipal",
            },
        },
        identity("mine"),
        parameters={"name": {"type": "string"}},
    )


def asked(document: dict[str, Any], mode: str = "Incremental", **values: Any) -> dict[str, Any]:
    """Return what to send to deploy a document with these values of its parameters."""
    parameters = {name: {"value": value} for name, value in values.items()}
    return {"properties": {"template": document, "parameters": parameters, "mode": mode}}
