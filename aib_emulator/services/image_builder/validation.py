"""What Image Builder refuses at once when an image template is put."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aib_emulator.arm.locations import is_known
from aib_emulator.arm.resource_id import ResourceId, ResourceIdError
from aib_emulator.services.image_builder.refusal import bad_value, missing_field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = re.compile(r"[A-Za-z0-9-_.]{1,64}")
CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
LONGEST_BUILD_MINUTES = 960
IDENTITY_SINCE = "2020-02-14"
"""Before, the service worked with rights of its own where there was none."""
GALLERY_LATEST_SINCE = "2022-07-01"
TARGET_REGIONS_SINCE = "2022-07-01"
"""Before, `replicationRegions` had to be there, and premium storage could not be named."""
STORAGE_TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
OLD_STORAGE_TYPES = ("Standard_LRS", "Standard_ZRS")
ANY_MAJOR = -1
RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ROOT = "ImageTemplate"
PROPERTIES = "ImageTemplate.properties"

Document = dict[str, Any]


def validate(body: Mapping[str, Any], name: str, api_version: str) -> None:
    """Raise the RefusalError of the first thing that is wrong with a document that `members.read` has read.

    :param name: of the image template
    :param api_version: the caller's
    """
    if not NAME.fullmatch(name):
        raise bad_value(ROOT, "name", name)
    _require(body, ("location", "properties"), ROOT)
    if api_version >= IDENTITY_SINCE:
        _require(body, ("identity",), ROOT)
    if body.get("identity"):
        _validate_identity(body["identity"])
    properties = body["properties"]
    _require(properties, ("source", "distribute"), PROPERTIES)
    validate_source(properties["source"], api_version)
    validate_steps(properties.get("customize") or [], f"{PROPERTIES}.customize")
    in_vm = (properties.get("validate") or {}).get("inVMValidations") or []
    validate_steps(in_vm, f"{PROPERTIES}.validate.inVMValidations")
    validate_distribute(properties["distribute"], api_version)
    _validate_numbers(properties)
    _validate_enumerations(properties)
    validate_vm_profile(properties.get("vmProfile") or {})
    workload = (properties.get("optimize") or {}).get("workload") or {}
    if workload.get("scriptUri"):
        _check_uri(workload, "scriptUri", f"{PROPERTIES}.optimize.workload")
    if properties.get("stagingResourceGroup"):
        _check_id(properties["stagingResourceGroup"], "stagingResourceGroup", PROPERTIES, RESOURCE_GROUP)


def validate_source(source: Document, api_version: str) -> None:
    """Check the source image's form; whether it exists is found out while the template is created."""
    place = f"{PROPERTIES}.source"
    if source["type"] == "PlatformImage":
        _require(source, ("publisher", "offer", "sku", "version"), place)
        if "planInfo" in source:
            _require(source["planInfo"], ("planName", "planProduct", "planPublisher"), f"{place}.planInfo")
    elif source["type"] == "ManagedImage":
        _require_id(source, "imageId", place, "Microsoft.Compute/images")
    else:
        _require_id(source, "imageVersionId", place, "Microsoft.Compute/galleries/images/versions")
        is_latest = ResourceId.parse(source["imageVersionId"]).name.lower() == "latest"
        if is_latest and api_version < GALLERY_LATEST_SINCE:
            raise bad_value(place, "imageVersionId", source["imageVersionId"])


def validate_steps(steps: list[Document], place: str) -> None:
    """Check customizers or validators."""
    for index, step in enumerate(steps):
        STEP_CHECKS[step["type"]](step, f"{place}[{index}]")


def validate_distribute(distribute: list[Document], api_version: str) -> None:
    """Check the distributors."""
    place = f"{PROPERTIES}.distribute"
    if not distribute:
        raise missing_field(PROPERTIES, "distribute")
    names: set[str] = set()
    for index, distributor in enumerate(distribute):
        here = f"{place}[{index}]"
        _require(distributor, ("runOutputName",), here)
        name = distributor["runOutputName"]
        if not NAME.fullmatch(name) or name.lower() in names:
            raise bad_value(here, "runOutputName", name)
        names.add(name.lower())
        DISTRIBUTOR_CHECKS[distributor["type"]](distributor, here, api_version)


def validate_vm_profile(profile: Document) -> None:
    """Check the build VM's profile."""
    place = f"{PROPERTIES}.vmProfile"
    if profile.get("osDiskSizeGB", 0) < 0:
        raise bad_value(place, "osDiskSizeGB", profile["osDiskSizeGB"])
    network = profile.get("vnetConfig") or {}
    for field in ("subnetId", "containerInstanceSubnetId"):
        if network.get(field):
            _require_id(network, field, f"{place}.vnetConfig", "Microsoft.Network/virtualNetworks/subnets")
    if network.get("containerInstanceSubnetId"):
        _check_isolated(network, f"{place}.vnetConfig")
    for identity_id in profile.get("userAssignedIdentities") or []:
        _check_id(identity_id, "userAssignedIdentities", place, IDENTITY)


def _check_isolated(network: Document, place: str) -> None:
    """Check an isolated build's network: both subnets in one network, and no proxy VM."""
    _require(network, ("subnetId",), place)
    subnet_ids = (ResourceId.parse(network[name]) for name in ("containerInstanceSubnetId", "subnetId"))
    if len({subnet_id.key.rpartition("/subnets/")[0] for subnet_id in subnet_ids}) > 1:
        raise bad_value(place, "containerInstanceSubnetId", network["containerInstanceSubnetId"])
    if network.get("proxyVmSize"):
        raise bad_value(place, "proxyVmSize", network["proxyVmSize"])


def _validate_identity(identity: Any) -> None:
    ids = assigned_identities(identity)
    if identity.get("type") not in ("UserAssigned", "None"):
        raise bad_value(ROOT, "identity.type", identity.get("type"))
    if identity["type"] == "UserAssigned" and not ids:
        raise missing_field(ROOT, "identity.userAssignedIdentities")


def assigned_identities(identity: Any) -> Document:
    """Return the user-assigned identities that were sent, by their ids; null takes one away in a PATCH."""
    if not isinstance(identity, dict):
        raise bad_value(ROOT, "identity", identity)
    ids = identity.get("userAssignedIdentities")
    if ids is None:
        return {}
    if not isinstance(ids, dict):
        raise bad_value(ROOT, "identity.userAssignedIdentities", ids)
    for identity_id in ids:
        _check_id(identity_id, "identity", ROOT, IDENTITY)
    return ids


def _validate_numbers(properties: Document) -> None:
    minutes = properties.get("buildTimeoutInMinutes", 0)
    if not 0 <= minutes <= LONGEST_BUILD_MINUTES:
        raise bad_value(PROPERTIES, "buildTimeoutInMinutes", minutes)
    for index, disk in enumerate(properties.get("additionalDataDisks") or []):
        if disk.get("sizeGB", 0) <= 0:
            raise bad_value(f"{PROPERTIES}.additionalDataDisks[{index}]", "sizeGB", disk.get("sizeGB"))


def _validate_enumerations(properties: Document) -> None:
    handling, optimize = properties.get("errorHandling") or {}, properties.get("optimize") or {}
    allowed = (
        (handling, "errorHandling", "onCustomizerError", {"cleanup", "abort"}),
        (handling, "errorHandling", "onValidationError", {"cleanup", "abort"}),
        (properties.get("autoRun") or {}, "autoRun", "state", {"Enabled", "Disabled"}),
        (optimize.get("vmBoot") or {}, "optimize.vmBoot", "state", {"Enabled", "Disabled"}),
        (optimize.get("workload") or {}, "optimize.workload", "state", {"Enabled", "Disabled"}),
    )
    for holder, place, field, words in allowed:
        if field in holder and holder[field] not in words:
            raise bad_value(f"{PROPERTIES}.{place}", field, holder[field])


def _check_script(step: Document, place: str) -> None:
    has_script, has_lines = bool(step.get("scriptUri")), bool(step.get("inline"))
    if not has_script and not has_lines:
        raise missing_field(place, "scriptUri")
    if has_script and has_lines:
        raise bad_value(place, "scriptUri", step["scriptUri"])
    if has_script:
        _check_uri(step, "scriptUri", place)
    if step.get("runAsSystem") and not step.get("runElevated"):
        raise bad_value(place, "runAsSystem", "true")


def _check_file(step: Document, place: str) -> None:
    _require(step, ("sourceUri", "destination"), place)
    _check_uri(step, "sourceUri", place)


def _check_restart(step: Document, place: str) -> None:
    timeout = step.get("restartTimeout")
    if timeout and not re.fullmatch(r"(\d+(\.\d+)?(h|m|s))+", timeout):
        raise bad_value(place, "restartTimeout", timeout)


def _check_update(step: Document, place: str) -> None:
    if step.get("updateLimit", 0) < 0:
        raise bad_value(place, "updateLimit", step["updateLimit"])


def _check_managed_image(distributor: Document, place: str, _: str) -> None:
    _require_id(distributor, "imageId", place, "Microsoft.Compute/images")
    _require(distributor, ("location",), place)
    if not is_known(distributor["location"]):
        raise bad_value(place, "location", distributor["location"])


def _check_shared_image(distributor: Document, place: str, api_version: str) -> None:
    _check_gallery_image_id(distributor, place)
    _check_regions(distributor, place, api_version)
    if "versioning" in distributor:
        _check_versioning(distributor["versioning"], f"{place}.versioning")
    if distributor.get("replicationMode", "Full") not in {"Full", "Shallow"}:
        raise bad_value(place, "replicationMode", distributor["replicationMode"])


def _check_regions(distributor: Document, place: str, api_version: str) -> None:
    is_old = api_version < TARGET_REGIONS_SINCE
    if is_old and "replicationRegions" not in distributor:
        raise missing_field(place, "replicationRegions")
    if distributor.get("targetRegions") and distributor.get("replicationRegions"):
        raise bad_value(place, "replicationRegions", ", ".join(distributor["replicationRegions"]))
    if distributor.get("storageAccountType") and not distributor.get("replicationRegions"):
        raise bad_value(place, "storageAccountType", distributor["storageAccountType"])
    _check_storage_type(distributor, place, OLD_STORAGE_TYPES if is_old else STORAGE_TYPES)
    for name in distributor.get("replicationRegions") or []:
        if not is_known(name):
            raise bad_value(place, "replicationRegions", name)
    for index, region in enumerate(distributor.get("targetRegions") or []):
        _check_target_region(region, f"{place}.targetRegions[{index}]")


def _check_target_region(region: Document, place: str) -> None:
    _require(region, ("name",), place)
    if not is_known(region["name"]):
        raise bad_value(place, "name", region["name"])
    if region.get("replicaCount", 1) < 1:
        raise bad_value(place, "replicaCount", region["replicaCount"])
    _check_storage_type(region, place, STORAGE_TYPES)


def _check_storage_type(holder: Document, place: str, known: tuple[str, ...]) -> None:
    if holder.get("storageAccountType") and holder["storageAccountType"] not in known:
        raise bad_value(place, "storageAccountType", holder["storageAccountType"])


def _check_versioning(versioning: Document, place: str) -> None:
    _require(versioning, ("scheme",), place)
    if versioning["scheme"] not in {"Latest", "Source"}:
        raise bad_value(place, "scheme", versioning["scheme"])
    if versioning.get("major", ANY_MAJOR) < ANY_MAJOR:
        raise bad_value(place, "major", versioning["major"])


def _check_gallery_image_id(distributor: Document, place: str) -> None:
    # A version may be pinned: .../images/{definition}/versions/{version}
    _require(distributor, ("galleryImageId",), place)
    text = distributor["galleryImageId"]
    is_pinned = "/versions/" in text.lower()
    kind = "Microsoft.Compute/galleries/images/versions" if is_pinned else "Microsoft.Compute/galleries/images"
    _check_id(text, "galleryImageId", place, kind)


def _check_vhd(distributor: Document, place: str, _: str) -> None:
    if distributor.get("uri"):
        _check_uri(distributor, "uri", place)


def _check_uri(step: Document, field: str, place: str) -> None:
    uri, checksum = step[field], step.get("sha256Checksum", "")
    if not _is_address(uri):
        raise bad_value(place, field, uri)
    if checksum and not CHECKSUM.fullmatch(checksum):
        raise bad_value(place, "sha256Checksum", checksum)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no address at all, or an impossible port
        return False


def _require(holder: Mapping[str, Any], fields: tuple[str, ...], place: str) -> None:
    for field in fields:
        if holder.get(field) in (None, "", [], {}):
            raise missing_field(place, field)


def _require_id(holder: Mapping[str, Any], field: str, place: str, resource_type: str) -> None:
    _require(holder, (field,), place)
    _check_id(holder[field], field, place, resource_type)


def _check_id(text: str, field: str, place: str, resource_type: str) -> None:
    try:
        resource_id = ResourceId.parse(text)
    except ResourceIdError:
        resource_id = None
    if resource_id is None or resource_id.resource_group_name is None or not resource_id.is_type(resource_type):
        raise bad_value(place, field, text)


STEP_CHECKS: dict[str, Callable[[Document, str], None]] = {
    "Shell": _check_script,
    "PowerShell": _check_script,
    "File": _check_file,
    "WindowsRestart": _check_restart,
    "WindowsUpdate": _check_update,
}
DISTRIBUTOR_CHECKS: dict[str, Callable[[Document, str, str], None]] = {
    "ManagedImage": _check_managed_image,
    "SharedImage": _check_shared_image,
    "VHD": _check_vhd,
}
