from __future__ import annotations

from typing import Any

import pytest

from tests.unit.airflow_aib.image_template.checks.findings import findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, IDENTITY, body, platform_image

COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"


def with_identity(identity: Any) -> list[str]:
    """Check a good image template with another identity."""
    image_template = body()
    del image_template["identity"]
    return rules(image_template if identity is None else image_template | {"identity": identity})


@pytest.mark.parametrize(
    ("properties", "message", "hint"),
    [
        (
            {"buildTimeoutInMinutes": "soon"},
            "must be a whole number, and is text",
            "Write a whole number, without quotes.",
        ),
        ({"buildTimeoutInMinutes": 1.5}, "must be a whole number, and is a fraction", "Write a whole number,"),
        ({"vmProfile": {"vmSize": 2}}, "'vmSize' must be text, and is a number", "Put it between quotes."),
        ({"vmProfile": {"vmSize": ["x"]}}, "'vmSize' must be text, and is a list", "Write one text."),
        ({"customize": "x"}, "'customize' must be a list, and is text", "Write a list, also of a single item."),
        ({"customize": ["x"]}, "Each item of 'customize' must be an object, and is text", "Write an object:"),
        (
            {"managedResourceTags": {"a": 1}},
            "'managedResourceTags' must be an object whose values are text",
            "numbers between",
        ),
    ],
)
def test_a_wrong_type_is_told_with_the_one_wanted(properties: dict[str, Any], message: str, hint: str) -> None:
    """What stands there, what must stand there, and how that is written."""
    said = [finding for finding in findings(**properties) if finding.rule == "member-type"]

    assert [(message in finding.message, hint in finding.hint) for finding in said] == [(True, True)]


@pytest.mark.parametrize("identity", [None, {}])
def test_identity_is_required(identity: Any) -> None:
    """Without an identity Azure refuses the image template."""
    assert with_identity(identity) == ["error identity-required"]


def test_identity_of_another_type() -> None:
    """A system-assigned identity is refused; none at all is doubtful."""
    assert with_identity({"type": "SystemAssigned"}) == ["error identity-type"]
    assert with_identity({"type": "None"}) == ["warning identity-required"]


def test_exactly_one_identity() -> None:
    """No identity and two identities are both refused."""
    two: dict[str, Any] = {IDENTITY: {}, f"{IDENTITY}2": {}}

    assert with_identity({"type": "UserAssigned"}) == ["error identity-single"]
    assert with_identity({"type": "UserAssigned", "userAssignedIdentities": {}}) == ["error identity-single"]
    assert with_identity({"type": "UserAssigned", "userAssignedIdentities": two}) == ["error identity-single"]


def test_identity_by_resource_id() -> None:
    """An identity is named by its resource id, in any letter case."""
    assert with_identity({"type": "UserAssigned", "userAssignedIdentities": {"builder": {}}}) == [
        "error resource-id-form"
    ]
    assert with_identity({"type": "UserAssigned", "userAssignedIdentities": {IDENTITY.lower(): {}}}) == []


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, []),
        (1, ["error timeout-too-short"]),
        (5, ["error timeout-too-short"]),
        (6, []),
        (960, []),
        (961, ["error member-range"]),
        (-1, ["error member-range"]),
        ("soon", ["error member-type"]),
        (True, ["error member-type"]),
        (None, []),
    ],
)
def test_timeouts(minutes: object, expected: list[str]) -> None:
    """1 to 5 minutes and more than 960 are refused; 0 and absent mean the default."""
    assert rules(buildTimeoutInMinutes=minutes) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(59, ["warning timeout-windows"]), (60, []), (0, [])])
def test_timeouts_for_windows(minutes: int, expected: list[str]) -> None:
    """Less than an hour is short for Windows."""
    assert (
        rules(buildTimeoutInMinutes=minutes, source=platform_image("MicrosoftWindowsServer"), customize=[]) == expected
    )


def test_iso_sources_are_gone() -> None:
    """An ISO source is refused with the dates on which it ended and what to use instead."""
    (finding,) = findings(source={"type": "ISO", "sourceURI": "https://a/rhel.iso", "sha256Checksum": "x"})

    assert (finding.severity, finding.rule) == ("error", "source-iso-retired")
    assert "31 March 2020" in finding.message
    assert "30 April 2020" in finding.message
    assert "BYOS" in finding.hint


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "ManagedImage", "imageId": f"{COMPUTE}/images/i"}, []),
        ({"type": "ManagedImage", "imageId": f"{COMPUTE}/galleries/g/images/i"}, ["error resource-id-form"]),
        ({"type": "ManagedImage", "imageId": "i"}, ["error resource-id-form"]),
        ({"type": "ManagedImage"}, ["error member-required"]),
        ({"type": "SharedImageVersion", "imageVersionId": f"{COMPUTE}/galleries/g/images/d/versions/1.0.0"}, []),
        ({"type": "SharedImageVersion", "imageVersionId": f"{COMPUTE}/galleries/g/images/d/versions/latest"}, []),
        (
            {"type": "SharedImageVersion", "imageVersionId": f"{COMPUTE}/galleries/g/images/d"},
            ["error resource-id-form"],
        ),
        (
            {"type": "SharedImageVersion", "imageVersionId": "/SharedGalleries/g/images/d/versions/1.0.0"},
            ["warning resource-id-form"],
        ),
        ({"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s"}, ["warning source-version"]),
        ({"type": "PlatformImage", "version": "latest"}, ["warning source-incomplete"]),
        (platform_image() | {"planInfo": {"planName": "a"}}, ["error member-required"] * 2),
        ({"type": "Quantum"}, ["error kind-unknown"]),
        ({}, ["error member-required"]),
        ("x", ["error member-type"]),
    ],
)
def test_sources(source: Any, expected: list[str]) -> None:
    """A source has a known kind, its members, and ids of the right form."""
    assert rules(source=source) == expected


def test_spaces_in_a_resource_id() -> None:
    """A space inside a resource id, as in the published sample, is pointed out."""
    image_id = f"{GROUP}/p  roviders/Microsoft.Compute/images/i"
    (finding,) = findings(source={"type": "ManagedImage", "imageId": image_id})

    assert "spaces" in finding.hint


@pytest.mark.parametrize(
    ("distributor", "expected"),
    [
        ({"type": "VHD", "runOutputName": "v", "uri": "https://a.blob.core.windows.net/c/b.vhd"}, []),
        ({"type": "VHD", "runOutputName": "v", "uri": "a/b"}, ["warning vhd-uri-form"]),
        ({"type": "VHD"}, ["error member-required"]),
        ({"type": "VHD", "runOutputName": "a b"}, ["error member-form"]),
        ({"type": "VHD", "runOutputName": "v", "artifactTags": {"a": 1}}, ["error member-type"]),
        (
            {"type": "ManagedImage", "runOutputName": "m", "imageId": f"{COMPUTE}/images/i", "location": "westus"},
            [],
        ),
        (
            {"type": "ManagedImage", "runOutputName": "m", "imageId": "i"},
            ["error member-required", "error resource-id-form"],
        ),
        ({"type": "SharedImage", "runOutputName": "s", "galleryImageId": f"{COMPUTE}/galleries/g/images/d"}, []),
        (
            {
                "type": "SharedImage",
                "runOutputName": "s",
                "galleryImageId": f"{COMPUTE}/galleries/g/images/d/versions/1.0.0",
            },
            ["warning version-pinned"],
        ),
        (
            {"type": "SharedImage", "runOutputName": "s", "galleryImageId": f"{COMPUTE}/galleries/g"},
            ["error resource-id-form"],
        ),
        (
            {
                "type": "SharedImage",
                "runOutputName": "s",
                "galleryImageId": f"{COMPUTE}/galleries/g/images/d",
                "targetRegions": [{"name": "westus"}],
                "replicationRegions": ["westus"],
            },
            ["error regions-twice"],
        ),
        (
            {
                "type": "SharedImage",
                "runOutputName": "s",
                "galleryImageId": f"{COMPUTE}/galleries/g/images/d",
                "storageAccountType": "Standard_ZRS",
                "targetRegions": [{"name": "westus", "replicaCount": 0}, {"replicaCount": 1}],
                "versioning": {"scheme": "Random"},
                "replicationMode": "Half",
            },
            [
                "error member-range",
                "error member-required",
                "error kind-unknown",
                "error member-value",
                "warning storage-account-type",
            ],
        ),
        ({"runOutputName": "x"}, ["error member-required"]),
        ("x", ["error member-type"]),
    ],
)
def test_distributors(distributor: Any, expected: list[str]) -> None:
    """A distributor has a known kind, its members, and ids of the right form."""
    assert rules(distribute=[distributor]) == expected


@pytest.mark.parametrize(("name", "severity"), [("out", "error"), ("OUT", "warning")])
def test_run_output_names_are_unique(name: str, severity: str) -> None:
    """Two distributors cannot share a run output name; in another letter case it is doubtful."""
    (finding,) = findings(distribute=[{"type": "VHD", "runOutputName": "out"}, {"type": "VHD", "runOutputName": name}])

    assert (finding.severity, finding.rule) == (severity, "run-output-name-unique")
    assert finding.path == "/properties/distribute/1/runOutputName"
    assert "/properties/distribute/0" in finding.message


def test_distributors_are_required() -> None:
    """An image that goes nowhere is an error, unless the source is only validated."""
    assert rules(distribute=None) == ["error member-required"]
    assert rules(distribute=[]) == ["error distribute-empty"]
    validate = {"sourceValidationOnly": True, "inVMValidations": [{"type": "Shell", "inline": ["true"]}]}

    assert rules(customize=None, distribute=[], validate=validate) == ["warning distribute-empty"]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"vmSize": "Standard_D2s_v3", "osDiskSizeGB": 0}, []),
        ({"osDiskSizeGB": -1}, ["error member-range"]),
        ({"osDiskSizeGB": "big"}, ["error member-type"]),
        ({"vmSize": 2}, ["error member-type"]),
        ({"vnetConfig": {"subnetId": SUBNET}}, []),
        ({"vnetConfig": {"subnetId": "s"}}, ["error resource-id-form"]),
        ({"vnetConfig": {"subnetId": SUBNET, "containerInstanceSubnetId": f"{SUBNET}2"}}, []),
        ({"vnetConfig": {"subnetId": SUBNET, "containerInstanceSubnetId": SUBNET}}, ["error network-subnets"]),
        (
            {"vnetConfig": {"subnetId": SUBNET, "containerInstanceSubnetId": SUBNET.replace("/v/", "/w/")}},
            ["error network-subnets"],
        ),
        ({"vnetConfig": {"containerInstanceSubnetId": SUBNET}}, ["error network-subnet-missing"]),
        (
            {
                "vnetConfig": {
                    "subnetId": SUBNET,
                    "containerInstanceSubnetId": f"{SUBNET}2",
                    "proxyVmSize": "Standard_A1_v2",
                }
            },
            ["error network-proxy-unused"],
        ),
        ({"vnetConfig": {"subnetId": SUBNET, "proxyVmSize": "Standard_A1_v2"}}, []),
        ({"userAssignedIdentities": [IDENTITY]}, []),
        ({"userAssignedIdentities": ["builder"]}, ["error resource-id-form"]),
        ({"userAssignedIdentities": {}}, ["error member-type"]),
        ("x", ["error member-type"]),
    ],
)
def test_vm_profiles(profile: Any, expected: list[str]) -> None:
    """The build VM's profile has the right types, ids and combinations."""
    assert rules(vmProfile=profile) == expected


def test_staging_resource_group() -> None:
    """The staging group is named by its resource id."""
    assert rules(stagingResourceGroup=f"/subscriptions/{CONTEXT.subscription_id}/resourceGroups/staging") == []
    assert rules(stagingResourceGroup="staging") == ["error resource-id-form"]


def test_unknown_members() -> None:
    """The current api-version refuses an unknown member; the nearest known one is named."""
    (finding,) = findings(buildTimeoutMinutes=60)

    assert (finding.severity, finding.rule) == ("error", "member-unknown")
    assert "buildTimeoutInMinutes" in finding.hint


def test_unknown_members_without_a_near_one() -> None:
    """Where no known member is near, all known ones are named."""
    (finding,) = findings(optimize={"zzz": 1})

    assert "vmBoot, workload" in finding.hint


def test_words_of_a_fixed_list() -> None:
    """A word that is not of the list is refused, with the list."""
    (finding,) = findings(errorHandling={"onCustomizerError": "explode"})

    assert (finding.rule, finding.severity) == ("member-value", "error")
    assert "cleanup, abort" in finding.message


def test_an_identity_without_an_id() -> None:
    """An empty id is none."""
    image_template = body() | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"": {}}}}

    assert rules(image_template) == ["error resource-id-form"]
