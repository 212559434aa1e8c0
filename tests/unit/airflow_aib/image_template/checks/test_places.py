from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.checks.findings import findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, body, platform_image

GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/corp"
TRIGGER = "Microsoft.VirtualMachineImages/imageTemplates/triggers"


def gallery_image(**members: Any) -> dict[str, Any]:
    """Build a distributor to a gallery."""
    return {"type": "SharedImage", "runOutputName": "g", "galleryImageId": f"{GALLERY}/images/linux", **members}


def deployed(image_template: dict[str, Any], *siblings: dict[str, Any], **parameters: Any) -> list[str]:
    """Check an image template of a deployment file; return the rules."""
    own = {"type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "linux", **image_template}
    declared = {name: {"type": "string"} for name in parameters}
    document = read_document({"parameters": declared, "resources": [own, *siblings]})
    return [finding.rule for finding in check(render(document, parameters, CONTEXT))]


@pytest.mark.parametrize("name", ["eastus", "West US 2", "usgovvirginia", "eastus2euap", "australiacentral2"])
def test_regions(name: str) -> None:
    """A region is written with or without blanks, in any letter case."""
    assert rules(body() | {"location": name}) == []
    assert rules(distribute=[gallery_image(targetRegions=[{"name": name}])]) == []


def test_all_regions_that_are_as_near_are_named() -> None:
    """Nobody is sent to the other end of a continent by the order of the alphabet."""
    (several,) = findings(body() | {"location": "estus"})
    (numbered,) = findings(body() | {"location": "West US 9"})

    assert several.hint == "Is 'eastus' or 'westus' meant?"
    assert numbered.hint == "Is 'westus', 'westus2' or 'westus3' meant?"


@pytest.mark.parametrize("name", ["east-us", "2westus", "east_us", "westus2;", "[region]"])
def test_regions_of_no_form(name: str) -> None:
    """What has no form of a region is doubtful wherever it stands."""
    assert rules(body() | {"location": name}) == ["warning region-form"]
    assert rules(distribute=[gallery_image(targetRegions=[{"name": name}])]) == ["warning region-form"]


@pytest.mark.parametrize(
    ("location", "regions", "expected"),
    [
        ("westeurope", ["eastus"], ["regions-gallery"]),
        ("West Europe", ["eastus", "westeurope"], []),
        ("[parameters('home')]", ["eastus"], ["regions-gallery"]),
        ("[parameters('home')]", ["West Europe"], []),
        ("[reference('x').location]", ["eastus"], []),
        ("westeurope", [], []),
    ],
)
def test_the_region_of_the_gallery(location: str, regions: list[str], expected: list[str]) -> None:
    """Where the file makes the gallery and its region is known, that region is among the others."""
    gallery = {"type": "Microsoft.Compute/galleries", "name": "[concat('c', 'orp')]", "location": location}
    target = gallery_image(targetRegions=[{"name": name} for name in regions])

    assert deployed(body(distribute=[target]), gallery, home="westeurope") == expected


def test_another_gallery_does_not_count() -> None:
    """A gallery of another name says nothing about the region."""
    gallery = {"type": "Microsoft.Compute/galleries", "name": "other", "location": "westeurope"}

    assert deployed(body(distribute=[gallery_image(targetRegions=[{"name": "eastus"}])]), gallery) == []


@pytest.mark.parametrize(
    ("source", "distributor", "expected"),
    [
        (platform_image(), gallery_image(), []),
        (platform_image() | {"version": "1.2.3"}, gallery_image(), ["trigger-source"]),
        (
            {"type": "ManagedImage", "imageId": f"{GROUP}/providers/Microsoft.Compute/images/i"},
            gallery_image(),
            ["trigger-source"],
        ),
        (
            {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY}/images/base/versions/latest"},
            gallery_image(),
            [],
        ),
        (
            {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY}/images/base/versions/1.0.0"},
            gallery_image(),
            ["trigger-source"],
        ),
        (
            {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY}/images/LINUX/versions/latest"},
            gallery_image(),
            ["source-is-target"],
        ),
        (platform_image(), gallery_image(galleryImageId=f"{GALLERY}/images/linux/versions/1.0.0"), ["version-pinned"]),
    ],
)
@pytest.mark.parametrize("is_inside", [False, True])
def test_triggers(source: dict[str, Any], distributor: dict[str, Any], expected: list[str], *, is_inside: bool) -> None:
    """A trigger beside the image template or inside it needs the newest source, and an image of another name."""
    image_template = body(source=source, distribute=[distributor])
    if is_inside:
        found = deployed(image_template | {"resources": [{"type": "triggers", "name": "t"}]})
        assert found == ["member-left-out", *expected]
    else:
        assert deployed(image_template, {"type": TRIGGER, "name": "[concat('linux', '/t')]"}) == expected


def test_the_trigger_of_another_image_template() -> None:
    """A trigger counts for its own image template only."""
    image_template = body(source=platform_image() | {"version": "1.2.3"})

    assert deployed(image_template, {"type": TRIGGER, "name": "windows/t"}) == []


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-beta"])
def test_versions_of_galleries(version: str) -> None:
    """A gallery's versions are three numbers, of a source and of a target."""
    image_id = f"{GALLERY}/images/linux/versions/{version}"

    assert rules(source={"type": "SharedImageVersion", "imageVersionId": image_id}) == ["warning gallery-version-form"]
    assert rules(distribute=[gallery_image(galleryImageId=image_id)]) == [
        "warning gallery-version-form",
        "warning version-pinned",
    ]


@pytest.mark.parametrize(
    ("version", "expected"), [("latest", []), ("18.04.202401161", []), ("new", ["warning source-version-form"])]
)
def test_versions_of_platform_images(version: str, expected: list[str]) -> None:
    """A platform image's version is a word or numbers."""
    assert rules(source=platform_image() | {"version": version}) == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (f"{GROUP}-staging", []),
        (GROUP.upper().replace("SUBSCRIPTIONS", "subscriptions"), ["warning staging-own-group"]),
        ("/subscriptions/0/resourceGroups/staging", ["warning staging-subscription"]),
        (f"{GROUP}.", ["error staging-name-form"]),
        (f"{GROUP}{'x' * 90}", ["error staging-name-form"]),
        (f"{GROUP}!", ["error staging-name-form"]),
        ("", []),
    ],
)
def test_staging_groups(group: str, expected: list[str]) -> None:
    """The staging group has a good name, and is another one of the same subscription."""
    assert rules(stagingResourceGroup=group) == expected


@pytest.mark.parametrize(
    "tags",
    [{str(number): "x" for number in range(51)}, {"x" * 513: ""}, {"a": "x" * 257}, {"a&b": "c"}, {"a/b": "c"}],
)
def test_tags(tags: dict[str, str]) -> None:
    """Azure refuses such tags of the image template at once; others only when the build is over."""
    assert rules(body() | {"tags": tags}) == ["error tag-form"]
    assert rules(managedResourceTags=tags) == ["warning tag-form"]
    assert rules(distribute=[{"type": "VHD", "runOutputName": "v", "artifactTags": tags}]) == ["warning tag-form"]


def test_good_tags() -> None:
    """Names with dots, blanks and colons are good."""
    assert rules(body() | {"tags": {"a.b:c d": "x/y?z"}}) == []


def test_tags_of_the_service() -> None:
    """The service's own tags are left to it, in any letter case."""
    (finding,) = findings(managedResourceTags={"ImageTemplateName": "x"})

    assert (finding.rule, finding.path) == ("tag-reserved", "/properties/managedResourceTags/ImageTemplateName")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Standard_D1_v2", ["warning vm-size-small"]),
        ("standard_ds1_v2", ["warning vm-size-small"]),
        ("Standard_B1ms", ["warning vm-size-small"]),
        ("Basic_A0", ["warning vm-size-small"]),
        ("Standard_F1s", ["warning vm-size-small"]),
        ("Standard_D2s_v5", []),
        ("Standard_D16s_v5", []),
        ("Standard_NC6s_v3", []),
        ("Standard_M128s", []),
        ("D2s_v5", ["warning vm-size-form"]),
        ("Standard D2s v5", ["warning vm-size-form"]),
    ],
)
def test_sizes_for_windows(size: str, expected: list[str]) -> None:
    """One core is too small for Windows."""
    windows = platform_image("MicrosoftWindowsServer")

    assert rules(source=windows, customize=[], vmProfile={"vmSize": size}) == expected
    assert rules(vmProfile={"vmSize": size}) == [rule for rule in expected if rule.endswith("form")]


@pytest.mark.parametrize(
    ("sku", "expected"), [("2022-datacenter", ["warning vm-size-small"]), ("2022-datacenter-g2", [])]
)
def test_the_default_size(sku: str, expected: list[str]) -> None:
    """Where no size is given, images of generation 1 are updated on one core."""
    windows = platform_image("MicrosoftWindowsServer") | {"sku": sku}

    assert rules(source=windows, customize=[{"type": "WindowsUpdate"}]) == expected
    assert rules(source=windows, customize=[{"type": "WindowsRestart"}]) == []


@pytest.mark.parametrize(
    ("size", "expected"), [(0, []), (127, []), (4096, ["warning os-disk-size"]), (20, ["warning os-disk-size"])]
)
def test_disks_for_windows(size: int, expected: list[str]) -> None:
    """A system disk is as large as the source's, and no larger than Azure's largest."""
    windows = platform_image("MicrosoftWindowsServer")

    assert rules(source=windows, customize=[], vmProfile={"osDiskSizeGB": size}) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"validate": {"inVMValidations": []}}, []),
        ({"validate": {"sourceValidationOnly": False}}, []),
        ({"validate": {"sourceValidationOnly": True}, "customize": []}, ["warning validate-nothing"]),
        ({"optimize": {"workload": {"state": "Disabled"}}}, []),
        (
            {"errorHandling": {"onCustomizerError": "cleanup", "onValidationError": "abort"}},
            ["warning error-handling-abort"],
        ),
    ],
)
def test_what_has_an_effect(properties: dict[str, Any], expected: list[str]) -> None:
    """Settings without an effect are doubtful, and so is what stays after a failure."""
    assert rules(**properties) == expected
