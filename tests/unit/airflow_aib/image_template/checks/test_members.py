from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_template.checks.members import check_shape
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS
from tests.unit.airflow_aib.image_template.sample_documents import IDENTITY, platform_image

if TYPE_CHECKING:
    from airflow_aib.image_template.finding import Finding

PREVIEW = "2019-05-01-preview"


def resource(**properties: Any) -> dict[str, Any]:
    """Build a body that most api-versions take, with some properties replaced."""
    good = {"source": platform_image(), "distribute": [{"type": "VHD", "runOutputName": "vhd"}]}
    return {
        "location": "eastus",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "properties": good | properties,
    }


def found(api_version: str, **properties: Any) -> list[Finding]:
    """Compare a good body, with some properties replaced, with an api-version's tables."""
    return list(check_shape(resource(**properties), api_version))


def rules(api_version: str, **properties: Any) -> list[str]:
    """Return severity and rule of each finding."""
    return [f"{finding.severity} {finding.rule}" for finding in found(api_version, **properties)]


@pytest.mark.parametrize("api_version", API_VERSIONS[2:])
def test_a_body_without_name_and_version(api_version: str) -> None:
    """What is sent has neither name, type nor api-version in it, and needs none."""
    assert rules(api_version) == []


@pytest.mark.parametrize("api_version", API_VERSIONS[2:])
def test_a_whole_resource(api_version: str) -> None:
    """They may stand there, as may what orders a deployment, and what Azure adds to its answers."""
    whole = resource() | {
        "type": "Microsoft.VirtualMachineImages/imageTemplates",
        "apiVersion": api_version,
        "name": "linux",
        "dependsOn": [],
        "comments": "",
        "id": "/subscriptions/s",
    }
    whole["properties"] |= {"provisioningState": "Succeeded", "lastRunStatus": None}
    whole["properties"]["source"]["exactVersion"] = "1.0.0"
    whole["identity"]["principalId"] = "p"

    assert list(check_shape(whole, api_version)) == []


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("name", "a b", "error member-form"),
        ("name", "a" * 65, "error member-form"),
        ("apiVersion", "2020-02-14", "error member-value"),
        ("type", "Microsoft.Compute/images", "error member-value"),
        ("location", None, "error member-required"),
        ("location", "", "warning member-empty"),
        ("location", 5, "error member-type"),
        ("identity", None, "error member-required"),
        ("identity", {"type": "SystemAssigned"}, "error member-value"),
        ("identity", {"userAssignedIdentities": [IDENTITY]}, "error member-type"),
        ("identity", {"userAssignedIdentities": {IDENTITY: None}}, "error member-type"),
        ("tags", {"a": 1}, "error member-type"),
        ("properties", None, "error member-required"),
        ("zones", ["1"], "error member-unknown"),
        ("Location", "eastus", "error member-case"),
        ("resources", [{"type": "triggers"}], "error member-required"),
    ],
)
def test_the_resource_itself(member: str, value: Any, expected: str) -> None:
    """Name, region, tags, identity and triggers have their shapes too."""
    found = list(check_shape(resource() | {member: value}, API_VERSION))

    assert {f"{finding.severity} {finding.rule}" for finding in found} == {expected}


def test_dots_in_names() -> None:
    """A name may have a dot since 2019-05-01-preview, and the hint says what it may have."""
    body = resource(distribute=[{"type": "VHD", "runOutputName": "a.b"}])
    del body["identity"]
    (finding,) = check_shape(body, "2019-02-01-preview")

    assert (finding.rule, finding.path) == ("member-form", "/properties/distribute/0/runOutputName")
    assert finding.hint == "Write 1 to 64 letters, digits, underscores and hyphens."
    assert list(check_shape(body, PREVIEW)) == []


@pytest.mark.parametrize(
    ("api_version", "expected"),
    [
        (PREVIEW, ["warning member-version"]),
        ("2023-07-01", ["warning member-version"]),
        ("2024-02-01", []),
        ("2025-10-01", []),
    ],
)
def test_members_of_later_versions(api_version: str, expected: list[str]) -> None:
    """A member that came later is a warning where the service ignored what it did not know."""
    assert rules(api_version, autoRun={"state": "Enabled"}) == expected


def test_members_of_later_versions_in_a_strict_one() -> None:
    """A member that came later is an error where the service refuses what it does not know, and says since when."""
    (finding,) = found("2024-02-01", additionalDataDisks=[{"sizeGB": 4}])

    assert (finding.severity, finding.rule) == ("error", "member-version")
    assert finding.path == "/properties/additionalDataDisks"
    assert "only since 2025-10-01" in finding.message


def test_the_network_of_the_preview() -> None:
    """The preview names the network by three members, of which later ones know nothing; the hint says what to write."""
    network = {"vnetConfig": {"name": "v", "subnetName": "s", "resourceGroupName": "g"}}

    assert rules(PREVIEW, vmProfile=network) == []
    assert rules("2020-02-14", vmProfile=network) == ["warning member-version"] * 3
    assert rules("2024-02-01", vmProfile=network) == ["error member-version"] * 3
    assert all("subnetId" in finding.hint for finding in found("2024-02-01", vmProfile=network))


@pytest.mark.parametrize(
    ("api_version", "member", "expected", "hint"),
    [
        (PREVIEW, "script", ["warning member-version"], "Write 'scriptUri'."),
        (PREVIEW, "SCRIPT", ["warning member-version"], "Write 'scriptUri'."),
        ("2024-02-01", "script", ["error member-version"], "Write 'scriptUri'."),
        (PREVIEW, "scripturi", ["warning member-case"], "Write 'scriptUri'."),
        ("2024-02-01", "scripturi", ["error member-case"], "Write 'scriptUri'."),
        (PREVIEW, "scriptUrl", ["warning member-unknown"], "Is 'scriptUri' meant?"),
        ("2024-02-01", "scriptUrl", ["error member-unknown"], "Is 'scriptUri' meant?"),
        ("2024-02-01", "zzz", ["error member-unknown"], "Known are type, name, scriptUri, sha256Checksum, inline."),
    ],
)
def test_spellings(api_version: str, member: str, expected: list[str], hint: str) -> None:
    """Another version's spelling, another letter case and a slip of the pen are told apart, each with its mend."""
    shell = {"type": "Shell", member: "https://a/b"}

    assert rules(api_version, customize=[shell]) == expected
    assert found(api_version, customize=[shell])[0].hint == hint


def test_spellings_before_they_were_changed() -> None:
    """A spelling that came later is said to be one, with the one of the api-version."""
    body = resource(customize=[{"type": "Shell", "scriptUri": "https://a/b"}])
    del body["identity"]
    (finding,) = check_shape(body, "2019-02-01-preview")

    assert (finding.severity, finding.rule) == ("warning", "member-version")
    assert "since 2019-05-01-preview" in finding.message
    assert finding.hint == "Write 'script'."


def test_spellings_that_only_documents_have() -> None:
    """A spelling that no api-version ever had is unknown, and its mend is known."""
    (finding,) = found(PREVIEW, distribute=[{"type": "VHD", "runOutputName": "v", "tags": {}}])

    assert (finding.rule, finding.hint) == ("member-unknown", "Write 'artifactTags'.")


def test_values_behind_another_letter_case() -> None:
    """A member in another letter case is there, and its value is compared."""
    assert rules("2020-02-14", Source=platform_image(), source=None) == ["warning member-case"]
    assert rules("2020-02-14", BUILDTIMEOUTINMINUTES="x") == ["warning member-case", "error member-type"]


@pytest.mark.parametrize(
    ("api_version", "told", "expected", "hint"),
    [
        ("2020-02-14", "shell", "kind-unknown", "Write 'Shell'."),
        ("2024-02-01", "shell", "kind-unknown", "Write 'Shell'."),
        ("2019-05-01-preview", "WindowsUpdate", "kind-version", ""),
        ("2020-02-14", "WindowsUpdat", "kind-unknown", "Is 'WindowsUpdate' meant?"),
        ("2020-02-14", "Ansible", "kind-unknown", "Known are Shell, PowerShell, File, WindowsRestart, WindowsUpdate."),
        ("2020-02-14", ["Shell"], "kind-unknown", ""),
    ],
)
def test_kinds(api_version: str, told: object, expected: str, hint: str) -> None:
    """A wrong kind fails in every api-version, in another letter case too."""
    (finding,) = found(api_version, customize=[{"type": told}])

    assert (finding.severity, finding.rule, finding.path) == ("error", expected, "/properties/customize/0/type")
    assert hint in finding.hint


def test_kinds_of_2018() -> None:
    """In 2018 some kinds began with a small letter."""
    body = {
        "location": "eastus",
        "properties": {
            "source": platform_image(),
            "customize": [{"type": "shell", "script": "https://a/b"}, {"type": "Shell"}],
            "distribute": [],
        },
    }
    (finding,) = check_shape(body, "2018-02-01-preview")

    assert (finding.rule, finding.hint) == ("kind-unknown", "Write 'shell'.")


def test_iso_sources() -> None:
    """An ISO source has the shape of the previews, and is none since."""
    iso = {"type": "ISO", "sourceUri": "https://a/b.iso", "sha256Checksum": "c"}

    assert rules(PREVIEW, source=iso) == []
    assert rules(PREVIEW, source=iso | {"sourceURI": "x"}) == ["warning member-case"]
    assert rules("2020-02-14", source=iso) == ["error kind-version"]
    assert "only until 2019-05-01-preview" in found("2020-02-14", source=iso)[0].message


@pytest.mark.parametrize(
    ("api_version", "value", "expected"),
    [
        ("2022-02-14", "Premium_LRS", ["error member-value"]),
        ("2022-07-01", "Premium_LRS", []),
        ("2022-07-01", "premium_lrs", ["error member-value"]),
        ("2022-07-01", "", ["warning member-value"]),
    ],
)
def test_words(api_version: str, value: str, expected: list[str]) -> None:
    """The words of a member are those of the api-version; an empty one may pass for an absent one."""
    distributor = {
        "type": "SharedImage",
        "runOutputName": "s",
        "galleryImageId": "i",
        "replicationRegions": [],
        "storageAccountType": value,
    }

    assert rules(api_version, distribute=[distributor]) == expected


def test_replication_regions() -> None:
    """Regions are required until 2022-02-14."""
    distributor = {"type": "SharedImage", "runOutputName": "s", "galleryImageId": "i"}

    assert rules("2022-02-14", distribute=[distributor]) == ["error member-required"]
    assert rules("2022-07-01", distribute=[distributor]) == []


@pytest.mark.parametrize(
    ("api_version", "severity", "hint"),
    [
        ("2025-10-02", "warning", "Is '2025-10-01' meant?"),
        ("2020-02-15", "error", "Is '2020-02-14' meant?"),
        ("x", "error", ""),
    ],
)
def test_api_versions_that_are_not_known(api_version: str, severity: str, hint: str) -> None:
    """An api-version that never was is an error; one that may have come since is doubtful."""
    (finding,) = found(api_version)

    assert (finding.severity, finding.rule, finding.path) == (severity, "api-version-unknown", "/apiVersion")
    assert hint in finding.hint


def test_paths_are_json_pointers() -> None:
    """A slash or tilde in a member's name is written as a JSON pointer has it."""
    (finding,) = found(API_VERSION, **{"a/b~c": 1})

    assert finding.path == "/properties/a~1b~0c"
