"""Source images: whether there is such an image, and which version of it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.pending import CreationError

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World


def resolve_source(world: World, image_template: ImageTemplate) -> None:
    """Find the exact version of the source, or raise CreationError when there is none."""
    source = image_template.properties["source"]
    if source["type"] == "PlatformImage":
        source["exactVersion"] = _platform_version(world, source)
    elif source["type"] == "ManagedImage":
        if world.store.get(ResourceId.parse(source["imageId"])) is None:
            raise CreationError(
                "BadManagedImageSource",
                f"Build (Managed Image) step failed: Error getting Managed Image '{source['imageId']}': "
                'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
            )
    else:
        source["exactVersion"] = _gallery_version(world, source["imageVersionId"])


def _platform_version(world: World, source: dict[str, Any]) -> str:
    publisher, offer, sku, version = (source[name] for name in ("publisher", "offer", "sku", "version"))
    if version.lower() == "latest":
        latest = world.compute.latest_platform_version(publisher, offer, sku)
        if latest is not None:
            return latest
    elif world.compute.platform_version_exists(publisher, offer, sku, version):
        return str(version)
    raise CreationError("BadPIRSource", f"The platform image '{publisher}:{offer}:{sku}:{version}' is not available.")


def _gallery_version(world: World, text: str) -> str:
    version_id = ResourceId.parse(text)
    definition_id = version_id.parent
    if version_id.name.lower() == "latest" and definition_id is not None:
        found = _newest(world, definition_id)
        if found is not None:
            return found.write()
    elif world.store.get(version_id) is not None:
        return version_id.write()
    raise CreationError(
        "BadSharedImageVersionSource",
        f"Build (Shared Image Version) step failed for Image Version '{version_id}': Error getting Image Version: "
        'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
    )


def _newest(world: World, definition_id: ResourceId) -> ResourceId | None:
    versions = [
        version
        for version in world.store.list(
            below=definition_id, resource_type="Microsoft.Compute/galleries/images/versions"
        )
        if not version.body["properties"].get("publishingProfile", {}).get("excludeFromLatest")
    ]
    newest = max(versions, key=lambda version: [int(part) for part in version.id.name.split(".")], default=None)
    return None if newest is None else newest.id
