from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_template.fingerprint import MARK_PREFIX, differences, fingerprint
from airflow_aib.image_template.region import normal_region
from tests.reference_files import answered_body, sent_body
from tests.unit.airflow_aib.image_template.sample_documents import IDENTITY, PARAMETERS, body, rendered_sample

GALLERY_IMAGE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d"


def shared_image(**members: Any) -> dict[str, Any]:
    """Build a distributor."""
    return {"type": "SharedImage", "runOutputName": "sig", "galleryImageId": GALLERY_IMAGE, **members}


def as_azure_answers(sent: dict[str, Any]) -> dict[str, Any]:
    """Add what the service adds to what was sent."""
    answer = copy.deepcopy(sent)
    properties = answer["properties"]
    properties["source"]["exactVersion"] = "18.04.202401161"
    for customizer in properties.get("customize", []):
        customizer.setdefault("sha256Checksum", "ade4c5214c3c675e92c66e2d067a870c5b81b9844b3de3cc72c49ff36425fc93")
    for distributor in properties["distribute"]:
        distributor.setdefault("artifactTags", {})
        if distributor["type"] == "SharedImage":
            distributor.setdefault("excludeFromLatest", False)
            distributor.setdefault("versioning", None)
    properties |= {
        "provisioningState": "Succeeded",
        "buildTimeoutInMinutes": properties.get("buildTimeoutInMinutes", 0),
        "stagingResourceGroup": properties.get("stagingResourceGroup", ""),
        "exactStagingResourceGroup": "/subscriptions/s/resourceGroups/IT_x",
        "vmProfile": {"vmSize": "", "osDiskSizeGB": 0} | properties.get("vmProfile", {}),
        "lastRunStatus": {"runState": "Succeeded"},
    }
    assigned = answer["identity"]["userAssignedIdentities"]
    answer["identity"]["userAssignedIdentities"] = {key: {"principalId": "p", "clientId": "c"} for key in assigned}
    return {"tags": {}, **answer, "id": "/subscriptions/s/x", "name": "t", "type": "T", "systemData": {}}


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_azure_adds_is_no_difference(name: str) -> None:
    """Each sample is equal to what the service answers for it."""
    sent = rendered_sample(name).body

    assert differences(sent, as_azure_answers(sent)) == []


@pytest.mark.parametrize(
    ("kind", "member", "default"),
    [
        ("WindowsRestart", "restartCommand", 'shutdown /r /f /t 0 /c "packer restart"'),
        ("WindowsRestart", "restartCheckCommand", ""),
        ("WindowsRestart", "restartTimeout", "5m"),
        ("WindowsUpdate", "searchCriteria", "BrowseOnly=0 and IsInstalled=0"),
        ("WindowsUpdate", "updateLimit", 1000),
        ("PowerShell", "runElevated", False),
        ("PowerShell", "validExitCodes", [0]),
    ],
)
def test_a_documented_default_is_no_difference(kind: str, member: str, default: object) -> None:
    """A customizer that writes what holds anyway builds the same, and one that writes anything else does not."""
    plain = body(customize=[{"type": kind}])
    written, other = (body(customize=[{"type": kind, member: value}]) for value in (default, "something else"))

    assert fingerprint(written) == fingerprint(plain)
    assert fingerprint(other) != fingerprint(plain)


@pytest.mark.parametrize("minutes", [0, 240])
def test_a_build_has_240_minutes_where_nothing_is_said(minutes: int) -> None:
    """Nothing, 0 and 240 are the same."""
    assert fingerprint(body(buildTimeoutInMinutes=minutes)) == fingerprint(body())
    assert fingerprint(body(buildTimeoutInMinutes=241)) != fingerprint(body())


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("put-template-201", "put-template-201"),
        ("put-template-201-managed-image-defaults", "put-template-201-managed-image-defaults"),
        ("put-template-201", "get-template-created"),
        ("put-template-201", "get-template-building"),
        ("put-template-201", "get-template-run-succeeded"),
    ],
)
def test_recorded_answers_equal_what_was_sent(sent: str, answered: str) -> None:
    """What the service was recorded to add is no difference, and does not change the fingerprint."""
    wanted, actual = sent_body(sent), answered_body(answered)

    assert differences(wanted, actual) == []
    assert fingerprint(wanted) == fingerprint(actual)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        (body(), body(vmProfile={"vmSize": "", "osDiskSizeGB": 0})),
        (body(), body(buildTimeoutInMinutes=240)),
        (body(), body(optimize={}, validate={"inVMValidations": []}, stagingResourceGroup="")),
        (body(), body(errorHandling={"onCustomizerError": "cleanup"})),
        (body(), body() | {"tags": {f"{MARK_PREFIX}log-archived": "2024-01-01T00:00:00Z"}}),
        (body(), body() | {"tags": {"added-by": "a policy"}}),
        (body(), body() | {"location": "East US"}),
        (body() | {"tags": {"A": "x"}}, body() | {"tags": {"a": "x"}}),
        (
            body(distribute=[shared_image(replicationRegions=["westus", "eastus"])]),
            body(distribute=[shared_image(replicationRegions=["East US", "West US"])]),
        ),
        (
            body(distribute=[shared_image(targetRegions=[{"name": "westus", "replicaCount": 1}])]),
            body(distribute=[shared_image(targetRegions=[{"name": "West US", "storageAccountType": "Standard_LRS"}])]),
        ),
        (
            body(distribute=[shared_image(versioning={"scheme": "Latest"})]),
            body(distribute=[shared_image(versioning={"scheme": "Latest", "major": -1})]),
        ),
        (body(distribute=[shared_image()]), body(distribute=[shared_image(galleryImageId=GALLERY_IMAGE.upper())])),
        (
            body(),
            body()
            | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY.upper(): {"clientId": "c"}}}},
        ),
    ],
)
def test_no_differences(wanted: dict[str, Any], actual: dict[str, Any]) -> None:
    """Defaults, letter case, order of regions, our marks and foreign tags are no difference."""
    assert differences(wanted, actual) == []


@pytest.mark.parametrize(
    ("actual", "paths"),
    [
        (body(buildTimeoutInMinutes=60), ["/properties/buildTimeoutInMinutes"]),
        (body(customize=[]), ["/properties/customize"]),
        (body(customize=[{"type": "Shell", "name": "one", "inline": ["false"]}]), ["/properties/customize/0/inline/0"]),
        (body(vmProfile={"vmSize": "Standard_D2s_v3"}), ["/properties/vmProfile"]),
        (body(distribute=[{"type": "VHD", "runOutputName": "other"}]), ["/properties/distribute/0/runOutputName"]),
        (body() | {"location": "westus"}, ["/location"]),
        (body() | {"identity": {}}, ["/identity"]),
        (body(newThing=True), ["/properties/newThing"]),
        (
            body(distribute=[shared_image(versioning={"scheme": "Latest", "major": 0})]),
            ["/properties/distribute/0/type", "/properties/distribute/0/runOutputName"],
        ),
    ],
)
def test_differences_are_named(actual: dict[str, Any], paths: list[str]) -> None:
    """What builds something else is named by its path."""
    found = differences(body(), actual)

    assert [path for path in paths if path not in found] == []
    assert fingerprint(body()) != fingerprint(actual)


def test_major_zero_is_a_version() -> None:
    """Versioning within major 0 is not the same as versioning without a major."""
    latest = body(distribute=[shared_image(versioning={"scheme": "Latest"})])
    within_zero = body(distribute=[shared_image(versioning={"scheme": "Latest", "major": 0})])

    assert differences(latest, within_zero) == ["/properties/distribute/0/versioning/major"]


def test_exit_code_zero_in_a_list_counts() -> None:
    """A 0 inside a list is a value and not an absence."""
    both = body(customize=[{"type": "PowerShell", "inline": ["a"], "validExitCodes": [0, 1]}])
    one = body(customize=[{"type": "PowerShell", "inline": ["a"], "validExitCodes": [1]}])

    assert differences(both, one) == ["/properties/customize/0/validExitCodes"]


def test_tags_that_we_send_count() -> None:
    """A tag of ours that is missing or different is a difference, also an empty one."""
    wanted = body() | {"tags": {"team": "platform", "empty": ""}}

    assert differences(wanted, body()) == ["/tags/team", "/tags/empty"]
    assert differences(wanted, body() | {"tags": {"team": "other", "empty": ""}}) == ["/tags/team"]


def test_checksum_that_we_send_counts() -> None:
    """A checksum in our document must be Azure's; one that we did not send does not matter."""
    script = {"type": "Shell", "name": "s", "scriptUri": "https://a/b"}
    actual = body(customize=[script | {"sha256Checksum": "aa"}])

    assert differences(body(customize=[script]), actual) == []
    assert differences(body(customize=[script | {"sha256Checksum": "AA"}]), actual) == []
    assert differences(body(customize=[script | {"sha256Checksum": "bb"}]), actual) == [
        "/properties/customize/0/sha256Checksum"
    ]


def test_true_is_not_one() -> None:
    """JSON's true and 1 are different values."""
    assert differences(body(newThing=True), body(newThing=1)) == ["/properties/newThing"]


def test_bodies_are_not_changed() -> None:
    """Comparing changes neither body."""
    wanted, actual = body() | {"tags": {"a": "b"}}, as_azure_answers(body())
    before = copy.deepcopy((wanted, actual))
    differences(wanted, actual)

    assert (wanted, actual) == before


def test_fingerprint_says_how_it_was_made() -> None:
    """A fingerprint begins with its algorithm."""
    assert fingerprint(body()).startswith("sha256:")
    assert len(fingerprint(body())) == len("sha256:") + 64


@pytest.mark.parametrize("name", ["West US", "westus", "WESTUS"])
def test_regions(name: str) -> None:
    """A region is the same with spaces and capitals."""
    assert normal_region(name) == "westus"


def shuffled(value: Any, order: int) -> Any:
    """Put the keys of all objects in another order."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: hash((order, key)))
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@given(st.sampled_from(sorted(PARAMETERS)), st.integers())
def test_order_of_keys_does_not_matter(name: str, order: int) -> None:
    """The fingerprint is the same whatever the order of keys."""
    original = rendered_sample(name).body

    assert fingerprint(shuffled(original, order)) == fingerprint(original)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
bodies = st.dictionaries(st.sampled_from(["location", "tags", "identity", "properties"]), json_values)


@given(bodies, bodies)
def test_equal_fingerprints_mean_no_differences(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Any bodies can be compared; a body never differs from itself, and equal fingerprints mean no difference."""
    assert differences(one, json.loads(json.dumps(one))) == []
    if fingerprint(one) == fingerprint(other):
        assert differences(one, other) == []
