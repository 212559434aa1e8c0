"""The tables of what may stand in an image template, in every api-version: one row a member, a new kind is one more.

A row says what is so today. `since` and `until` name the first and the last api-version that have it, where not all
do, and `earlier` what differed until one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from airflow_aib.image_template.members.api_versions import API_VERSIONS
from airflow_aib.image_template.members.shapes import Family, Member, Shape, family, shape

LINUX, WINDOWS = ("Linux",), ("Windows",)

# Names of image templates, run outputs and triggers.
NAME = r"[A-Za-z0-9-_.]{1,64}"
_WITHOUT_DOT: Any = {"2019-02-01-preview": {"pattern": r"[A-Za-z0-9-_]{1,64}"}}

# In 2018 some kinds began with a small letter.
_SMALL = "2018-02-01-preview"


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
_CHECKSUM = _text("sha256Checksum", since="2019-05-01-preview")
_SCRIPT = (
    _text("scriptUri", earlier={"2019-02-01-preview": {"name": "script"}}),
    _CHECKSUM,
    _list("inline", "string", since="2019-02-01-preview"),
)
_POWERSHELL = (
    *_SCRIPT,
    _flag("runElevated", default=False, since="2019-05-01-preview"),
    _flag("runAsSystem", default=False, since="2020-02-14"),
    _list("validExitCodes", "integer", default=[0], former_names=("valid_exit_codes",)),
)
_FILE = (_text("sourceUri"), _CHECKSUM, _text("destination"))

SOURCES = family(
    "source",
    shape(
        "PlatformImage",
        _TYPE,
        _text("publisher"),
        _text("offer"),
        _text("sku"),
        _text("version"),
        _object(
            "planInfo",
            shape(
                "planInfo",
                _text("planName", is_required=True),
                _text("planProduct", is_required=True),
                _text("planPublisher", is_required=True),
            ),
            since="2020-02-14",
        ),
    ),
    shape("ManagedImage", _TYPE, _text("imageId", is_required=True), since="2019-02-01-preview"),
    shape("SharedImageVersion", _TYPE, _text("imageVersionId", is_required=True), since="2019-05-01-preview"),
    shape(
        "ISO",
        _TYPE,
        _text("sourceUri", is_required=True, earlier={"2019-02-01-preview": {"name": "sourceURI"}}),
        _text("sha256Checksum", is_required=True),
        until="2019-05-01-preview",
    ),
)

CUSTOMIZERS = family(
    "customizer",
    shape("Shell", _TYPE, _NAME, *_SCRIPT, os=LINUX, earlier={_SMALL: {"name": "shell"}}),
    shape("PowerShell", _TYPE, _NAME, *_POWERSHELL, since="2019-02-01-preview"),
    shape("File", _TYPE, _NAME, *_FILE, since="2019-05-01-preview"),
    shape(
        "WindowsRestart",
        _TYPE,
        _NAME,
        _text("restartCommand", default='shutdown /r /f /t 0 /c "packer restart"'),
        _text("restartCheckCommand", default=""),
        _text("restartTimeout", default="5m"),
        os=WINDOWS,
        since="2019-02-01-preview",
    ),
    shape(
        "WindowsUpdate",
        _TYPE,
        _NAME,
        _text("searchCriteria", default="BrowseOnly=0 and IsInstalled=0"),
        _list("filters", "string", default=[]),
        _number("updateLimit", default=1000, least=0),
        os=WINDOWS,
        since="2020-02-14",
    ),
)

VALIDATORS = family(
    "validator",
    shape("Shell", _TYPE, _NAME, *_SCRIPT, os=LINUX),
    shape("PowerShell", _TYPE, _NAME, *_POWERSHELL),
    shape("File", _TYPE, _NAME, *_FILE, since="2022-07-01"),
)

_STORAGE_ACCOUNT_TYPE = _text(
    "storageAccountType",
    default="Standard_LRS",
    values=("Standard_LRS", "Standard_ZRS", "Premium_LRS"),
    since="2020-02-14",
    earlier={"2022-02-14": {"values": ("Standard_LRS", "Standard_ZRS")}},
)
_DISTRIBUTOR = (
    _TYPE,
    _text("runOutputName", is_required=True, pattern=NAME, earlier=_WITHOUT_DOT),
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
    shape(
        "ManagedImage",
        *_DISTRIBUTOR,
        _text("imageId", is_required=True),
        _text("location", is_required=True),
        earlier={_SMALL: {"name": "managedImage"}},
    ),
    shape(
        "SharedImage",
        *_DISTRIBUTOR,
        _text("galleryImageId", is_required=True),
        _list("replicationRegions", "string", earlier={"2022-02-14": {"is_required": True}}),
        _list(
            "targetRegions",
            shape(
                "target region",
                _text("name", is_required=True),
                _number("replicaCount", default=1, least=1),
                _STORAGE_ACCOUNT_TYPE,
            ),
            since="2022-07-01",
        ),
        _STORAGE_ACCOUNT_TYPE,
        _flag("excludeFromLatest", default=False, since="2020-02-14"),
        _text("replicationMode", default="Full", values=("Full", "Shallow"), since="2025-10-01"),
        _object("versioning", VERSIONINGS, since="2022-07-01"),
        earlier={_SMALL: {"name": "sharedImage"}},
    ),
    shape("VHD", *_DISTRIBUTOR, _text("uri", since="2022-07-01"), since="2019-02-01-preview"),
)

_STATE = _text("state", values=("Enabled", "Disabled"))
_SUBNET_ID = "Write 'subnetId', the resource id of the subnet."

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
        since="2022-02-14",
    ),
    _object(
        "optimize",
        shape(
            "optimize",
            _object("vmBoot", shape("vmBoot", _STATE)),
            _object(
                "workload", shape("workload", _STATE, _text("scriptUri"), _text("sha256Checksum")), since="2025-10-01"
            ),
        ),
        since="2022-07-01",
    ),
    _list("distribute", DISTRIBUTORS, is_required=True),
    _object(
        "errorHandling",
        shape(
            "errorHandling",
            _text("onCustomizerError", default="cleanup", values=("cleanup", "abort")),
            _text("onValidationError", default="cleanup", values=("cleanup", "abort")),
        ),
        since="2023-07-01",
    ),
    _number("buildTimeoutInMinutes", default=240, least=0, most=960, since="2019-05-01-preview"),
    _object(
        "vmProfile",
        shape(
            "vmProfile",
            _text("vmSize"),
            _number("osDiskSizeGB", default=0, least=0, since="2020-02-14"),
            _list("userAssignedIdentities", "string", default=[], since="2021-10-01"),
            _object(
                "vnetConfig",
                shape(
                    "vnetConfig",
                    _text("subnetId", since="2020-02-14"),
                    _text("containerInstanceSubnetId", since="2024-02-01"),
                    _text("proxyVmSize", default="Standard_A1_v2", since="2021-10-01"),
                    # Documented in the preview, though its schema has no network at all.
                    _text("name", until="2019-05-01-preview", instead=_SUBNET_ID),
                    _text("subnetName", until="2019-05-01-preview", instead=_SUBNET_ID),
                    _text("resourceGroupName", until="2019-05-01-preview", instead=_SUBNET_ID),
                ),
            ),
        ),
        since="2019-05-01-preview",
    ),
    _text("stagingResourceGroup", since="2022-02-14"),
    _object("autoRun", shape("autoRun", _STATE), since="2024-02-01"),
    Member("managedResourceTags", "texts", since="2024-02-01"),
    _list("additionalDataDisks", shape("data disk", _number("sizeGB", least=0)), since="2025-10-01"),
)

_API_VERSION = _text("apiVersion", earlier={one: {"values": (one,)} for one in API_VERSIONS})

TRIGGERS = family("trigger", shape("SourceImage", _text("kind", is_required=True)), told_by="kind")

RESOURCE = shape(
    "resource",
    # Where a body is sent, its address says these three.
    _text("type", values=("Microsoft.VirtualMachineImages/imageTemplates",)),
    _API_VERSION,
    _text("name", pattern=NAME, earlier=_WITHOUT_DOT),
    _text("location", is_required=True),
    Member("tags", "texts"),
    _object(
        "identity",
        shape(
            "identity",
            _text("type", values=("UserAssigned", "None")),
            Member("userAssignedIdentities", "objects"),
        ),
        is_required=True,
        since="2019-05-01-preview",
        earlier={"2019-05-01-preview": {"is_required": False}},
    ),
    _object("properties", PROPERTIES, is_required=True),
    _list(
        "resources",
        shape(
            "trigger",
            _text("type", is_required=True, values=("triggers",)),
            replace(_API_VERSION, is_required=True),
            _text("name", is_required=True, pattern=NAME),
            _object("properties", TRIGGERS, is_required=True),
        ),
        since="2022-07-01",
    ),
)
