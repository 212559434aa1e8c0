from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.mgmt.imagebuilder import models

from airflow_aib.image_template.members.kinds import (
    CUSTOMIZERS,
    DISTRIBUTORS,
    PROPERTIES,
    SOURCES,
    VALIDATORS,
    VERSIONINGS,
    all_members,
    target_os,
)
from tests.unit.airflow_aib.image_template.sample_documents import platform_image

if TYPE_CHECKING:
    from airflow_aib.image_template.members.shapes import Family

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
