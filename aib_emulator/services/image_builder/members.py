"""Which members an image template has in which api-version, and how a sent document is read with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.refusal import bad_value, unknown_field

if TYPE_CHECKING:
    from collections.abc import Mapping

STRICT_SINCE = "2024-02-01"
"""From this api-version on, casing counts and unknown members are refused; before, they are dropped in silence."""
ANY = "2020-02-14"


@dataclass(frozen=True)
class Member:
    """Describe a member.

    :param since: the api-version that introduced it
    :param shape: what it holds; None for a plain value, a list of strings or free-form tags
    """

    since: str = ANY
    shape: Shape | None = None


@dataclass(frozen=True)
class Object:
    """Hold these members, written in this order."""

    members: Mapping[str, Member]


@dataclass(frozen=True)
class Each:
    """Hold a list of such things."""

    shape: Shape


@dataclass(frozen=True)
class ByType:
    """Hold one of several kinds, told apart by `type`; written in alphabetical order."""

    kinds: Mapping[str, tuple[str, Mapping[str, Member]]]


Shape = Object | Each | ByType

LEAF = Member()
SCRIPT = {"type": LEAF, "name": LEAF, "scriptUri": LEAF, "sha256Checksum": LEAF, "inline": LEAF}
POWERSHELL = {**SCRIPT, "runElevated": LEAF, "runAsSystem": LEAF, "validExitCodes": LEAF}
FILE = {"type": LEAF, "name": LEAF, "sourceUri": LEAF, "sha256Checksum": LEAF, "destination": LEAF}
RESTART = {"type": LEAF, "name": LEAF, "restartCommand": LEAF, "restartCheckCommand": LEAF, "restartTimeout": LEAF}
UPDATE = {"type": LEAF, "name": LEAF, "searchCriteria": LEAF, "filters": LEAF, "updateLimit": LEAF}
DISTRIBUTOR = {"type": LEAF, "runOutputName": LEAF, "artifactTags": LEAF}
STORAGE_TYPE = {"storageAccountType": LEAF}

PLAN = Object({"planName": LEAF, "planProduct": LEAF, "planPublisher": LEAF})
EXACT_VERSION = {"exactVersion": Member("2022-02-14")}
SOURCES = ByType(
    {
        "PlatformImage": (
            ANY,
            {
                "type": LEAF,
                "publisher": LEAF,
                "offer": LEAF,
                "sku": LEAF,
                "version": LEAF,
                **EXACT_VERSION,
                "planInfo": Member(shape=PLAN),
            },
        ),
        "ManagedImage": (ANY, {"type": LEAF, "imageId": LEAF}),
        "SharedImageVersion": (ANY, {"type": LEAF, "imageVersionId": LEAF, **EXACT_VERSION}),
    }
)
CUSTOMIZERS = ByType(
    {
        "Shell": (ANY, SCRIPT),
        "PowerShell": (ANY, POWERSHELL),
        "File": (ANY, FILE),
        "WindowsRestart": (ANY, RESTART),
        "WindowsUpdate": (ANY, UPDATE),
    }
)
VALIDATORS = ByType({"Shell": (ANY, SCRIPT), "PowerShell": (ANY, POWERSHELL), "File": ("2022-07-01", FILE)})
TARGET_REGION = Object({"name": LEAF, "replicaCount": LEAF, **STORAGE_TYPE})
VERSIONING = Object({"scheme": LEAF, "major": LEAF})
DISTRIBUTORS = ByType(
    {
        "ManagedImage": (ANY, {**DISTRIBUTOR, "imageId": LEAF, "location": LEAF}),
        "SharedImage": (
            ANY,
            {
                **DISTRIBUTOR,
                "galleryImageId": LEAF,
                "replicationRegions": LEAF,
                "excludeFromLatest": LEAF,
                **STORAGE_TYPE,
                "targetRegions": Member("2022-07-01", Each(TARGET_REGION)),
                "versioning": Member("2022-07-01", VERSIONING),
                "replicationMode": Member("2025-10-01"),
            },
        ),
        "VHD": (ANY, {**DISTRIBUTOR, "uri": Member("2022-07-01")}),
    }
)
VALIDATE = Object(
    {
        "continueDistributeOnFailure": LEAF,
        "sourceValidationOnly": LEAF,
        "inVMValidations": Member(shape=Each(VALIDATORS)),
    }
)
OPTIMIZE = Object(
    {
        "vmBoot": Member(shape=Object({"state": LEAF})),
        "workload": Member("2025-10-01", Object({"state": LEAF, "scriptUri": LEAF, "sha256Checksum": LEAF})),
    }
)
VNET = Object(
    {"subnetId": LEAF, "proxyVmSize": Member("2021-10-01"), "containerInstanceSubnetId": Member("2024-02-01")}
)
VM_PROFILE = Object(
    {
        "vmSize": LEAF,
        "osDiskSizeGB": LEAF,
        "userAssignedIdentities": Member("2021-10-01"),
        "vnetConfig": Member(shape=VNET),
    }
)
PROPERTIES = Object(
    {
        "source": Member(shape=SOURCES),
        "customize": Member(shape=Each(CUSTOMIZERS)),
        "optimize": Member("2022-07-01", OPTIMIZE),
        "validate": Member("2022-02-14", VALIDATE),
        "distribute": Member(shape=Each(DISTRIBUTORS)),
        "errorHandling": Member("2023-07-01", Object({"onCustomizerError": LEAF, "onValidationError": LEAF})),
        "provisioningState": LEAF,
        "provisioningError": LEAF,
        "lastRunStatus": LEAF,
        "buildTimeoutInMinutes": LEAF,
        "vmProfile": Member(shape=VM_PROFILE),
        "additionalDataDisks": Member("2025-10-01", Each(Object({"sizeGB": LEAF}))),
        "stagingResourceGroup": Member("2022-02-14"),
        "exactStagingResourceGroup": Member("2022-02-14"),
        "managedResourceTags": Member("2024-02-01"),
        "autoRun": Member("2024-02-01", Object({"state": LEAF})),
    }
)
IMAGE_TEMPLATE = Object(
    {
        "location": LEAF,
        "tags": LEAF,
        "identity": LEAF,
        "properties": Member(shape=PROPERTIES),
        "id": LEAF,
        "name": LEAF,
        "type": LEAF,
        "systemData": LEAF,
    }
)
READ_ONLY = ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup")


def read(value: Any, shape: Shape | None, api_version: str, place: str = "", field: str = "") -> Any:
    """Return `value` with its members named and ordered as the service does, or refuse it.

    :param place: where `value` stands, for messages, such as `ImageTemplate.properties`
    :param field: its name there, such as `distribute[0]`
    """
    if shape is None or value is None:
        return value
    if isinstance(shape, Each):
        if not isinstance(value, list):
            raise bad_value(place, field, value)
        return [read(item, shape.shape, api_version, place, f"{field}[{at}]") for at, item in enumerate(value)]
    if not isinstance(value, dict):
        raise bad_value(place, field, value)
    members = _members(value, shape, api_version, place, field)
    found = _named(value, members, api_version)
    inner = f"{place}.{field}" if place else "ImageTemplate"
    order = sorted(found) if isinstance(shape, ByType) else [name for name in members if name in found]
    return {name: read(found[name], members[name].shape, api_version, inner, name) for name in order}


def _members(
    value: Mapping[str, Any], shape: Object | ByType, api_version: str, place: str, field: str
) -> dict[str, Member]:
    if isinstance(shape, ByType):
        spelt = _named(value, {"type": LEAF}, api_version, is_probe=True).get("type")
        since, members = shape.kinds.get(spelt, (None, {})) if isinstance(spelt, str) else (None, {})
        if since is None or api_version < since:
            # Recorded: the message shows '' in place of the value that the service did not know.
            raise bad_value(place, f"{field}.type", "")
    else:
        members = shape.members
    return {name: member for name, member in members.items() if api_version >= member.since}


def _named(
    value: Mapping[str, Any], members: Mapping[str, Member], api_version: str, *, is_probe: bool = False
) -> dict[str, Any]:
    is_strict = api_version >= STRICT_SINCE
    spelling = {name if is_strict else name.lower(): name for name in members}
    found: dict[str, Any] = {}
    for sent, content in value.items():
        name = spelling.get(sent if is_strict else sent.lower())
        if name is not None:
            found[name] = content
        elif is_strict and not is_probe:
            raise unknown_field(sent)
    return found
