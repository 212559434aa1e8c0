from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

GALLERY = "corp"
IDENTIFIER = {"publisher": "contoso", "offer": "linux", "sku": "base"}
DEFINITION = {
    "location": "eastus",
    "properties": {"osType": "Linux", "osState": "Generalized", "identifier": IDENTIFIER},
}


async def make_gallery(cloud: Cloud, name: str, group: str = GROUP) -> Any:
    """Make a gallery."""
    return await finished(cloud.compute().galleries.begin_create_or_update(group, name, {"location": "West US"}))


async def test_gallery_is_made_and_shown(cloud: Cloud) -> None:
    """A gallery is ready when PUT is answered, with the unique name that the service gives it."""
    made = await make_gallery(cloud, "more")
    found = await done(cloud.compute().galleries.get(GROUP, "more"))
    assert made.as_dict() == found.as_dict()
    assert (found.location, found.provisioning_state) == ("westus", "Succeeded")
    assert found.identifier.unique_name == f"{cloud.settings.subscription_id}-MORE"


async def test_galleries_are_listed_by_group_and_subscription(cloud: Cloud) -> None:
    """Both lists hold the galleries."""
    cloud.put_group("other")
    await make_gallery(cloud, "elsewhere", "other")
    client = cloud.compute().galleries
    assert [gallery.name for gallery in await every(client.list_by_resource_group(GROUP))] == [GALLERY]
    assert [gallery.name for gallery in await every(client.list())] == [GALLERY, "elsewhere"]


async def test_gallery_takes_new_tags(cloud: Cloud) -> None:
    """PATCH replaces the tags and leaves the rest."""
    await finished(cloud.compute().galleries.begin_update(GROUP, GALLERY, {"tags": {"a": "b"}}))
    found = await done(cloud.compute().galleries.get(GROUP, GALLERY))
    assert (found.tags, found.location) == ({"a": "b"}, "eastus")


async def test_gallery_with_definitions_is_not_deleted(cloud: Cloud) -> None:
    """A gallery goes only once its definitions are gone."""
    with refused("CannotDeleteResource", status=409):
        await finished(cloud.compute().galleries.begin_delete(GROUP, GALLERY))
    await make_gallery(cloud, "empty")
    await finished(cloud.compute().galleries.begin_delete(GROUP, "empty"))
    with refused("ResourceNotFound", status=404):
        await done(cloud.compute().galleries.get(GROUP, "empty"))


async def test_definition_is_made_and_listed(cloud: Cloud) -> None:
    """A definition is ready when PUT is answered, completed with what it is by default."""
    client = cloud.compute().gallery_images
    await finished(client.begin_create_or_update(GROUP, GALLERY, "fresh", DEFINITION))
    found = await done(client.get(GROUP, GALLERY, "fresh"))
    assert (found.hyper_v_generation, found.architecture, found.os_type) == ("V2", "x64", "Linux")
    assert found.identifier.publisher == "contoso"
    names = [definition.name for definition in await every(client.list_by_gallery(GROUP, GALLERY))]
    assert names == ["fresh", "linux-base", "linux-vhd", "windows-base"]


async def test_definition_stays_what_it_is(cloud: Cloud) -> None:
    """PATCH describes a definition anew; its generation cannot be changed."""
    client = cloud.compute().gallery_images
    changed = await finished(
        client.begin_update(GROUP, GALLERY, "linux-base", {"properties": {"description": "for everything"}})
    )
    assert changed.description == "for everything"
    with refused("PropertyChangeNotAllowed", status=409):
        await finished(client.begin_update(GROUP, GALLERY, "linux-base", {"properties": {"hyperVGeneration": "V1"}}))


async def test_definition_needs_its_gallery(cloud: Cloud) -> None:
    """A definition in a gallery that is not there is refused, and lists nothing."""
    client = cloud.compute().gallery_images
    with refused("ParentResourceNotFound", status=404):
        await finished(client.begin_create_or_update(GROUP, "missing", "fresh", DEFINITION))
    with refused("ResourceNotFound", status=404):
        await every(client.list_by_gallery(GROUP, "missing"))


async def test_definition_is_deleted(cloud: Cloud) -> None:
    """A definition without versions is deleted; deleting it again is fine."""
    client = cloud.compute().gallery_images
    for _ in range(2):
        await finished(client.begin_delete(GROUP, GALLERY, "linux-vhd"))
    with refused("ResourceNotFound", status=404):
        await done(client.get(GROUP, GALLERY, "linux-vhd"))
