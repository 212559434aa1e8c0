"""Source images: whether there is such an image, and which version of it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.locations import short_name
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.versions import version_order
from aib_emulator.services.image_builder.pending import CreationError

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.store import Resource
    from aib_emulator.world import World

VERSION = "Microsoft.Compute/galleries/images/versions"


def resolve_source(world: World, image_template: ImageTemplate, at: datetime) -> None:
    """Find the exact version of the source at an instant, or raise CreationError when there is none."""
    source = image_template.properties["source"]
    if source["type"] != "ManagedImage":
        source["exactVersion"] = exact_version(world, image_template, at)
    elif world.store.get(ResourceId.parse(source["imageId"])) is None:
        raise CreationError(
            "BadManagedImageSource",
            f"Build (Managed Image) step failed: Error getting Managed Image '{source['imageId']}': "
            'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
        )


def exact_version(world: World, image_template: ImageTemplate, at: datetime) -> str:
    """Return the version that a platform or gallery source stands for at an instant, or raise CreationError."""
    source = image_template.properties["source"]
    if source["type"] == "PlatformImage":
        return _platform_version(world, source)
    return _gallery_version(world, source["imageVersionId"], image_template.location, at)


def source_completions(world: World, source: dict[str, Any]) -> list[datetime]:
    """Return when each version of a gallery source is replicated; none of a source that is none."""
    definition_id = ResourceId.parse(source["imageVersionId"]).parent if "imageVersionId" in source else None
    if definition_id is None:
        return []
    return [world.compute.version_completion(version) for version in world.store.list_below(definition_id, VERSION)]


def _platform_version(world: World, source: dict[str, Any]) -> str:
    publisher, offer, sku, version = (source[name] for name in ("publisher", "offer", "sku", "version"))
    if version.lower() == "latest":
        latest = world.compute.latest_platform_version(publisher, offer, sku)
        if latest is not None:
            return latest
    elif world.compute.platform_version_exists(publisher, offer, sku, version):
        return str(version)
    raise CreationError("BadPIRSource", f"The platform image '{publisher}:{offer}:{sku}:{version}' is not available.")


def _gallery_version(world: World, text: str, location: str, at: datetime) -> str:
    version_id = ResourceId.parse(text)
    definition_id = version_id.parent
    if version_id.name.lower() == "latest" and definition_id is not None:
        found = _newest(world, definition_id, location, at)
        if found is not None:
            return found.write()
    elif _copy_in(world.store.get(version_id), location) is not None:
        return version_id.write()
    raise CreationError(
        "BadSharedImageVersionSource",
        f"Build (Shared Image Version) step failed for Image Version '{version_id}': Error getting Image Version: "
        'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
    )


def _newest(world: World, definition_id: ResourceId, location: str, at: datetime) -> ResourceId | None:
    versions = [
        version
        for version in world.store.list_below(definition_id, VERSION)
        if _is_latest_in(version, location) and world.compute.version_completion(version) <= at
    ]
    newest = max(versions, key=lambda version: version_order(version.id.name), default=None)
    return None if newest is None else newest.id


def _is_latest_in(version: Resource, location: str) -> bool:
    """Whether a version may be what `latest` means in a location: it is there, and neither is excluded."""
    regional_copy = _copy_in(version, location)
    holders = (version.body["properties"]["publishingProfile"], regional_copy or {})
    return regional_copy is not None and not any(holder.get("excludeFromLatest") for holder in holders)


def _copy_in(version: Resource | None, location: str) -> dict[str, Any] | None:
    """Return what a gallery version says about its copy in a location; None when it has none there."""
    if version is None:
        return None
    regions: list[dict[str, Any]] = version.body["properties"]["publishingProfile"]["targetRegions"]
    return next((region for region in regions if short_name(region["name"]) == location), None)
