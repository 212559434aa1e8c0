from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aib_emulator.arm.resource_id import ResourceId
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from typing import Any

    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

GALLERY, DEFINITION = "corp", "linux-base"
SOURCE = {"osDiskImage": {"source": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"}}}


def sent(*regions: str, location: str = "eastus", **publishing_profile: Any) -> dict[str, Any]:
    """Return the body of a version."""
    profile = {"targetRegions": [{"name": region} for region in regions], **publishing_profile}
    return {"location": location, "properties": {"publishingProfile": profile, "storageProfile": SOURCE}}


async def submit(cloud: Cloud, name: str, body: dict[str, Any]) -> Any:
    """Ask for a version without waiting for it."""
    client = cloud.compute().gallery_image_versions
    return await done(client.begin_create_or_update(GROUP, GALLERY, DEFINITION, name, body, polling=False))


async def get(cloud: Cloud, name: str, expand: str | None = None) -> Any:
    """Return a version as it is now."""
    client = cloud.compute().gallery_image_versions
    return await done(client.get(GROUP, GALLERY, DEFINITION, name, expand=expand))


def publish(cloud: Cloud, name: str, *, regions: tuple[str, ...] = ("eastus",), exclude: bool = False) -> None:
    """Leave a version as a build does."""
    version_id = ResourceId(
        cloud.settings.subscription_id,
        GROUP,
        "Microsoft.Compute",
        ("galleries", GALLERY, "images", DEFINITION, "versions", name),
    )
    cloud.thread.emulator.world.compute.put_image_version(
        version_id,
        location="eastus",
        tags={"built": "yes"},
        target_regions=[{"name": region, "replicaCount": 2} for region in regions],
        exclude_from_latest=exclude,
        started=datetime(2026, 11, 22, tzinfo=UTC),
        completed=datetime(2026, 11, 22, tzinfo=UTC),
        source_image_template_id="/subscriptions/s/resourceGroups/g/providers/x/imageTemplates/t",
    )


def test_polls_tell_their_own_limit(emulator: EmulatorThread) -> None:
    """Polls of Compute count apart from its reads and writes."""
    raw = RawArm(emulator)
    path = f"/resourceGroups/{GROUP}/providers/Microsoft.Compute/galleries/{GALLERY}/images/{DEFINITION}/versions/1.0.0"
    put = raw.send("PUT", path, sent("eastus"), api_version="2024-03-03")
    answers = [put, raw.send("GET", path), raw.send("GET", put.headers["Azure-AsyncOperation"])]
    assert [answer.headers["x-ms-ratelimit-remaining-resource"] for answer in answers] == [
        "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;374,Microsoft.Compute/CreateUpdateGalleryImageVersion30Min;1199",
        "Microsoft.Compute/GetGalleryImageVersion3Min;1997,Microsoft.Compute/GetGalleryImageVersion30Min;11999",
        "Microsoft.Compute/GetOperationStatus3Min;4991",
    ]


async def test_version_is_published(cloud: Cloud) -> None:
    """The operation of PUT ends once the version is there, and the version is as the service completes it."""
    client = cloud.compute().gallery_image_versions
    made = await finished(client.begin_create_or_update(GROUP, GALLERY, DEFINITION, "1.0.0", sent("eastus")))
    assert made.provisioning_state == "Succeeded"
    profile = made.publishing_profile
    assert [region.name for region in profile.target_regions] == ["East US"]
    assert (profile.replica_count, profile.exclude_from_latest, profile.storage_account_type) == (
        1,
        False,
        "Standard_LRS",
    )
    assert made.storage_profile.os_disk_image.size_in_gb == 30
    assert made.replication_status is None


async def test_version_replicates_by_the_clock(cloud: Cloud) -> None:
    """While copies go on the version is Creating and each region tells its progress; then all are completed."""
    cloud.thread.control.set_scale(0)
    await submit(cloud, "1.0.0", sent("eastus", "westus"))
    begun = await get(cloud, "1.0.0", "ReplicationStatus")
    assert begun.provisioning_state == "Creating"
    assert begun.storage_profile.os_disk_image.size_in_gb is None
    assert begun.replication_status.aggregated_state == "InProgress"
    cloud.thread.control.advance(405)
    summary = (await get(cloud, "1.0.0", "ReplicationStatus")).replication_status.summary
    assert [(region.region, region.state) for region in summary] == [
        ("East US", "Completed"),
        ("West US", "Replicating"),
    ]
    cloud.thread.control.advance(60)
    ended = await get(cloud, "1.0.0", "ReplicationStatus")
    assert (ended.provisioning_state, ended.replication_status.aggregated_state) == ("Succeeded", "Completed")


async def test_operation_is_compute_s_own(cloud: Cloud) -> None:
    """PUT answers 201 with the recorded headers; polls have lower-case ids, and no end before the end."""
    cloud.thread.control.set_scale(0)
    poller = await submit(cloud, "1.0.0", sent("eastus"))
    answer = poller.polling_method()._initial_response.http_response
    url = answer.headers["Azure-AsyncOperation"]
    assert answer.status_code == 201
    assert answer.headers["Azure-AsyncNotification"] == "Enabled"
    assert "/providers/Microsoft.Compute/locations/eastus/capsOperations/" in url
    assert answer.headers["x-ms-ratelimit-remaining-resource"].startswith(
        "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;"
    )
    assert "Retry-After" not in answer.headers
    before = await cloud.get_json(url)
    assert list(before) == ["startTime", "status", "name"]
    assert (before["status"], before["startTime"][-6:]) == ("InProgress", "+00:00")
    cloud.thread.control.advance(500)
    after = await cloud.get_json(url)
    assert list(after) == ["startTime", "endTime", "status", "name"]
    assert (after["status"], after["name"]) == ("Succeeded", before["name"])


async def test_versions_are_listed(cloud: Cloud) -> None:
    """The list of a definition holds its versions, in the order of their ids."""
    for name in ("1.0.9", "1.0.10"):
        publish(cloud, name)
    client = cloud.compute().gallery_image_versions
    found = await every(client.list_by_gallery_image(GROUP, GALLERY, DEFINITION))
    assert [(version.name, version.provisioning_state) for version in found] == [
        ("1.0.10", "Succeeded"),
        ("1.0.9", "Succeeded"),
    ]


async def test_version_of_a_build_is_there_at_once(cloud: Cloud) -> None:
    """What a build leaves is replicated, tagged, and counts as latest or not as the build said."""
    publish(cloud, "1.0.0", regions=("eastus", "westus3"), exclude=True)
    version = await get(cloud, "1.0.0", "ReplicationStatus")
    regions = [(region.name, region.regional_replica_count) for region in version.publishing_profile.target_regions]
    assert regions == [("East US", 2), ("West US 3", 2)]
    assert version.replication_status.aggregated_state == "Completed"
    assert (version.publishing_profile.exclude_from_latest, version.tags) == (True, {"built": "yes"})


async def test_version_is_excluded_from_latest(cloud: Cloud) -> None:
    """PATCH takes a version out of latest, at once."""
    publish(cloud, "1.0.0")
    change = {"properties": {"publishingProfile": {"excludeFromLatest": True}}}
    client = cloud.compute().gallery_image_versions
    changed = await finished(client.begin_update(GROUP, GALLERY, DEFINITION, "1.0.0", change))
    assert changed.publishing_profile.exclude_from_latest is True


async def test_version_moves_to_more_regions(cloud: Cloud) -> None:
    """PATCH with more regions is Updating until the new copy is there; the known copy stays completed."""
    publish(cloud, "1.0.0")
    cloud.thread.control.set_scale(0)
    client = cloud.compute().gallery_image_versions
    change = {"properties": {"publishingProfile": {"targetRegions": [{"name": "eastus"}, {"name": "uksouth"}]}}}
    await done(client.begin_update(GROUP, GALLERY, DEFINITION, "1.0.0", change, polling=False))
    during = await get(cloud, "1.0.0", "ReplicationStatus")
    assert during.provisioning_state == "Updating"
    assert [region.state for region in during.replication_status.summary] == ["Completed", "Replicating"]
    cloud.thread.control.advance(61)
    assert (await get(cloud, "1.0.0")).provisioning_state == "Succeeded"


async def test_version_is_deleted(cloud: Cloud) -> None:
    """A version is gone when its deletion is over; its definition can be deleted only then."""
    publish(cloud, "1.0.0")
    definitions = cloud.compute().gallery_images
    with refused("CannotDeleteResource", status=409):
        await finished(definitions.begin_delete(GROUP, GALLERY, DEFINITION))
    client = cloud.compute().gallery_image_versions
    for _ in range(2):
        await finished(client.begin_delete(GROUP, GALLERY, DEFINITION, "1.0.0"))
    with refused("ResourceNotFound", status=404):
        await get(cloud, "1.0.0")
    await finished(definitions.begin_delete(GROUP, GALLERY, DEFINITION))


async def test_deletion_can_be_monitored(cloud: Cloud) -> None:
    """DELETE answers 202 with the operation's address and one to monitor, which ends without a body."""
    publish(cloud, "1.0.0")
    client = cloud.compute().gallery_image_versions
    poller = await done(client.begin_delete(GROUP, GALLERY, DEFINITION, "1.0.0", polling=False))
    answer = poller.polling_method()._initial_response.http_response
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{answer.headers['Azure-AsyncOperation']}&monitor=true"
    assert (await cloud.get(answer.headers["Location"])).status_code == 204


async def test_unknown_operation_is_not_found(cloud: Cloud) -> None:
    """The address of an operation that was never begun answers 404."""
    operation = "providers/Microsoft.Compute/locations/eastus/capsOperations/none?api-version=2024-03-03"
    answer = await cloud.get(f"/subscriptions/{cloud.settings.subscription_id}/{operation}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NotFound")


async def test_impossible_version_is_refused(cloud: Cloud) -> None:
    """Three numbers, a source and the home region are demanded."""
    with refused("InvalidParameter", status=400):
        await submit(cloud, "1.0", sent("eastus"))
    with refused("InvalidParameter", status=400):
        await submit(cloud, "1.0.0", sent("westus"))
    with refused("InvalidParameter", status=400):
        await submit(cloud, "1.0.0", {"location": "eastus", "properties": {}})
