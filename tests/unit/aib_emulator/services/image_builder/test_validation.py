from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.services.image_builder.members import IMAGE_TEMPLATE, read
from aib_emulator.services.image_builder.refusal import RefusalError
from aib_emulator.services.image_builder.resources import completed
from aib_emulator.services.image_builder.timeline import plan_run
from aib_emulator.services.image_builder.validation import validate
from tests.unit.aib_emulator.services.image_builder.samples import (
    GALLERY_IMAGE,
    GROUP,
    IDENTITY,
    LATEST,
    MANAGED_IMAGE,
    SHELL,
    START,
    TO_GALLERY,
    TO_MANAGED_IMAGE,
    TO_VHD,
    body,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

REVIEW = (
    " Please review  http://aka.ms/azvmimagebuildertmplref  for details on fields requirements in the Image Builder "
    "Template."
)
SCRIPT = {"type": "Shell", "scriptUri": "https://example.com/a.sh"}
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
WITHOUT_REGIONS = {name: value for name, value in TO_GALLERY.items() if name != "replicationRegions"}
REGION = "ImageTemplate.properties.distribute[0].targetRegions[0]"
MARKETPLACE: dict[str, Any] = {"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s", "version": "latest"}
WITH_PLAN = {**MARKETPLACE, "planInfo": {"planName": "n", "planProduct": "o", "planPublisher": "p"}}
FILE = {"type": "File", "sourceUri": "https://example.com/a", "destination": "/tmp/a"}


def to_region(**region: Any) -> dict[str, Any]:
    """Return a gallery distributor with one target region."""
    return {**WITHOUT_REGIONS, "targetRegions": [{"name": "eastus", **region}]}


def isolated(network_id: str, **more: str) -> dict[str, str]:
    """Return the network of an isolated build, whose containers run in a subnet of this virtual network."""
    return {"subnetId": f"{NETWORK}/subnets/b", "containerInstanceSubnetId": f"{network_id}/subnets/c", **more}


def refusal_of(document: dict[str, Any], name: str = "tmpl1") -> RefusalError:
    """Return how a document is refused."""
    with pytest.raises(RefusalError) as refused:
        validate(read(document, IMAGE_TEMPLATE, LATEST), name, LATEST)
    return refused.value


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"customize": [SCRIPT, FILE, {"type": "WindowsRestart", "restartTimeout": "15m"}, {"type": "WindowsUpdate"}]},
        {"customize": []},
        {"distribute": [TO_GALLERY, TO_VHD, TO_MANAGED_IMAGE]},
        {"distribute": [{**TO_GALLERY, "galleryImageId": f"{GALLERY_IMAGE}/versions/1.0.0"}]},
        {"distribute": [{**TO_GALLERY, "versioning": {"scheme": "Latest", "major": 1}}]},
        {"source": {"type": "ManagedImage", "imageId": MANAGED_IMAGE}},
        {"source": {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY_IMAGE}/versions/latest"}},
        {"validate": {"inVMValidations": [SHELL]}, "errorHandling": {"onCustomizerError": "abort"}},
        {"buildTimeoutInMinutes": 960, "vmProfile": {"osDiskSizeGB": 64}},
        {"vmProfile": {"vnetConfig": isolated(NETWORK.replace("virtualNetworks/v", "virtualNetworks/V"))}},
        {"distribute": [{**TO_GALLERY, "storageAccountType": "Premium_LRS"}]},
        {"distribute": [to_region(name="West US", replicaCount=1, storageAccountType="Premium_LRS")]},
        {"distribute": [{**TO_GALLERY, "versioning": {"scheme": "Latest", "major": -1}}]},
        {"distribute": [WITHOUT_REGIONS], "source": WITH_PLAN},
    ],
)
def test_good_documents_are_accepted(properties: dict[str, Any]) -> None:
    """What the service takes is taken."""
    document = read(body(**properties), IMAGE_TEMPLATE, LATEST)
    validate(document, "tmpl1", LATEST)
    assert document["properties"]["distribute"]


@pytest.mark.parametrize(
    ("distributor", "complaint"),
    [
        (WITHOUT_REGIONS, "Missing field 'replicationRegions'"),
        ({**TO_GALLERY, "storageAccountType": "Premium_LRS"}, "Field 'storageAccountType'"),
    ],
)
def test_old_api_versions_demand_more_of_a_gallery_distributor(distributor: dict[str, Any], complaint: str) -> None:
    """Until 2022-07-01 regions must be named, and storage is not premium."""
    for api_version in ("2020-02-14", "2022-02-14"):
        document = read(body(distribute=[distributor]), IMAGE_TEMPLATE, api_version)
        with pytest.raises(RefusalError, match=complaint):
            validate(document, "tmpl1", api_version)
    validate(read(body(distribute=[distributor]), IMAGE_TEMPLATE, "2022-07-01"), "tmpl1", "2022-07-01")


def test_a_bad_value_is_worded_as_recorded() -> None:
    """The sentence is the documented one, to the letter."""
    image_id = f"{GROUP}/providers/Microsoft.Compute/disks/imageName"
    refused = refusal_of(body(source={"type": "ManagedImage", "imageId": image_id}))
    assert (refused.status, refused.code) == (400, "ValidationFailed")
    assert refused.message == (
        f"Validation failed: 'ImageTemplate.properties.source': Field 'imageId' has a bad value: '{image_id}'.{REVIEW}"
    )


def test_a_missing_field_names_its_place() -> None:
    """The message holds both words that the failure catalogue knows."""
    refused = refusal_of(body(distribute=[{**TO_GALLERY, "runOutputName": ""}]))
    assert "'ImageTemplate.properties.distribute[0]': Missing field 'runOutputName'." in refused.message


@pytest.mark.parametrize("member", ["identity", "properties"])
def test_required_members(member: str) -> None:
    """Without identity or properties there is no image template."""
    document = body()
    del document[member]
    assert f"Missing field '{member}'" in refusal_of(document).message


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"distribute": []}, "Missing field 'distribute'"),
        ({"source": {**MARKETPLACE, "version": ""}}, "Missing field 'version'"),
        ({"customize": [{"type": "Shell"}]}, "Missing field 'scriptUri'"),
        ({"customize": [{**SCRIPT, "inline": ["true"]}]}, "Field 'scriptUri'"),
        ({"customize": [{"type": "Shell", "scriptUri": "a.sh"}]}, "Field 'scriptUri'"),
        ({"customize": [{**SCRIPT, "sha256Checksum": "xyz"}]}, "Field 'sha256Checksum'"),
        ({"customize": [{"type": "Shell", "inline": [1]}]}, "Field 'inline[0]'"),
        ({"customize": [{"type": "Shell", "scriptUri": "https://[e/a"}]}, "Field 'scriptUri'"),
        ({"customize": [{"type": "Shell", "scriptUri": "https://e:99999/a"}]}, "Field 'scriptUri'"),
        ({"optimize": {"workload": {"state": "Enabled", "scriptUri": "a.sh"}}}, "optimize.workload"),
        ({"customize": [{"type": "File", "sourceUri": "https://e/a"}]}, "Missing field 'destination'"),
        ({"customize": [{"type": "PowerShell", "inline": ["x"], "runAsSystem": True}]}, "Field 'runAsSystem'"),
        ({"customize": [{"type": "WindowsRestart", "restartTimeout": "soon"}]}, "Field 'restartTimeout'"),
        ({"customize": [{"type": "WindowsUpdate", "updateLimit": -1}]}, "Field 'updateLimit'"),
        ({"customize": [{"type": "WindowsUpdate", "filters": "all"}]}, "Field 'filters'"),
        ({"validate": {"inVMValidations": [{"type": "Shell"}]}}, "validate.inVMValidations[0]"),
        ({"distribute": [TO_VHD, TO_VHD]}, "Field 'runOutputName'"),
        ({"distribute": [{**TO_VHD, "runOutputName": "with space"}]}, "Field 'runOutputName'"),
        ({"distribute": [{**TO_VHD, "artifactTags": {"a": 1}}]}, "Field 'artifactTags'"),
        ({"distribute": [{**TO_VHD, "uri": "file:///x"}]}, "Field 'uri'"),
        ({"distribute": [{**TO_MANAGED_IMAGE, "location": "atlantis"}]}, "Field 'location'"),
        ({"distribute": [{**TO_GALLERY, "galleryImageId": GROUP}]}, "Field 'galleryImageId'"),
        ({"distribute": [{**TO_GALLERY, "replicationRegions": ["atlantis"]}]}, "Field 'replicationRegions'"),
        ({"distribute": [{**TO_GALLERY, "versioning": {"scheme": "latest"}}]}, "Field 'scheme'"),
        ({"distribute": [{**TO_GALLERY, "versioning": {}}]}, "Missing field 'scheme'"),
        ({"distribute": [{**TO_GALLERY, "versioning": {"scheme": "Latest", "major": -2}}]}, "Field 'major'"),
        ({"distribute": [{**TO_GALLERY, "storageAccountType": "Cheap"}]}, "Field 'storageAccountType'"),
        ({"distribute": [to_region(name="atlantis")]}, f"{REGION}': Field 'name'"),
        ({"distribute": [to_region(name="")]}, f"{REGION}': Missing field 'name'"),
        ({"distribute": [to_region(replicaCount=0)]}, f"{REGION}': Field 'replicaCount'"),
        ({"distribute": [to_region(storageAccountType="Cheap")]}, f"{REGION}': Field 'storageAccountType'"),
        ({"source": {**MARKETPLACE, "planInfo": {"planName": "p"}}}, "source.planInfo': Missing field 'planProduct'"),
        ({"distribute": [{**TO_GALLERY, "replicationMode": "Deep"}]}, "Field 'replicationMode'"),
        ({"buildTimeoutInMinutes": 961}, "Field 'buildTimeoutInMinutes'"),
        ({"buildTimeoutInMinutes": "60"}, "Field 'buildTimeoutInMinutes'"),
        ({"vmProfile": {"osDiskSizeGB": -1}}, "Field 'osDiskSizeGB'"),
        ({"vmProfile": {"vnetConfig": {"subnetId": "default"}}}, "Field 'subnetId'"),
        (
            {"vmProfile": {"vnetConfig": {"containerInstanceSubnetId": f"{NETWORK}/subnets/a"}}},
            "Missing field 'subnetId'",
        ),
        ({"vmProfile": {"vnetConfig": isolated(f"{NETWORK}2")}}, "Field 'containerInstanceSubnetId'"),
        ({"vmProfile": {"vnetConfig": isolated(NETWORK, proxyVmSize="Standard_A1_v2")}}, "Field 'proxyVmSize'"),
        ({"distribute": [{**TO_GALLERY, "targetRegions": [{"name": "eastus"}]}]}, "Field 'replicationRegions'"),
        ({"distribute": [{**WITHOUT_REGIONS, "storageAccountType": "Standard_ZRS"}]}, "Field 'storageAccountType'"),
        ({"errorHandling": {"onCustomizerError": "ignore"}}, "Field 'onCustomizerError'"),
        ({"autoRun": {"state": "On"}}, "Field 'state'"),
        ({"stagingResourceGroup": "own-staging"}, "Field 'stagingResourceGroup'"),
        ({"additionalDataDisks": [{"sizeGB": 0}]}, "Field 'sizeGB'"),
    ],
)
def test_nonsense_is_refused(properties: dict[str, Any], complaint: str) -> None:
    """Each of these is refused at once, with the field in the message."""
    assert complaint in refusal_of(body(**properties)).message


@pytest.mark.parametrize("name", ["with space", "x" * 65, "ü"])
def test_names_have_a_pattern(name: str) -> None:
    """Names are letters, digits, dashes, underscores and dots, at most 64 of them."""
    assert "Field 'name'" in refusal_of(body(), name).message


@pytest.mark.parametrize(
    "identity",
    [
        {"type": "SystemAssigned"},
        {"type": "UserAssigned"},
        {"type": "UserAssigned", "userAssignedIdentities": []},
        {"type": "UserAssigned", "userAssignedIdentities": {"ide1": {}}},
        "me",
    ],
)
def test_the_identity_must_be_assigned_by_the_user(identity: Any) -> None:
    """Only user-assigned identities, named by their ids, will do."""
    assert "identity" in refusal_of({**body(), "identity": identity}).message


RICH: dict[str, Any] = {
    "customize": [
        {**SCRIPT, "sha256Checksum": ""},
        {"type": "PowerShell", "inline": ["x"], "runElevated": True, "runAsSystem": True, "validExitCodes": [0]},
        FILE,
        {"type": "WindowsRestart", "restartTimeout": "5m"},
        {"type": "WindowsUpdate", "filters": ["all"], "updateLimit": 2},
    ],
    "optimize": {"vmBoot": {"state": "Enabled"}, "workload": {"state": "Enabled", "scriptUri": "https://e/a"}},
    "validate": {"continueDistributeOnFailure": True, "inVMValidations": [SHELL]},
    "errorHandling": {"onCustomizerError": "abort"},
    "distribute": [
        {**TO_VHD, "uri": "https://e/a", "artifactTags": {"a": "b"}},
        TO_MANAGED_IMAGE,
        {**TO_GALLERY, "versioning": {"scheme": "Latest", "major": 1}, "replicationMode": "Full"},
        {
            "type": "SharedImage",
            "runOutputName": "t",
            "galleryImageId": GALLERY_IMAGE,
            "targetRegions": [{"name": "eastus"}],
        },
    ],
    "buildTimeoutInMinutes": 60,
    "vmProfile": {
        "osDiskSizeGB": 64,
        "userAssignedIdentities": [IDENTITY],
        "vnetConfig": {"subnetId": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"},
    },
    "additionalDataDisks": [{"sizeGB": 4}],
    "stagingResourceGroup": GROUP,
    "managedResourceTags": {"a": "b"},
    "autoRun": {"state": "Enabled"},
}
JUNK: tuple[Any, ...] = (None, 5, -1, 1.5, True, "", "junk", [], [None], [5], [{}], {}, {"a": 5})


def places_in(node: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of everything inside a document."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, part in parts:
        yield (*place, name)
        yield from places_in(part, (*place, name))


def spoilt(document: dict[str, Any], place: tuple[str | int, ...], junk: Any) -> dict[str, Any]:
    """Return the document with something else at a place."""
    holder: Any = (made := copy.deepcopy(document))
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = junk
    return made


@pytest.mark.parametrize("api_version", ["2020-02-14", "2022-07-01", LATEST])
def test_no_document_is_too_odd_to_be_judged(api_version: str) -> None:
    """Whatever stands wherever, a document is accepted or refused; what is accepted can be kept and planned."""
    document = body(**RICH)
    for place in places_in(document):
        for junk in JUNK:
            with suppress(RefusalError):
                found = read(spoilt(document, place, junk), IMAGE_TEMPLATE, api_version)
                validate(found, "tmpl1", api_version)
                plan_run(completed(found["properties"]), START)


def test_the_rich_document_is_a_good_one() -> None:
    """What the test above spoils has nothing wrong with it."""
    validate(read(body(**RICH), IMAGE_TEMPLATE, LATEST), "tmpl1", LATEST)
