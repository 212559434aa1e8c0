"""What galleries, definitions, versions and managed images look like, and what makes them invalid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import display_name, short_name
from aib_emulator.arm.shape import ENVELOPE
from aib_emulator.arm.time_format import offset_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId

NAMESPACE = "Microsoft.Compute"
GALLERY_TYPE = f"{NAMESPACE}/galleries"
DEFINITION_TYPE = f"{GALLERY_TYPE}/images"
VERSION_TYPE = f"{DEFINITION_TYPE}/versions"
IMAGE_TYPE = f"{NAMESPACE}/images"
GALLERY_NAME = re.compile(r"[A-Za-z0-9](?:[\w.]{0,78}[A-Za-z0-9])?", re.ASCII)
DEFINITION_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,78}[A-Za-z0-9])?", re.ASCII)
VERSION_NAME = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})", re.ASCII)
LARGEST_NUMBER = 2**31 - 1
FIXED_MEMBERS = ("identifier", "osType", "osState", "hyperVGeneration", "architecture")
STORAGE_ACCOUNT_TYPE = "Standard_LRS"
COMPLETED_OF_REGION = ("name", "replicaCount", "regionalReplicaCount", "storageAccountType")
DEFINITION_SHAPE = {**ENVELOPE, "properties": {"osType": str, "osState": str, "hyperVGeneration": str}}
REGION_SHAPE = {"name": str, "regionalReplicaCount": int, "replicaCount": int, "storageAccountType": str}
PROFILE_SHAPE = {"targetRegions": [REGION_SHAPE], "replicaCount": int, "excludeFromLatest": bool}
VERSION_SHAPE = {
    **ENVELOPE,
    "properties": {
        "publishingProfile": PROFILE_SHAPE,
        "storageProfile": {"osDiskImage": {}},
        "safetyProfile": {},
    },
}
IMAGE_SHAPE = {**ENVELOPE, "properties": {"storageProfile": {}, "sourceVirtualMachine": {}}}


def gallery_body(gallery_id: ResourceId, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a gallery."""
    _demand_name(GALLERY_NAME, gallery_id.name, "gallery")
    unique_name = f"{gallery_id.subscription_id}-{gallery_id.name.upper()}"
    properties = {
        **_properties(sent),
        "identifier": {"uniqueName": unique_name},
        "provisioningState": "Succeeded",
    }
    return _body(gallery_id, GALLERY_TYPE, sent, properties)


def definition_body(definition_id: ResourceId, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image definition."""
    _demand_name(DEFINITION_NAME, definition_id.name, "galleryImage")
    properties = _properties(sent)
    for member in ("identifier", "osState", "osType"):
        if not properties.get(member):
            raise missing_parameter(f"galleryImage.properties.{member}")
    defaults = {"hyperVGeneration": "V2", "architecture": "x64"}
    properties = {**defaults, **properties, "provisioningState": "Succeeded"}
    return _body(definition_id, DEFINITION_TYPE, sent, properties)


def demand_same_definition(known: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """Raise what the service answers to a change of what a definition is."""
    for member in FIXED_MEMBERS:
        if known["properties"].get(member) != changed["properties"].get(member):
            target = f"galleryImage.properties.{member}"
            message = f"Changing property '{target}' is not allowed."
            raise ArmError(409, "PropertyChangeNotAllowed", message, target=target, style=BodyStyle.COMPUTE)


def version_body(version_id: ResourceId, sent: Mapping[str, Any], published: datetime) -> dict[str, Any]:
    """Return an image version as the service completes what was sent; its state is computed, not kept."""
    check_version_name(version_id.name)
    properties = _properties(sent)
    if not properties.get("storageProfile"):
        raise missing_parameter("galleryImageVersion.properties.storageProfile")
    given = properties.get("publishingProfile") or {}
    completed = {
        "publishingProfile": {
            **given,
            "targetRegions": target_regions(given, str(sent.get("location", ""))),
            "replicaCount": given.get("replicaCount", 1),
            "excludeFromLatest": given.get("excludeFromLatest", False),
            "publishedDate": offset_text(published),
            "storageAccountType": given.get("storageAccountType", STORAGE_ACCOUNT_TYPE),
        },
        "storageProfile": _storage_profile(properties["storageProfile"]),
        "safetyProfile": {
            "reportedForPolicyViolation": False,
            "allowDeletionOfReplicatedLocations": False,
            **(properties.get("safetyProfile") or {}),
        },
        "validationsProfile": {"validationOperationStatus": "NotExecuted"},
    }
    return _body(version_id, VERSION_TYPE, sent, completed)


def demand_home_region(body: Mapping[str, Any]) -> None:
    """Raise what the service answers to target regions without the version's own location."""
    regions = body["properties"]["publishingProfile"]["targetRegions"]
    if body["location"] not in {short_name(region["name"]) for region in regions}:
        target = "galleryImageVersion.properties.publishingProfile.targetRegions"
        message = f"The target regions must include the location of the image version, '{body['location']}'."
        raise ArmError(400, "InvalidParameter", message, target=target, style=BodyStyle.COMPUTE)


def target_regions(publishing_profile: Mapping[str, Any], location: str) -> list[dict[str, Any]]:
    """Return the target regions, named as people read them and completed with what the profile says for all."""
    replicas = publishing_profile.get("replicaCount", 1)
    storage = publishing_profile.get("storageAccountType", STORAGE_ACCOUNT_TYPE)
    regions: Sequence[Mapping[str, Any]] = publishing_profile.get("targetRegions") or [{"name": location}]
    if not all(region.get("name") for region in regions):
        raise missing_parameter("galleryImageVersion.properties.publishingProfile.targetRegions.name")
    return [
        {
            "name": display_name(region["name"]),
            "regionalReplicaCount": region.get("regionalReplicaCount", region.get("replicaCount", replicas)),
            "storageAccountType": region.get("storageAccountType", storage),
            **{member: value for member, value in region.items() if member not in COMPLETED_OF_REGION},
        }
        for region in regions
    ]


def image_body(image_id: ResourceId, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a managed image."""
    properties = {"hyperVGeneration": "V1", **_properties(sent), "provisioningState": "Succeeded"}
    if not properties.get("storageProfile") and not properties.get("sourceVirtualMachine"):
        raise missing_parameter("image.properties.storageProfile")
    return _body(image_id, IMAGE_TYPE, sent, properties)


def check_version_name(name: str) -> None:
    """Raise what the service answers to an impossible version."""
    match = VERSION_NAME.fullmatch(name)
    if match is None or any(int(number) > LARGEST_NUMBER for number in match.groups()):
        message = (
            f"The gallery image version name '{name}' is invalid. It must have the form Major.Minor.Patch, "
            f"of numbers up to {LARGEST_NUMBER}."
        )
        raise ArmError(400, "InvalidParameter", message, target="galleryImageVersionName", style=BodyStyle.COMPUTE)


def missing_parameter(name: str) -> ArmError:
    """Return the service's refusal of a body in which something is missing."""
    message = f"Required parameter '{name}' is missing (null)."
    return ArmError(400, "InvalidParameter", message, target=name, style=BodyStyle.COMPUTE)


def _storage_profile(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {**sent, "osDiskImage": {"hostCaching": "ReadWrite", **(sent.get("osDiskImage") or {})}}


def _demand_name(pattern: re.Pattern[str], name: str, target: str) -> None:
    if not pattern.fullmatch(name):
        message = f"The entity name '{target}Name' is invalid according to its validation rule: ^{pattern.pattern}$"
        raise ArmError(400, "InvalidParameter", message, target=f"{target}Name", style=BodyStyle.COMPUTE)


def _properties(sent: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sent.get("properties") or {})


def _body(
    resource_id: ResourceId, resource_type: str, sent: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any]:
    if not sent.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    return {
        "name": resource_id.name,
        "id": resource_id.write(),
        "type": resource_type,
        "location": short_name(sent["location"]),
        "tags": dict(sent.get("tags") or {}),
        "properties": dict(properties),
    }
