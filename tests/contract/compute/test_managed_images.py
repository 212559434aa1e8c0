from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.resource_id import ResourceId
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

BODY = {
    "location": "eastus",
    "properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized"}}},
}


async def test_image_is_made_listed_and_deleted(cloud: Cloud) -> None:
    """A managed image is ready when PUT is answered, is in both lists, and goes with DELETE."""
    client = cloud.compute().images
    made = await finished(client.begin_create_or_update(GROUP, "fresh", BODY))
    assert made.provisioning_state == "Succeeded"
    for images in (client.list_by_resource_group(GROUP), client.list()):
        assert [image.name for image in await every(images)] == ["fresh"]
    for _ in range(2):
        await finished(client.begin_delete(GROUP, "fresh"))
    with refused("ResourceNotFound", status=404):
        await done(client.get(GROUP, "fresh"))


async def test_image_takes_new_tags(cloud: Cloud) -> None:
    """PATCH replaces the tags."""
    client = cloud.compute().images
    await finished(client.begin_create_or_update(GROUP, "fresh", BODY))
    assert (await finished(client.begin_update(GROUP, "fresh", {"tags": {"a": "b"}}))).tags == {"a": "b"}


async def test_image_of_a_build_is_shown(cloud: Cloud) -> None:
    """What a build leaves is a generalized image with its tags and generation."""
    image_id = ResourceId(cloud.settings.subscription_id, GROUP, "Microsoft.Compute", ("images", "built"))
    cloud.thread.emulator.world.compute.put_managed_image(
        image_id,
        location="eastus",
        tags={"built": "yes"},
        os_type="Windows",
        hyper_v_generation="V2",
        source_image_template_id="/subscriptions/s/resourceGroups/g/providers/x/imageTemplates/t",
    )
    image = await done(cloud.compute().images.get(GROUP, "built"))
    disk = image.storage_profile.os_disk
    assert (image.hyper_v_generation, disk.os_type, disk.os_state, disk.disk_size_gb) == (
        "V2",
        "Windows",
        "Generalized",
        127,
    )
    assert image.tags == {"built": "yes"}


async def test_image_needs_a_source(cloud: Cloud) -> None:
    """An image of nothing is refused."""
    with refused("InvalidParameter", status=400):
        await finished(cloud.compute().images.begin_create_or_update(GROUP, "fresh", {"location": "eastus"}))
