"""What an image template's identity may not do, its creation or its run fails for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.server import EmulatorThread
from aib_emulator.settings import MEBIBYTE, EmulatorSettings
from tests.contract.image_builder.calls import (
    ONE,
    SHELL,
    TO_VHD,
    create,
    document,
    group_id,
    last_run_status,
    to_gallery,
    to_managed_image,
)
from tests.contract.raw_arm import RawArm
from tests.contract.roles import IDENTITIES, IDENTITY, assign, make_role, principal_of, take_away_roles
from tests.contract.sdk_clients import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_GROUP = f"/resourceGroups/{GROUP}"
SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000002"
SUBNET = f"{SUBSCRIPTION}{IN_GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
IMAGE = f"{SUBSCRIPTION}{IN_GROUP}/providers/Microsoft.Compute/images/base"
VERSION = f"{SUBSCRIPTION}{IN_GROUP}/providers/Microsoft.Compute/galleries/corp/images/linux-base/versions/latest"
LENT = f"{SUBSCRIPTION}/resourceGroups/lent"
GALLERY, MANAGED = to_gallery(SUBSCRIPTION.rpartition("/")[2]), to_managed_image(SUBSCRIPTION.rpartition("/")[2])
ELSEWHERE = "https://mine.blob.core.windows.net/images/disk.vhd"
NOT_AUTHORIZED = "{[Error 0] [InternalOperationError: Not authorized to access the resource"
LACKING: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "source image": (
        {"source": {"type": "ManagedImage", "imageId": IMAGE}},
        "BadManagedImageSource",
        "Build (Managed Image) step failed: Error getting Managed Image",
        "Status=403",
    ),
    "source version": (
        {"source": {"type": "SharedImageVersion", "imageVersionId": VERSION}},
        "BadSharedImageVersionSource",
        f"Not authorized to access the resource: {VERSION}",
        "Not authorized to access the resource",
    ),
    "gallery": (
        {"distribute": [GALLERY]},
        "BadSharedImageDistribute",
        f"Not authorized to access the resource: {GALLERY['galleryImageId']}",
        "Failed in distributing 1 images out of total 1",
    ),
    "managed image": (
        {"distribute": [MANAGED]},
        "BadDistributeType",
        f"Not authorized to access the resource: {MANAGED['imageId']}",
        "Failed in distributing 1 images out of total 1",
    ),
    "VHD elsewhere": (
        {"distribute": [{**TO_VHD, "uri": f"{ELSEWHERE}?sig=secret"}]},
        "BadDistributeType",
        f"Not authorized to access the resource: {ELSEWHERE}. ",
        f"Failed in distributing 1 images out of total 1: {NOT_AUTHORIZED}: {ELSEWHERE}. ",
    ),
    "staging group": (
        {"stagingResourceGroup": LENT},
        "BadStagingResourceGroup",
        f"Not authorized to access the resource: {LENT}",
        f"Not authorized to access the resource: {LENT}",
    ),
    "subnet": (
        {"vmProfile": {"vnetConfig": {"subnetId": SUBNET}}},
        "ServerError",
        "Internal error occurred",
        "network.InterfacesClient#UpdateTags",
    ),
    "build VM's identity": (
        {"vmProfile": {"userAssignedIdentities": [f"{SUBSCRIPTION}{IDENTITY}"]}},
        "ServerError",
        "Internal error occurred",
        "Internal error occurred",
    ),
}
"""Properties, the code of a creation that fails, how its message begins, and what a failing run says."""


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Take every right from the start world's identity, and stop the clock."""
    return without_rights(emulator)


@pytest.fixture(scope="module")
def late_emulator() -> Iterator[EmulatorThread]:
    """Start an emulator in which missing rights show in the run."""
    settings = EmulatorSettings(missing_rights_fail="run", vhd_size_bytes=MEBIBYTE, vhd_allocated_bytes=MEBIBYTE)
    with EmulatorThread(settings) as thread:
        yield thread


def without_rights(thread: EmulatorThread) -> RawArm:
    """Reset an emulator, stop its clock and take every right from the start world's identity."""
    thread.control.reset()
    thread.control.set_scale(0)
    raw = RawArm(thread)
    take_away_roles(raw, principal_of(raw))
    raw.send("PUT", "/resourceGroups/lent", {"location": "eastus"})
    disk = {"storageProfile": {"osDisk": {"osType": "Linux"}}}
    raw.send("PUT", IMAGE, {"location": "eastus", "properties": disk})
    profile = {"storageProfile": {"source": {"id": IMAGE}}}
    version = VERSION.replace("latest", "1.0.0")
    raw.send("PUT", version, {"location": "eastus", "properties": profile}, api_version="2024-03-03")
    thread.control.advance(3600)
    return raw


def properties_of(raw: RawArm) -> dict[str, Any]:
    """Return the image template's properties."""
    found: dict[str, Any] = raw.send("GET", ONE).json()["properties"]
    return found


@pytest.mark.parametrize("name", LACKING)
def test_a_creation_fails_for_lack_of_a_right(raw: RawArm, name: str) -> None:
    """The PUT is accepted; the operation fails, and the image template stays with the service's code and sentence."""
    properties, code, message, _ = LACKING[name]
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id, **{"distribute": [TO_VHD], **properties}))
    assert answer.status_code == 201, answer.text
    raw.thread.control.advance(60)
    operation = raw.send("GET", answer.headers["Azure-AsyncOperation"]).json()
    assert operation["status"] == "Failed"
    assert operation["error"]["message"].startswith(message)
    kept = properties_of(raw)
    assert kept["provisioningState"] == "Failed"
    assert kept["provisioningError"] == {"message": operation["error"]["message"], "provisioningErrorCode": code}


@pytest.mark.parametrize(
    ("account", "role_name", "state"),
    [
        ("imagestore", "Storage Blob Data Contributor", "Succeeded"),
        ("imagestore", "Storage Blob Data Reader", "Failed"),
        ("imagestore", "Contributor", "Failed"),
        ("nobodys", "Storage Blob Data Contributor", "Failed"),
    ],
)
def test_a_vhd_at_a_place_of_ones_own_needs_a_data_role(raw: RawArm, account: str, role_name: str, state: str) -> None:
    """The identity must write blobs of an account that there is, or the creation fails."""
    assign(raw, role_name, principal_of(raw))
    uri = f"{raw.thread.emulator.blob_url}/{account}/images/disk.vhd"
    create(raw, distribute=[{**TO_VHD, "uri": uri}])
    assert properties_of(raw)["provisioningState"] == state
    said = properties_of(raw).get("provisioningError", {}).get("message", "")
    assert (f"Not authorized to access the resource: {uri}. " in said) == (state == "Failed")


def test_a_right_to_write_that_is_taken_away_fails_the_vhd(raw: RawArm) -> None:
    """The run fails, and the staging account has no VHD in its place."""
    given = assign(raw, "Storage Blob Data Contributor", principal_of(raw))
    create(raw, distribute=[{**TO_VHD, "uri": f"{raw.thread.emulator.blob_url}/imagestore/images/disk.vhd"}])
    raw.send("DELETE", given)
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(600)
    assert last_run_status(raw)["message"].startswith("Failed in distributing 1 images out of total 1")
    assert raw.send("GET", f"{ONE}/runOutputs").json()["value"] == []


@pytest.mark.parametrize("name", LACKING)
def test_a_run_fails_for_lack_of_a_right(late_emulator: EmulatorThread, name: str) -> None:
    """On demand the creation succeeds and the run is what fails."""
    raw = without_rights(late_emulator)
    properties, _, _, message = LACKING[name]
    create(raw, **{"distribute": [TO_VHD], **properties})
    assert properties_of(raw)["provisioningState"] == "Succeeded"
    operation = raw.send("POST", f"{ONE}/run").headers["Azure-AsyncOperation"]
    late_emulator.control.advance(2000)
    status = last_run_status(raw)
    assert status["runState"] == "Failed"
    assert message in status["message"]
    assert raw.send("GET", operation).json()["error"] == {
        "code": "InternalOperationError",
        "message": status["message"],
    }


def test_the_rights_that_azure_documents_are_enough(raw: RawArm) -> None:
    """An identity with the documented actions and no others builds to a gallery."""
    images, galleries = "Microsoft.Compute/images", "Microsoft.Compute/galleries"
    verbs = [f"{images}/{verb}" for verb in ("read", "write", "delete")]
    reads = [f"{galleries}/read", f"{galleries}/images/read", f"{galleries}/images/versions/read"]
    make_role(raw, "Image Distributor", *verbs, *reads, f"{galleries}/images/versions/write")
    assign(raw, "Image Distributor", principal_of(raw), IN_GROUP)
    create(raw, distribute=[GALLERY, MANAGED])
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert last_run_status(raw)["runState"] == "Succeeded"


def test_a_right_that_is_taken_away_fails_the_next_run(raw: RawArm) -> None:
    """What the identity may do is looked up when a run begins; of two distributors one can be left."""
    assign(raw, "Contributor", principal_of(raw), IN_GROUP)
    create(raw, distribute=[GALLERY, TO_VHD])
    take_away_roles(raw, principal_of(raw))
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    status = last_run_status(raw)
    assert status["runState"] == "PartiallySucceeded"
    assert "Failed in distributing 1 images out of total 2" in status["message"]
    assert [output["name"] for output in raw.send("GET", f"{ONE}/runOutputs").json()["value"]] == ["disk"]


def test_a_denied_run_uses_no_plan_up(raw: RawArm) -> None:
    """What was planned strikes the next run that is not denied."""
    assign(raw, "Contributor", principal_of(raw), IN_GROUP)
    create(raw, distribute=[GALLERY])
    raw.thread.control.plan_failure(kind="customizer", exit_code=7)
    take_away_roles(raw, principal_of(raw))
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert "Not authorized to access the resource" in last_run_status(raw)["message"]
    assign(raw, "Contributor", principal_of(raw), IN_GROUP)
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert "During the image build a failure has occurred" in last_run_status(raw)["message"]


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_an_identity_that_is_gone_fails_the_run(raw: RawArm, *, is_made_anew: bool) -> None:
    """A run needs the identity that the image template was created with; another one under its name is not it."""
    create(raw, distribute=[TO_VHD])
    before = principal_of(raw)
    assert raw.send("DELETE", IDENTITY, api_version="2024-11-30").status_code == 200
    if is_made_anew:
        raw.thread.control.advance(1)
        raw.send("PUT", IDENTITY, {"location": "eastus"}, api_version="2024-11-30")
        assert principal_of(raw) != before
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(2000)
    assert "The assigned managed identity cannot be used" in last_run_status(raw)["message"]


def test_a_new_identity_has_no_rights(raw: RawArm) -> None:
    """Whoever makes an identity must give it its roles."""
    identity = f"{IN_GROUP}{IDENTITIES}/mine"
    assert raw.send("PUT", identity, {"location": "eastus"}).status_code == 201
    body = document(raw.settings.subscription_id)
    body["identity"]["userAssignedIdentities"] = {f"{SUBSCRIPTION}{identity}": {}}
    raw.send("PUT", ONE, body)
    raw.thread.control.advance(60)
    assert properties_of(raw)["provisioningError"]["provisioningErrorCode"] == "BadSharedImageDistribute"


@pytest.mark.parametrize("is_readable", [False, True])
def test_a_private_script_needs_a_data_role(raw: RawArm, *, is_readable: bool) -> None:
    """A script without a signature in its address is downloaded as the identity, at the creation."""
    world = raw.thread.emulator.world
    uri = world.blobs.blob_url("imagestore", "images", "step.sh")
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2024-11-04", "x-ms-blob-type": "BlockBlob"}
    assert raw.session.put(uri, data=b"echo", headers=headers, timeout=30).status_code == 201
    if is_readable:
        account = f"{group_id(raw.settings.subscription_id)}/providers/Microsoft.Storage/storageAccounts/imagestore"
        assign(raw, "Storage Blob Data Reader", principal_of(raw), account)
    create(raw, customize=[SHELL, {"type": "Shell", "name": "s", "scriptUri": uri}], distribute=[TO_VHD])
    kept = properties_of(raw)
    assert kept["provisioningState"] == ("Succeeded" if is_readable else "Failed")
    if not is_readable:
        assert kept["provisioningError"]["provisioningErrorCode"] == "NoCustomizerScript"
