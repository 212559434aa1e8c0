"""Which members an image template has in which api-version, and how a sent document is read with that."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.refusal import bad_value, unknown_field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STRICT_SINCE = "2024-02-01"
"""From this api-version on, casing counts and unknown members are refused; before, they are dropped in silence."""
EVER = ""
SECOND_PREVIEW = "2019-02-01-preview"
THIRD_PREVIEW = "2019-05-01-preview"
FIRST = "2020-02-14"
"""The first api-version that is no preview."""
FIRST_NAMES = {"Shell": "shell", "ManagedImage": "managedImage", "SharedImage": "sharedImage"}
"""How the first preview calls some kinds."""


@dataclass(frozen=True)
class Leaf:
    """Hold a plain value.

    :param fits: whether a value is of the right kind
    """

    fits: Callable[[Any], bool]


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
    """Hold one of several kinds, told apart by `type`; written in alphabetical order.

    :param kinds: by today's name: the api-version that introduced a kind, and its members
    """

    kinds: Mapping[str, tuple[str, Mapping[str, Member]]]

    def kind_of(self, name: Any, api_version: str) -> str | None:
        """Return today's name of a kind, or None when the api-version has none that is called so."""
        known = [kind for kind, (since, _) in self.kinds.items() if api_version >= since]
        return next((kind for kind in known if _kind_name(kind, api_version) == name), None)


Shape = Leaf | Object | Each | ByType


@dataclass(frozen=True)
class Member:
    """Describe a member.

    :param since: the api-version that introduced it
    :param shape: what it holds
    :param former: the api-version that gave it its name, and how it was called before
    """

    since: str = EVER
    shape: Shape = Leaf(lambda value: isinstance(value, str))
    former: tuple[str, str] | None = None

    def name_in(self, api_version: str, name: str) -> str:
        """Return how a member that is called `name` today is called in an api-version."""
        return self.former[1] if self.former is not None and api_version < self.former[0] else name


def _kind_name(kind: str, api_version: str) -> str:
    return FIRST_NAMES.get(kind, kind) if api_version < SECOND_PREVIEW else kind


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_tags(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


TEXT = Member()
NUMBER = Member(shape=Leaf(_is_number))
FLAG = Member(shape=Leaf(lambda value: isinstance(value, bool)))
TAGS = Member(shape=Leaf(_is_tags))
TEXTS = Member(shape=Each(TEXT.shape))
NUMBERS = Member(shape=Each(NUMBER.shape))
ANYTHING = Member(shape=Leaf(lambda _: True))
SCRIPT = {
    "type": TEXT,
    "name": TEXT,
    "scriptUri": Member(former=(THIRD_PREVIEW, "script")),
    "sha256Checksum": Member(THIRD_PREVIEW),
    "inline": Member(SECOND_PREVIEW, TEXTS.shape),
}
POWERSHELL = {
    **SCRIPT,
    "runElevated": Member(THIRD_PREVIEW, FLAG.shape),
    "runAsSystem": Member(FIRST, FLAG.shape),
    "validExitCodes": NUMBERS,
}
FILE = {"type": TEXT, "name": TEXT, "sourceUri": TEXT, "sha256Checksum": TEXT, "destination": TEXT}
RESTART = {"type": TEXT, "name": TEXT, "restartCommand": TEXT, "restartCheckCommand": TEXT, "restartTimeout": TEXT}
UPDATE = {"type": TEXT, "name": TEXT, "searchCriteria": TEXT, "filters": TEXTS, "updateLimit": NUMBER}
DISTRIBUTOR = {"type": TEXT, "runOutputName": TEXT, "artifactTags": TAGS}
STORAGE_TYPE = {"storageAccountType": Member(FIRST)}

PLAN = Object({"planName": TEXT, "planProduct": TEXT, "planPublisher": TEXT})
EXACT_VERSION = {"exactVersion": Member("2022-02-14")}
SOURCES = ByType(
    {
        "PlatformImage": (
            EVER,
            {
                "type": TEXT,
                "publisher": TEXT,
                "offer": TEXT,
                "sku": TEXT,
                "version": TEXT,
                **EXACT_VERSION,
                "planInfo": Member(FIRST, PLAN),
            },
        ),
        "ManagedImage": (SECOND_PREVIEW, {"type": TEXT, "imageId": TEXT}),
        "SharedImageVersion": (THIRD_PREVIEW, {"type": TEXT, "imageVersionId": TEXT, **EXACT_VERSION}),
    }
)
CUSTOMIZERS = ByType(
    {
        "Shell": (EVER, SCRIPT),
        "PowerShell": (SECOND_PREVIEW, POWERSHELL),
        "File": (THIRD_PREVIEW, FILE),
        "WindowsRestart": (SECOND_PREVIEW, RESTART),
        "WindowsUpdate": (FIRST, UPDATE),
    }
)
VALIDATORS = ByType({"Shell": (EVER, SCRIPT), "PowerShell": (EVER, POWERSHELL), "File": ("2022-07-01", FILE)})
TARGET_REGION = Object({"name": TEXT, "replicaCount": NUMBER, **STORAGE_TYPE})
VERSIONING = Object({"scheme": TEXT, "major": NUMBER})
DISTRIBUTORS = ByType(
    {
        "ManagedImage": (EVER, {**DISTRIBUTOR, "imageId": TEXT, "location": TEXT}),
        "SharedImage": (
            EVER,
            {
                **DISTRIBUTOR,
                "galleryImageId": TEXT,
                "replicationRegions": TEXTS,
                "excludeFromLatest": Member(FIRST, FLAG.shape),
                **STORAGE_TYPE,
                "targetRegions": Member("2022-07-01", Each(TARGET_REGION)),
                "versioning": Member("2022-07-01", VERSIONING),
                "replicationMode": Member("2025-10-01"),
            },
        ),
        "VHD": (SECOND_PREVIEW, {**DISTRIBUTOR, "uri": Member("2022-07-01")}),
    }
)
VALIDATE = Object(
    {
        "continueDistributeOnFailure": FLAG,
        "sourceValidationOnly": FLAG,
        "inVMValidations": Member(shape=Each(VALIDATORS)),
    }
)
OPTIMIZE = Object(
    {
        "vmBoot": Member(shape=Object({"state": TEXT})),
        "workload": Member("2025-10-01", Object({"state": TEXT, "scriptUri": TEXT, "sha256Checksum": TEXT})),
    }
)
VNET = Object(
    {"subnetId": TEXT, "proxyVmSize": Member("2021-10-01"), "containerInstanceSubnetId": Member("2024-02-01")}
)
VM_PROFILE = Object(
    {
        "vmSize": TEXT,
        "osDiskSizeGB": Member(FIRST, NUMBER.shape),
        "userAssignedIdentities": Member("2021-10-01", TEXTS.shape),
        "vnetConfig": Member(FIRST, VNET),
    }
)
PROPERTIES = Object(
    {
        "source": Member(shape=SOURCES),
        "customize": Member(shape=Each(CUSTOMIZERS)),
        "optimize": Member("2022-07-01", OPTIMIZE),
        "validate": Member("2022-02-14", VALIDATE),
        "distribute": Member(shape=Each(DISTRIBUTORS)),
        "errorHandling": Member("2023-07-01", Object({"onCustomizerError": TEXT, "onValidationError": TEXT})),
        "provisioningState": ANYTHING,
        "provisioningError": ANYTHING,
        "lastRunStatus": ANYTHING,
        "buildTimeoutInMinutes": Member(THIRD_PREVIEW, NUMBER.shape),
        "vmProfile": Member(THIRD_PREVIEW, VM_PROFILE),
        "additionalDataDisks": Member("2025-10-01", Each(Object({"sizeGB": NUMBER}))),
        "stagingResourceGroup": Member("2022-02-14"),
        "exactStagingResourceGroup": Member("2022-02-14", ANYTHING.shape),
        "managedResourceTags": Member("2024-02-01", TAGS.shape),
        "autoRun": Member("2024-02-01", Object({"state": TEXT})),
    }
)
IDENTITY = Member(THIRD_PREVIEW, ANYTHING.shape)
IMAGE_TEMPLATE = Object(
    {
        "location": TEXT,
        "tags": TAGS,
        "identity": IDENTITY,
        "properties": Member(shape=PROPERTIES),
        "id": TEXT,
        "name": TEXT,
        "type": TEXT,
        "systemData": ANYTHING,
    }
)
CHANGEABLE = Object({"distribute": Member(shape=Each(DISTRIBUTORS)), "vmProfile": Member("2024-02-01", VM_PROFILE)})
IMAGE_TEMPLATE_UPDATE = Object({"tags": TAGS, "identity": IDENTITY, "properties": Member(shape=CHANGEABLE)})
"""What a PATCH may hold."""
TRIGGER = Object(
    {
        "properties": Member(shape=Object({"kind": TEXT, "provisioningState": ANYTHING, "status": ANYTHING})),
        "id": TEXT,
        "name": TEXT,
        "type": TEXT,
        "systemData": ANYTHING,
    }
)
READ_ONLY = ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup")


def read(value: Any, shape: Shape, api_version: str, place: str = "", field: str = "") -> Any:
    """Return `value` with its members named and ordered as the service does, or refuse it.

    :param place: where `value` stands, for messages, such as `ImageTemplate.properties`
    :param field: its name there, such as `distribute[0]`
    """
    if isinstance(shape, Leaf):
        if not shape.fits(value):
            raise bad_value(place, field, value)
        return value
    if isinstance(shape, Each):
        if not isinstance(value, list):
            raise bad_value(place, field, value)
        return [read(item, shape.shape, api_version, place, f"{field}[{at}]") for at, item in enumerate(value)]
    if not isinstance(value, dict):
        raise bad_value(place, field, value)
    members = _members(value, shape, api_version, place, field)
    found = _named(value, members, api_version)
    if isinstance(shape, ByType):
        found["type"] = shape.kind_of(found["type"], api_version)
    inner = f"{place}.{field}" if place else "ImageTemplate"
    order = sorted(found) if isinstance(shape, ByType) else [name for name in members if name in found]
    return {name: read(found[name], members[name].shape, api_version, inner, name) for name in order}


def shown(value: Any, shape: Shape, api_version: str) -> Any:
    """Return a copy of what is kept, without the members that the api-version does not have."""
    if value is None or isinstance(shape, Leaf):
        return copy.deepcopy(value)
    if isinstance(shape, Each):
        return [shown(item, shape.shape, api_version) for item in value]
    members = shape.kinds[value["type"]][1] if isinstance(shape, ByType) else shape.members
    known = {name: member for name, member in members.items() if api_version >= member.since}
    found = {
        known[name].name_in(api_version, name): shown(part, known[name].shape, api_version)
        for name, part in value.items()
        if name in known
    }
    return {**found, "type": _kind_name(value["type"], api_version)} if isinstance(shape, ByType) else found


def _members(
    value: Mapping[str, Any], shape: Object | ByType, api_version: str, place: str, field: str
) -> dict[str, Member]:
    if isinstance(shape, ByType):
        kind = shape.kind_of(_named(value, {"type": TEXT}, api_version, is_probe=True).get("type"), api_version)
        if kind is None:
            # Recorded: the message shows '' in place of the value that the service did not know.
            raise bad_value(place, f"{field}.type", "")
        members = shape.kinds[kind][1]
    else:
        members = shape.members
    return {name: member for name, member in members.items() if api_version >= member.since}


def _named(
    value: Mapping[str, Any], members: Mapping[str, Member], api_version: str, *, is_probe: bool = False
) -> dict[str, Any]:
    is_strict = api_version >= STRICT_SINCE
    called = {member.name_in(api_version, name): name for name, member in members.items()}
    spelling = {former if is_strict else former.lower(): name for former, name in called.items()}
    found: dict[str, Any] = {}
    for sent, content in value.items():
        name = spelling.get(sent if is_strict else sent.lower())
        if name is not None:
            if content is not None:  # null is as good as absent
                found[name] = content
        elif is_strict and not is_probe:
            raise unknown_field(sent)
    return found
