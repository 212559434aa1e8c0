"""Image templates to try the service's rules on."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.resources import ImageTemplate, completed

START = datetime(2025, 4, 30, 6, 6, 40, 123456, UTC)
GROUP = "/subscriptions/s/resourceGroups/rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ide1"
GALLERY_IMAGE = f"{GROUP}/providers/Microsoft.Compute/galleries/gal1/images/def1"
MANAGED_IMAGE = f"{GROUP}/providers/Microsoft.Compute/images/img1"
LATEST = "2025-10-01"

SOURCE = {
    "type": "PlatformImage",
    "publisher": "Canonical",
    "offer": "UbuntuServer",
    "sku": "18.04-LTS",
    "version": "latest",
}
SHELL = {"type": "Shell", "name": "s", "inline": ["echo hello"]}
TO_MANAGED_IMAGE = {"type": "ManagedImage", "runOutputName": "mi", "imageId": MANAGED_IMAGE, "location": "eastus"}
TO_GALLERY = {
    "type": "SharedImage",
    "runOutputName": "si",
    "galleryImageId": GALLERY_IMAGE,
    "replicationRegions": ["eastus"],
}
TO_VHD = {"type": "VHD", "runOutputName": "vhd"}


def body(**properties: Any) -> dict[str, Any]:
    """Return a document that the service accepts, with these properties in place of its own."""
    return copy.deepcopy(
        {
            "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "properties": {"source": SOURCE, "customize": [SHELL], "distribute": [TO_MANAGED_IMAGE], **properties},
        }
    )


def kept(**properties: Any) -> dict[str, Any]:
    """Return properties as an image template keeps them."""
    return completed(body(**properties)["properties"])


def image_template(**properties: Any) -> ImageTemplate:
    """Return an image template that is ready to be run."""
    made = ImageTemplate(
        ResourceId.parse(f"{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates/tmpl1"),
        location="eastus",
        tags={},
        identity={"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        properties=kept(**properties),
        state="provisioned",
        staging_group_id=ResourceId("s", "IT_rg_tmpl1_0"),
        staging_account="a" * 24,
    )
    made.properties["source"]["exactVersion"] = "18.04.202401161"
    return made
