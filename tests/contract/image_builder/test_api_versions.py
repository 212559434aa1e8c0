"""The ten api-versions of image templates: what each knows, drops, refuses and shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.image_builder.calls import (
    IMAGE_TEMPLATES,
    ONE,
    SHELL,
    TO_VHD,
    create,
    document,
    group_id,
    to_gallery,
    to_managed_image,
)

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

VERSIONS = (
    "2018-02-01-preview",
    "2019-02-01-preview",
    "2019-05-01-preview",
    "2020-02-14",
    "2021-10-01",
    "2022-02-14",
    "2022-07-01",
    "2023-07-01",
    "2024-02-01",
    "2025-10-01",
)
STRICT = ("2024-02-01", "2025-10-01")
LATEST = VERSIONS[-1]
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000002"
GROUP_ID = group_id(SUBSCRIPTION)
SUBNET = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
IDENTITY = f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-builder"
PLATFORM = document(SUBSCRIPTION)["properties"]["source"]
PLAN = {"planName": "n", "planProduct": "p", "planPublisher": "b"}
SCRIPT = {"scriptUri": "https://example.com/s.ps1"}
POWERSHELL = {"type": "PowerShell", "name": "p", **SCRIPT}
FILE = {"type": "File", "name": "f", "sourceUri": "https://example.com/f", "destination": "/f"}
UPDATE = {"type": "WindowsUpdate", "name": "u", "updateLimit": 20}
REGION = {"name": "eastus", "replicaCount": 1}
SECOND, THIRD = VERSIONS[1:3]


def customizer(**members: Any) -> dict[str, Any]:
    """Return properties with one customizer."""
    return {"customize": [members]}


def distributor(**members: Any) -> dict[str, Any]:
    """Return properties with one gallery distributor."""
    return {"distribute": [to_gallery(SUBSCRIPTION, **members)]}


MEMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "customize/0/sha256Checksum": (THIRD, customizer(**POWERSHELL, sha256Checksum="0" * 64)),
    "customize/0/runElevated": (THIRD, customizer(**POWERSHELL, runElevated=True)),
    "customize/0/runAsSystem": ("2020-02-14", customizer(**POWERSHELL, runElevated=True, runAsSystem=True)),
    "buildTimeoutInMinutes": (THIRD, {"buildTimeoutInMinutes": 90}),
    "vmProfile/vmSize": (THIRD, {"vmProfile": {"vmSize": "Standard_D2ds_v4"}}),
    "vmProfile/osDiskSizeGB": ("2020-02-14", {"vmProfile": {"osDiskSizeGB": 64}}),
    "vmProfile/vnetConfig/subnetId": ("2020-02-14", {"vmProfile": {"vnetConfig": {"subnetId": SUBNET}}}),
    "source/planInfo/planName": ("2020-02-14", {"source": {**PLATFORM, "planInfo": PLAN}}),
    "distribute/0/excludeFromLatest": ("2020-02-14", distributor(excludeFromLatest=True)),
    "distribute/0/storageAccountType": ("2020-02-14", distributor(storageAccountType="Standard_ZRS")),
    "vmProfile/userAssignedIdentities": ("2021-10-01", {"vmProfile": {"userAssignedIdentities": [IDENTITY]}}),
    "vmProfile/vnetConfig/proxyVmSize": (
        "2021-10-01",
        {"vmProfile": {"vnetConfig": {"subnetId": SUBNET, "proxyVmSize": "Standard_A1_v2"}}},
    ),
    "validate/inVMValidations": ("2022-02-14", {"validate": {"inVMValidations": [SHELL]}}),
    "stagingResourceGroup": (
        "2022-02-14",
        {"stagingResourceGroup": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/staging"},
    ),
    "optimize/vmBoot/state": ("2022-07-01", {"optimize": {"vmBoot": {"state": "Enabled"}}}),
    "distribute/0/targetRegions": ("2022-07-01", distributor(replicationRegions=[], targetRegions=[REGION])),
    "distribute/0/versioning/scheme": ("2022-07-01", distributor(versioning={"scheme": "Source"})),
    "distribute/0/uri": ("2022-07-01", {"distribute": [{**TO_VHD, "uri": "https://a.blob.core.windows.net/c/d.vhd"}]}),
    "errorHandling/onCustomizerError": ("2023-07-01", {"errorHandling": {"onCustomizerError": "abort"}}),
    "autoRun/state": ("2024-02-01", {"autoRun": {"state": "Disabled"}}),
    "managedResourceTags": ("2024-02-01", {"managedResourceTags": {"a": "b"}}),
    "vmProfile/vnetConfig/containerInstanceSubnetId": (
        "2024-02-01",
        {"vmProfile": {"vnetConfig": {"subnetId": SUBNET, "containerInstanceSubnetId": f"{SUBNET}2"}}},
    ),
    "additionalDataDisks": ("2025-10-01", {"additionalDataDisks": [{"sizeGB": 32}]}),
    "optimize/workload/state": ("2025-10-01", {"optimize": {"workload": {"state": "Enabled", **SCRIPT}}}),
    "distribute/0/replicationMode": ("2025-10-01", distributor(replicationMode="Shallow")),
}
"""By place: the api-version that has a member first, and properties with it."""
OF_LATER_KINDS = (
    "customize/0/sha256Checksum",
    "customize/0/runElevated",
    "customize/0/runAsSystem",
    "distribute/0/uri",
)
"""The first preview does not even know what these are members of."""
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "PowerShell": (SECOND, customizer(**POWERSHELL)),
    "WindowsRestart": (SECOND, customizer(type="WindowsRestart", name="r")),
    "File": (THIRD, customizer(**FILE)),
    "WindowsUpdate": ("2020-02-14", customizer(**UPDATE)),
    "ManagedImage source": (
        SECOND,
        {"source": {"type": "ManagedImage", "imageId": f"{GROUP_ID}/providers/Microsoft.Compute/images/i"}},
    ),
    "SharedImageVersion": (
        THIRD,
        {
            "source": {
                "type": "SharedImageVersion",
                "imageVersionId": f"{GROUP_ID}/providers/Microsoft.Compute/galleries/g/images/d/versions/1.0.0",
            }
        },
    ),
    "VHD": (SECOND, {"distribute": [TO_VHD]}),
    "ManagedImage": (VERSIONS[0], {"distribute": [to_managed_image(SUBSCRIPTION)]}),
}
FIRST_NAMES = {"Shell": "shell", "ManagedImage": "managedImage", "SharedImage": "sharedImage"}
FILE_VALIDATOR = {"validate": {"inVMValidations": [FILE]}}


def at(properties: Any, place: str) -> Any:
    """Return what stands at a place; None when nothing does."""
    for name in place.split("/"):
        is_list = isinstance(properties, list)
        properties = properties[int(name)] if is_list else (properties or {}).get(name)
    return properties


def respell(body: dict[str, Any], api_version: str) -> None:
    """Call customizers and distributors as the api-version does."""
    if api_version == VERSIONS[0]:
        for place in ("customize", "distribute"):
            for step in body["properties"].get(place) or []:
                step["type"] = FIRST_NAMES.get(step["type"], step["type"])


def put(raw: RawArm, api_version: str, properties: dict[str, Any]) -> Any:
    """Put an image template of its own for an api-version; the first previews call scripts and kinds otherwise."""
    body = document(SUBSCRIPTION, **properties)
    if api_version == VERSIONS[0]:
        body["properties"].setdefault("customize", [])
        if body["properties"]["customize"] == [SHELL]:
            body["properties"]["customize"] = [{"type": "Shell", "name": "s", "script": SCRIPT["scriptUri"]}]
    if api_version < THIRD:
        for step in body["properties"]["customize"]:
            if "scriptUri" in step:
                step["script"] = step.pop("scriptUri")
    respell(body, api_version)
    return raw.send("PUT", f"{IMAGE_TEMPLATES}/of-{api_version}", body, api_version=api_version)


def what_became_of(raw: RawArm, api_version: str, place: str, properties: dict[str, Any]) -> str:
    """Put properties, and tell whether what stands at a place was kept, dropped or refused."""
    answer = put(raw, api_version, properties)
    if answer.status_code != 201:
        return told(answer)
    kept = raw.send("GET", f"{IMAGE_TEMPLATES}/of-{api_version}", api_version=LATEST).json()["properties"]
    return "kept" if at(kept, place) == at(properties, place) else "dropped"


def told(answer: Any) -> str:
    """Return in a word what became of a PUT."""
    if answer.status_code == 201:
        return "accepted"
    assert answer.status_code == 400
    body = answer.json()
    error = body.get("error", body)
    assert error["code"] == "ValidationFailed"
    return "unknown field" if "unknown field" in error["message"] else "bad value"


@pytest.mark.parametrize("place", MEMBERS)
def test_a_member_counts_since_its_version(raw: RawArm, place: str) -> None:
    """It is kept from then on; before, the strict versions refuse it and the others drop it in silence."""
    since, properties = MEMBERS[place]
    found = {api_version: what_became_of(raw, api_version, place, properties) for api_version in VERSIONS}
    before = {api_version: "unknown field" if api_version in STRICT else "dropped" for api_version in VERSIONS}
    if place in OF_LATER_KINDS:
        before[VERSIONS[0]] = "bad value"
    assert found == {api_version: "kept" if api_version >= since else before[api_version] for api_version in VERSIONS}


@pytest.mark.parametrize("place", MEMBERS)
def test_a_member_shows_since_its_version(raw: RawArm, place: str) -> None:
    """The caller's api-version decides what is shown, not the one that made the image template."""
    since, properties = MEMBERS[place]
    assert told(put(raw, LATEST, properties)) == "accepted"
    shown = {
        api_version: at(
            raw.send("GET", f"{IMAGE_TEMPLATES}/of-{LATEST}", api_version=api_version).json()["properties"], place
        )
        is not None
        for api_version in VERSIONS
    }
    assert shown == {api_version: api_version >= since for api_version in VERSIONS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known_since_its_version(raw: RawArm, kind: str) -> None:
    """A source, customizer or distributor of a later version is a bad value."""
    since, properties = KINDS[kind]
    found = {api_version: told(put(raw, api_version, properties)) for api_version in VERSIONS}
    assert found == {api_version: "accepted" if api_version >= since else "bad value" for api_version in VERSIONS}


def test_validators_of_files_are_known_since_2022_07_01(raw: RawArm) -> None:
    """Validators came first, those of files later; before there were any they are dropped."""
    found = {api_version: told(put(raw, api_version, FILE_VALIDATOR)) for api_version in VERSIONS}
    assert [api_version for api_version in VERSIONS if found[api_version] != "accepted"] == ["2022-02-14"]


def test_scripts_had_another_name_in_the_first_previews(raw: RawArm) -> None:
    """What is called scriptUri today was script before 2019-05-01-preview, in both directions."""
    steps = {"customize": [{"type": "Shell", "name": "s", **SCRIPT}]}
    for api_version in VERSIONS:
        assert what_became_of(raw, api_version, "customize/0/scriptUri", steps) == "kept", api_version
        answer = raw.send("GET", f"{IMAGE_TEMPLATES}/of-{api_version}", api_version=api_version)
        shown = answer.json()["properties"]["customize"][0]
        assert ("script" in shown, "scriptUri" in shown) == (api_version < THIRD, api_version >= THIRD), api_version


def test_errors_are_wrapped_since_2021_10_01(raw: RawArm) -> None:
    """Image Builder's own errors have no envelope before; those of Resource Manager always have one."""
    create(raw)
    for api_version in VERSIONS:
        refused = raw.send("PUT", ONE, document(SUBSCRIPTION, customize=[]), api_version=api_version).json()
        assert list(refused) == (["error"] if api_version >= "2021-10-01" else ["code", "message"]), api_version
        missing = raw.send("GET", f"{ONE}-missing", api_version=api_version).json()
        assert list(missing) == ["error"]


def test_members_are_ordered_by_version(raw: RawArm) -> None:
    """In 2020 the id came before tags and location, from 2021-10-01 on it comes after them."""
    create(raw)
    old = ["properties", "identity", "id", "name", "type", "location", "tags"]
    new = ["properties", "identity", "tags", "location", "id", "name", "type"]
    for api_version in VERSIONS:
        single = raw.send("GET", ONE, api_version=api_version).json()
        listed = raw.send("GET", IMAGE_TEMPLATES, api_version=api_version).json()["value"][0]
        names = [
            name for name in (new if api_version >= "2021-10-01" else old) if api_version >= THIRD or name != "identity"
        ]
        assert list(single) == list(listed) == names, api_version


def test_what_the_service_adds_by_version(raw: RawArm) -> None:
    """The exact version and both staging members exist since 2022-02-14, versioning since 2022-07-01."""
    create(raw)
    for api_version in VERSIONS:
        properties = raw.send("GET", ONE, api_version=api_version).json()["properties"]
        found = (
            "exactVersion" in properties["source"],
            "exactStagingResourceGroup" in properties,
            "stagingResourceGroup" in properties,
            "versioning" in properties["distribute"][0],
        )
        assert found == (*(api_version >= "2022-02-14",) * 3, api_version >= "2022-07-01"), api_version


@pytest.mark.parametrize("wrong", ["case", "unknown", "apiVersion"])
def test_only_the_strict_versions_are_strict(raw: RawArm, wrong: str) -> None:
    """A member in the wrong case, an unknown one, and a stray apiVersion are refused from 2024-02-01 on only."""
    for api_version in VERSIONS:
        body = document(SUBSCRIPTION, customize=[])
        if wrong == "case":
            body["properties"]["Source"] = body["properties"].pop("source")
        elif wrong == "unknown":
            body["properties"]["surprise"] = 1
        else:
            body["apiVersion"] = api_version
        respell(body, api_version)
        answer = raw.send("PUT", f"{IMAGE_TEMPLATES}/of-{api_version}", body, api_version=api_version)
        assert told(answer) == ("unknown field" if api_version in STRICT else "accepted"), api_version


def test_a_wrong_value_is_refused_in_every_version(raw: RawArm) -> None:
    """Casing of members does not count in old versions, that of values always does."""
    for api_version in VERSIONS:
        sent = {"customize": [], "distribute": [to_gallery(SUBSCRIPTION, type="sharedimage")]}
        answer = put(raw, api_version, sent)
        assert told(answer) == "bad value", api_version
        assert "Field 'distribute[0].type' has a bad value: ''" in answer.text


def test_an_identity_is_required_since_2020_02_14(raw: RawArm) -> None:
    """The previews did without: such an image template has none, and builds with rights of the service's own."""
    for api_version in VERSIONS:
        body = document(SUBSCRIPTION, customize=[], distribute=[to_managed_image(SUBSCRIPTION)])
        del body["identity"]
        respell(body, api_version)
        answer = raw.send("PUT", f"{IMAGE_TEMPLATES}/of-{api_version}", body, api_version=api_version)
        assert ("Missing field 'identity'" in answer.text) == (api_version >= "2020-02-14"), api_version
    raw.thread.control.advance(60)
    path = f"{IMAGE_TEMPLATES}/of-{VERSIONS[0]}"
    assert raw.send("POST", f"{path}/run", api_version=VERSIONS[0]).status_code == 202
    raw.thread.control.advance(600)
    found = raw.send("GET", path, api_version=VERSIONS[0]).json()
    assert ("identity" in found, found["properties"]["lastRunStatus"]["runState"]) == (False, "Succeeded")


def test_a_gallery_source_is_latest_since_2022_07_01(raw: RawArm) -> None:
    """Before, a gallery version has numbers."""
    version = f"{GROUP_ID}/providers/Microsoft.Compute/galleries/corp/images/linux-base/versions/latest"
    source = {"type": "SharedImageVersion", "imageVersionId": version}
    found = {api_version: told(put(raw, api_version, {"source": source})) for api_version in VERSIONS}
    assert found == {
        api_version: "accepted" if api_version >= "2022-07-01" else "bad value" for api_version in VERSIONS
    }


def test_triggers_are_served_since_2022_07_01(raw: RawArm) -> None:
    """Before, Resource Manager knows no such type."""
    create(raw)
    for api_version in VERSIONS:
        answer = raw.send("GET", f"{ONE}/triggers", api_version=api_version)
        assert answer.status_code == (200 if api_version >= "2022-07-01" else 400), api_version


def test_a_patch_of_the_vm_profile_counts_since_2024_02_01(raw: RawArm) -> None:
    """Older versions drop it, as they drop everything that they do not know."""
    create(raw)
    for number, api_version in enumerate(VERSIONS):
        change = {"properties": {"vmProfile": {"vmSize": f"Standard_D{number}"}}}
        assert raw.send("PATCH", ONE, change, api_version=api_version).status_code == 200
        kept = at(raw.send("GET", ONE).json()["properties"], "vmProfile/vmSize")
        assert (kept == f"Standard_D{number}") == (api_version >= "2024-02-01"), api_version


def test_the_page_says_what_each_version_has_first() -> None:
    """The table of the emulator's page names the members and kinds of each version, and no others."""
    page = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    expected: dict[str, set[str]] = {api_version: set() for api_version in VERSIONS}
    for name, (since, _) in {**MEMBERS, **KINDS}.items():
        expected[since].add(name.replace("/0", ""))
    rows = re.findall(r"^\| `(20\d\d-\d\d-\d\d(?:-preview)?)` \| (.*) \|$", page, re.MULTILINE)
    assert {api_version: set(re.findall("`([^`]+)`", cell)) for api_version, cell in rows} == expected
