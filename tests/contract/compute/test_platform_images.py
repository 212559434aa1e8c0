from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.sdk_clients import done, every, refused

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

UBUNTU = ("westus", "Canonical", "ubuntu-24_04-lts")


async def test_marketplace_is_walked_from_publisher_to_version(cloud: Cloud) -> None:
    """Publishers, offers, SKUs and versions are bare lists, each leading to the next."""
    client = cloud.compute().virtual_machine_images
    assert "Canonical" in [item.name for item in await every(client.list_publishers("westus"))]
    assert UBUNTU[2] in [item.name for item in await every(client.list_offers("westus", "Canonical"))]
    assert "server" in [item.name for item in await every(client.list_skus(*UBUNTU))]
    versions = await every(client.list(*UBUNTU, "server"))
    assert [item.name for item in versions] == ["24.04.202605150", "24.04.202607080", "24.04.202609100"]
    assert versions[0].location == "westus"
    assert versions[0].id.endswith("/Offers/ubuntu-24_04-lts/Skus/server/Versions/24.04.202605150")


async def test_newest_version_comes_first_on_demand(cloud: Cloud) -> None:
    """$orderby=name desc and $top=1 give the newest version."""
    client = cloud.compute().virtual_machine_images
    found = await every(client.list(*UBUNTU, "server", top=1, orderby="name desc"))
    assert [item.name for item in found] == ["24.04.202609100"]


async def test_version_tells_its_disk(cloud: Cloud) -> None:
    """One version shows system, generation and architecture, in any casing of the names."""
    client = cloud.compute().virtual_machine_images
    image = await done(client.get("westus", "canonical", UBUNTU[2], "SERVER", "24.04.202609100"))
    assert image.os_disk_image.operating_system == "Linux"
    assert (image.hyper_v_generation, image.architecture) == ("V2", "x64")


async def test_versions_come_with_their_properties_on_demand(cloud: Cloud) -> None:
    """$expand=properties adds what GET of each version shows."""
    client = cloud.compute().virtual_machine_images
    found = await every(client.list_with_properties(*UBUNTU, "server", expand="Properties"))
    assert {item.hyper_v_generation for item in found} == {"V2"}


async def test_unknown_image_is_not_found(cloud: Cloud) -> None:
    """What the marketplace does not have is not found, on every level."""
    client = cloud.compute().virtual_machine_images
    with refused("NotFound", status=404):
        await every(client.list_offers("westus", "Nobody"))
    with refused("NotFound", status=404):
        await every(client.list(*UBUNTU, "nothing"))
    with refused("NotFound", status=404):
        await done(client.get(*UBUNTU, "server", "latest"))


async def test_unknown_location_is_refused(cloud: Cloud) -> None:
    """A location that is none is refused."""
    with refused("NoRegisteredProviderFound", status=400):
        await every(cloud.compute().virtual_machine_images.list_publishers("atlantis"))


async def test_new_version_can_be_published(cloud: Cloud) -> None:
    """A version published at the control door is the newest one, until the emulator is reset."""
    client = cloud.compute().virtual_machine_images
    cloud.thread.control.publish_platform_version(*UBUNTU[1:], "server", "24.04.202611200")
    newest = {"top": 1, "orderby": "name desc"}
    assert [item.name for item in await every(client.list(*UBUNTU, "server", **newest))] == ["24.04.202611200"]
    cloud.thread.control.reset()
    assert [item.name for item in await every(client.list(*UBUNTU, "server", **newest))] == ["24.04.202609100"]
