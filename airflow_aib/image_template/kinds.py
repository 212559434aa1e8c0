"""The tables of what may stand in an image template: sources, customizers, validators, distributors and the rest.

They describe api-version 2025-10-01. Reading, upgrading and checking all follow them; a new kind is one more row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_aib.image_template.shapes import Family, Member, Shape, family, shape

API_VERSION = "2025-10-01"

LINUX, WINDOWS = ("Linux",), ("Windows",)


def _text(name: str, **more: Any) -> Member:
    return Member(name, "string", **more)


def _flag(name: str, **more: Any) -> Member:
    return Member(name, "boolean", **more)


def _number(name: str, **more: Any) -> Member:
    return Member(name, "integer", **more)


def _list(name: str, holds: Any, **more: Any) -> Member:
    return Member(name, "list", holds, **more)


def _object(name: str, holds: Shape | Family, **more: Any) -> Member:
    return Member(name, "object", holds, **more)


_TYPE = _text("type", is_required=True)
_NAME = _text("name")
_SCRIPT = (
    _text("scriptUri", former_names=("script",)),
    _text("sha256Checksum"),
    _list("inline", "string"),
)
_POWERSHELL = (
    *_SCRIPT,
    _flag("runElevated", default=False),
    _flag("runAsSystem", default=False),
    _list("validExitCodes", "integer", default=[0], former_names=("valid_exit_codes",)),
)
_FILE = (
    _text("sourceUri", is_required=True),
    _text("sha256Checksum"),
    _text("destination", is_required=True),
)

SOURCES = family(
    "source",
    shape(
        "PlatformImage",
        _TYPE,
        _text("publisher", is_required=True),
        _text("offer", is_required=True),
        _text("sku", is_required=True),
        _text("version"),
        _object(
            "planInfo",
            shape(
                "planInfo",
                _text("planName", is_required=True),
                _text("planProduct", is_required=True),
                _text("planPublisher", is_required=True),
            ),
        ),
    ),
    shape("ManagedImage", _TYPE, _text("imageId", is_required=True)),
    shape("SharedImageVersion", _TYPE, _text("imageVersionId", is_required=True)),
)

CUSTOMIZERS = family(
    "customizer",
    shape("Shell", _TYPE, _NAME, *_SCRIPT, os=LINUX),
    shape("PowerShell", _TYPE, _NAME, *_POWERSHELL),
    shape("File", _TYPE, _NAME, *_FILE),
    shape(
        "WindowsRestart",
        _TYPE,
        _NAME,
        _text("restartCommand", default='shutdown /r /f /t 0 /c "packer restart"'),
        _text("restartCheckCommand", default=""),
        _text("restartTimeout", default="5m"),
        os=WINDOWS,
    ),
    shape(
        "WindowsUpdate",
        _TYPE,
        _NAME,
        _text("searchCriteria", default="BrowseOnly=0 and IsInstalled=0"),
        _list("filters", "string", default=[]),
        _number("updateLimit", default=1000, least=0),
        os=WINDOWS,
    ),
)

VALIDATORS = family(
    "validator",
    shape("Shell", _TYPE, _NAME, *_SCRIPT, os=LINUX),
    shape("PowerShell", _TYPE, _NAME, *_POWERSHELL),
    shape("File", _TYPE, _NAME, *_FILE),
)

_STORAGE_ACCOUNT_TYPE = _text(
    "storageAccountType", default="Standard_LRS", values=("Standard_LRS", "Standard_ZRS", "Premium_LRS")
)
_DISTRIBUTOR = (
    _TYPE,
    _text("runOutputName", is_required=True),
    # The seeds' VHD distributor calls them `tags`; samples in the wild misspell them.
    Member("artifactTags", "texts", former_names=("tags", "aritfactTags")),
)

VERSIONINGS = family(
    "versioning",
    shape("Latest", _text("scheme", is_required=True), _number("major", default=-1, least=-1)),
    shape("Source", _text("scheme", is_required=True)),
    told_by="scheme",
)

DISTRIBUTORS = family(
    "distributor",
    shape("ManagedImage", *_DISTRIBUTOR, _text("imageId", is_required=True), _text("location", is_required=True)),
    shape(
        "SharedImage",
        *_DISTRIBUTOR,
        _text("galleryImageId", is_required=True),
        _list("replicationRegions", "string"),
        _list(
            "targetRegions",
            shape(
                "target region",
                _text("name", is_required=True),
                _number("replicaCount", default=1, least=1),
                _STORAGE_ACCOUNT_TYPE,
            ),
        ),
        _STORAGE_ACCOUNT_TYPE,
        _flag("excludeFromLatest", default=False),
        _text("replicationMode", default="Full", values=("Full", "Shallow")),
        _object("versioning", VERSIONINGS),
    ),
    shape("VHD", *_DISTRIBUTOR, _text("uri")),
)

_STATE = _text("state", values=("Enabled", "Disabled"))

PROPERTIES = shape(
    "image template",
    _object("source", SOURCES, is_required=True),
    _list("customize", CUSTOMIZERS, default=[]),
    _object(
        "validate",
        shape(
            "validate",
            _list("inVMValidations", VALIDATORS, default=[]),
            _flag("continueDistributeOnFailure", default=False),
            _flag("sourceValidationOnly", default=False),
        ),
    ),
    _object(
        "optimize",
        shape(
            "optimize",
            _object("vmBoot", shape("vmBoot", _STATE)),
            _object("workload", shape("workload", _STATE, _text("scriptUri"), _text("sha256Checksum"))),
        ),
    ),
    _list("distribute", DISTRIBUTORS, is_required=True),
    _object(
        "errorHandling",
        shape(
            "errorHandling",
            _text("onCustomizerError", default="cleanup", values=("cleanup", "abort")),
            _text("onValidationError", default="cleanup", values=("cleanup", "abort")),
        ),
    ),
    _number("buildTimeoutInMinutes", default=240, least=0, most=960),
    _object(
        "vmProfile",
        shape(
            "vmProfile",
            _text("vmSize"),
            _number("osDiskSizeGB", default=0, least=0),
            _list("userAssignedIdentities", "string", default=[]),
            _object(
                "vnetConfig",
                shape(
                    "vnetConfig",
                    _text("subnetId"),
                    _text("containerInstanceSubnetId"),
                    _text("proxyVmSize", default="Standard_A1_v2"),
                ),
            ),
        ),
    ),
    _text("stagingResourceGroup"),
    _object("autoRun", shape("autoRun", _STATE)),
    Member("managedResourceTags", "texts"),
    _list("additionalDataDisks", shape("data disk", _number("sizeGB", least=0))),
)

# What Azure adds to an answer and nobody sends.
READ_ONLY = {
    "/properties": ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup"),
    "/properties/source": ("exactVersion",),
}


def all_members(holder: Any = PROPERTIES) -> Iterator[Member]:
    """Give every member of the properties, however deep."""
    if isinstance(holder, Family):
        for kind in holder.kinds.values():
            yield from all_members(kind)
    elif isinstance(holder, Shape):
        for member in holder.members.values():
            yield member
            yield from all_members(member.holds)


_WINDOWS_PUBLISHERS = ("microsoftwindows", "microsoftsqlserver", "microsoftvisualstudio")
_LINUX_PUBLISHERS = (
    "canonical", "redhat", "suse", "debian", "oracle", "openlogic", "almalinux", "resf", "erockyenterprisesoftware",
    "microsoftcblmariner", "kinvolk",
)  # fmt: skip


def target_os(properties: Mapping[str, Any]) -> str | None:
    """Tell `Linux` or `Windows` from the source's publisher, else from the customizers; None where nothing tells."""
    source = properties.get("source")
    publisher = str(source.get("publisher", "")).casefold() if isinstance(source, Mapping) else ""
    if publisher.startswith(_WINDOWS_PUBLISHERS):
        return "Windows"
    if publisher.startswith(_LINUX_PUBLISHERS):
        return "Linux"
    told = {kind.os[0] for kind in _kinds_used(properties) if len(kind.os) == 1}
    return told.pop() if len(told) == 1 else None


def _kinds_used(properties: Mapping[str, Any]) -> Iterator[Shape]:
    customize = properties.get("customize")
    for customizer in customize if isinstance(customize, list) else ():
        kind = CUSTOMIZERS.kind_of(customizer) if isinstance(customizer, Mapping) else None
        if kind is not None:
            yield kind
