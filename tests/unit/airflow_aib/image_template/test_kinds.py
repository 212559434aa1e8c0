from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.imagebuilder import models

from airflow_aib.image_template.kinds import (
    API_VERSION,
    CUSTOMIZERS,
    DISTRIBUTORS,
    PROPERTIES,
    SOURCES,
    VALIDATORS,
    VERSIONINGS,
    all_members,
    target_os,
)
from airflow_aib.image_template.shapes import Family, Shape
from tests.unit.airflow_aib.image_template.sample_documents import platform_image

SCHEMA = Path(__file__).resolve().parents[5] / "shared" / "reference" / "schemas" / f"{API_VERSION}.json"

SDK_KINDS = {
    "PlatformImage": models.ImageTemplatePlatformImageSource,
    "ManagedImage source": models.ImageTemplateManagedImageSource,
    "SharedImageVersion": models.ImageTemplateSharedImageVersionSource,
    "Shell": models.ImageTemplateShellCustomizer,
    "PowerShell": models.ImageTemplatePowerShellCustomizer,
    "File": models.ImageTemplateFileCustomizer,
    "WindowsRestart": models.ImageTemplateRestartCustomizer,
    "WindowsUpdate": models.ImageTemplateWindowsUpdateCustomizer,
    "Shell validator": models.ImageTemplateShellValidator,
    "PowerShell validator": models.ImageTemplatePowerShellValidator,
    "File validator": models.ImageTemplateFileValidator,
    "ManagedImage": models.ImageTemplateManagedImageDistributor,
    "SharedImage": models.ImageTemplateSharedImageDistributor,
    "VHD": models.ImageTemplateVhdDistributor,
    "Latest": models.DistributeVersionerLatest,
    "Source": models.DistributeVersionerSource,
}

OUR_KINDS = {
    **SOURCES.kinds,
    "ManagedImage source": SOURCES.kinds["ManagedImage"],
    **CUSTOMIZERS.kinds,
    **{f"{name} validator": kind for name, kind in VALIDATORS.kinds.items()},
    **DISTRIBUTORS.kinds,
    **VERSIONINGS.kinds,
}


def sdk_members(model: Any) -> set[str]:
    """Return the wire names of a model's members that can be sent."""
    fields = model({})._attr_to_rest_field.values()
    return {field._rest_name for field in fields if field._visibility != ["read"]}


def sdk_kinds(base: Any) -> set[str]:
    """Return the values of `type` for which the SDK has a model."""
    return {str(getattr(name, "value", name)) for name in base.__mapping__}


@pytest.mark.parametrize(
    ("ours", "base"),
    [
        (SOURCES, models.ImageTemplateSource),
        (CUSTOMIZERS, models.ImageTemplateCustomizer),
        (VALIDATORS, models.ImageTemplateInVMValidator),
        (DISTRIBUTORS, models.ImageTemplateDistributor),
        (VERSIONINGS, models.DistributeVersioner),
    ],
)
def test_families_have_the_sdks_kinds(ours: Family, base: Any) -> None:
    """Our tables know exactly the kinds that the SDK knows."""
    assert set(ours.kinds) == sdk_kinds(base)


@pytest.mark.parametrize("name", SDK_KINDS)
def test_kinds_have_the_sdks_members(name: str) -> None:
    """Each kind has exactly the members that the SDK can send."""
    assert set(OUR_KINDS[name].members) == sdk_members(SDK_KINDS[name])


def test_properties_are_the_sdks() -> None:
    """The image template itself has exactly the members that the SDK can send."""
    assert set(PROPERTIES.members) == sdk_members(models.ImageTemplateProperties)


@pytest.mark.skipif(not SCHEMA.exists(), reason="the official schemas stand beside the repository, and are not there")
def test_limits_are_the_schemas() -> None:
    """Limits, words and required members of the official schema are ours too."""
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    problems = [
        problem for shape in _shapes(PROPERTIES) for problem in _differences(shape, definitions) if problem is not None
    ]

    assert problems == []


SCHEMA_NAMES = {
    "image template": "ImageTemplateProperties",
    "vmProfile": "ImageTemplateVmProfile",
    "vnetConfig": "VirtualNetworkConfig",
    "validate": "ImageTemplatePropertiesValidate",
    "errorHandling": "ImageTemplatePropertiesErrorHandling",
    "target region": "TargetRegion",
    "planInfo": "PlatformImagePurchasePlan",
    "data disk": "DataDisk",
    "autoRun": "ImageTemplateAutoRun",
    "SharedImage": "ImageTemplateSharedImageDistributor",
    "WindowsUpdate": "ImageTemplateWindowsUpdateCustomizer",
    "Latest": "DistributeVersionerLatest",
}


def _shapes(holder: Any) -> list[Shape]:
    kinds = list(holder.kinds.values()) if isinstance(holder, Family) else [holder] if isinstance(holder, Shape) else []
    return kinds + [inner for kind in kinds for member in kind.members.values() for inner in _shapes(member.holds)]


def _differences(shape: Shape, definitions: dict[str, Any]) -> list[str | None]:
    if shape.name not in SCHEMA_NAMES:
        return []
    definition = definitions[SCHEMA_NAMES[shape.name]]
    problems: list[str | None] = [
        f"{shape.name}.{name} is required"
        for name in definition.get("required", [])
        if not shape.members[name].is_required
    ]
    for name, declared in definition["properties"].items():
        plain: dict[str, Any] = next((one for one in declared.get("oneOf", [declared]) if "$ref" not in one), {})
        member = shape.members[name]
        ours = (member.least, member.most, tuple(member.values))
        theirs = (plain.get("minimum"), plain.get("maximum"), tuple(plain.get("enum", ())))
        is_told = name in {"type", "scheme"}
        problems.append(None if ours == theirs or is_told else f"{shape.name}.{name}: {ours}, not {theirs}")
    return problems


def test_members_are_found_by_any_spelling() -> None:
    """A member is found by its name in any letter case, and by its former names."""
    powershell = CUSTOMIZERS.kinds["PowerShell"]

    assert {getattr(powershell.member(name), "name", None) for name in ("validExitCodes", "VALIDEXITCODES")} == {
        "validExitCodes"
    }
    assert getattr(powershell.member("valid_exit_codes"), "name", None) == "validExitCodes"
    assert powershell.member("nothing") is None


def test_kinds_are_found_in_any_letter_case() -> None:
    """A kind is found whatever its letter case, and whatever is no kind is not."""
    assert CUSTOMIZERS.find("SHELL") is CUSTOMIZERS.kinds["Shell"]
    assert CUSTOMIZERS.kind_of({"Type": "shell"}) is CUSTOMIZERS.kinds["Shell"]
    assert CUSTOMIZERS.kind_of({}) is None
    assert CUSTOMIZERS.find(["Shell"]) is None


def test_members_of_one_name_agree_on_their_default() -> None:
    """Comparing bodies goes by member names: one name has one default everywhere."""
    defaults: dict[str, set[str]] = {}
    for member in all_members():
        defaults.setdefault(member.name, set()).add(repr(member.default))

    assert {name: found for name, found in defaults.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"source": platform_image("MicrosoftWindowsServer")}, "Windows"),
        ({"source": platform_image("microsoftwindowsdesktop")}, "Windows"),
        ({"source": platform_image("Canonical")}, "Linux"),
        ({"source": platform_image("RedHat"), "customize": [{"type": "WindowsUpdate"}]}, "Linux"),
        ({"source": platform_image("contoso")}, None),
        ({"source": {"type": "ManagedImage"}, "customize": [{"type": "WindowsRestart"}]}, "Windows"),
        ({"source": {"type": "ManagedImage"}, "customize": [{"type": "shell"}, {"type": "File"}]}, "Linux"),
        ({"customize": [{"type": "PowerShell"}]}, None),
        ({"customize": [{"type": "Shell"}, {"type": "WindowsUpdate"}]}, None),
        ({"source": None, "customize": None}, None),
        ({"customize": ["x", None, {}]}, None),
    ],
)
def test_target_os(properties: dict[str, Any], expected: str | None) -> None:
    """The system is told by the publisher, else by the customizers, and else it is not known."""
    assert target_os(properties) == expected
