"""Keeps galleries, image versions and managed images, and knows the marketplace; also what builds leave of these."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError, resource_not_found
from aib_emulator.services.compute.catalogue import PlatformCatalogue
from aib_emulator.services.compute.replication import (
    RegionalCopy,
    completion,
    copies_between,
    next_copies,
    plan_copies,
    replication_status,
)
from aib_emulator.services.compute.shapes import (
    definition_body,
    gallery_body,
    image_body,
    target_regions,
    version_body,
)
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.clock import Clock
    from aib_emulator.store import Store

PUBLICATION = "publication"
VERSION_TYPE = "Microsoft.Compute/galleries/images/versions"
DISK_SIZES_GB = {"linux": 30, "windows": 127}


@dataclass(frozen=True)
class Publication:
    """Say how far an image version is.

    :param copies: its copies, region by region
    :param unfinished_state: `provisioningState` until the last copy is there
    :param size_gb: size of its disk, shown once it is there
    """

    copies: list[RegionalCopy]
    unfinished_state: str
    size_gb: int


class ComputeResources:
    """Keep compute resources in the store.

    :param store: the resources
    :param clock: the emulated time
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.catalogue = PlatformCatalogue()
        self.when_published: Callable[[datetime], None] = _nobody
        self._store = store
        self._clock = clock

    def put(self, resource_id: ResourceId, body: dict[str, Any]) -> tuple[Resource, bool]:
        """Put a resource into the store, and say whether it is new; a part needs what it is a part of."""
        self._demand_parent(resource_id)
        known = self._store.get(resource_id)
        if known is None:
            now = self._clock.now()
            return self._store.put(Resource(resource_id, body, created=now, changed=now)), True
        known.body, known.changed = body, self._clock.now()
        return known, False

    def put_gallery(self, gallery_id: ResourceId, *, location: str) -> Resource:
        """Put a gallery into the store."""
        return self.put(gallery_id, gallery_body(gallery_id, {"location": location}))[0]

    def put_image_definition(
        self, definition_id: ResourceId, *, location: str, os_type: str, hyper_v_generation: str
    ) -> Resource:
        """Put an image definition into its gallery, with an identifier made from its name."""
        properties = {
            "osType": os_type,
            "osState": "Generalized",
            "hyperVGeneration": hyper_v_generation,
            "identifier": {"publisher": "emulated", "offer": definition_id.path[1], "sku": definition_id.name},
        }
        body = definition_body(definition_id, {"location": location, "properties": properties})
        return self.put(definition_id, body)[0]

    def put_managed_image(
        self,
        image_id: ResourceId,
        *,
        location: str,
        tags: Mapping[str, str],
        os_type: str,
        hyper_v_generation: str,
        source_image_template_id: str,
    ) -> Resource:
        """Put a finished managed image into the store."""
        disk = {
            "osType": os_type,
            "osState": "Generalized",
            "diskSizeGB": DISK_SIZES_GB[os_type.lower()],
            "caching": "ReadWrite",
            "storageAccountType": "Standard_LRS",
        }
        properties = {
            "storageProfile": {"osDisk": disk, "dataDisks": [], "zoneResilient": False},
            "hyperVGeneration": hyper_v_generation,
        }
        sent = {"location": location, "tags": tags, "properties": properties}
        image, _ = self.put(image_id, image_body(image_id, sent))
        image.private["source_image_template_id"] = source_image_template_id
        return image

    def put_image_version(
        self,
        version_id: ResourceId,
        *,
        location: str,
        tags: Mapping[str, str],
        target_regions: Sequence[Mapping[str, Any]],
        exclude_from_latest: bool,
        started: datetime,
        completed: datetime,
        source_image_template_id: str,
    ) -> Resource:
        """Put a gallery image version into the store that a build leaves.

        :param target_regions: `{"name", "replicaCount", "storageAccountType"}` each; the two latter may be absent
        :param started: when its copies begin
        :param completed: when the last of them is there
        """
        profile = {"targetRegions": target_regions, "excludeFromLatest": exclude_from_latest}
        properties = {"publishingProfile": profile, "storageProfile": {"source": {"id": source_image_template_id}}}
        sent = {"location": location, "tags": tags, "properties": properties}
        version, _ = self.put(version_id, version_body(version_id, sent, started))
        copies = copies_between(region_names(version.body), started, completed)
        version.private[PUBLICATION] = Publication(copies, "Creating", self._disk_size(version_id))
        self.when_published(completed)
        return version

    def publish_version(self, version_id: ResourceId, body: dict[str, Any]) -> tuple[Resource, bool]:
        """Put an image version that a caller asked for; its copies begin now."""
        known = self._store.get(version_id)
        if known is not None:
            before = known.body["properties"]["publishingProfile"]["publishedDate"]
            body["properties"]["publishingProfile"]["publishedDate"] = before
        version, is_new = self.put(version_id, body)
        if is_new:
            copies = plan_copies(region_names(body), self._clock.now())
            version.private[PUBLICATION] = Publication(copies, "Creating", self._disk_size(version_id))
        else:
            version.private[PUBLICATION] = self._changed_publication(version)
        self.when_published(self.version_completion(version))
        return version, is_new

    def change_version(self, version: Resource, sent: Mapping[str, Any]) -> None:
        """Take over tags, target regions and whether the version counts as latest."""
        if "tags" in sent:
            version.body["tags"] = dict(sent["tags"] or {})
        changes = (sent.get("properties") or {}).get("publishingProfile") or {}
        profile = version.body["properties"]["publishingProfile"]
        if "excludeFromLatest" in changes:
            profile["excludeFromLatest"] = changes["excludeFromLatest"]
        if changes.get("targetRegions"):
            profile["targetRegions"] = target_regions({**profile, **changes}, version.body["location"])
        version.private[PUBLICATION] = self._changed_publication(version)
        version.changed = self._clock.now()
        self.when_published(max(version.changed, self.version_completion(version)))

    def version_completion(self, version: Resource) -> datetime:
        """Return when every copy of the version is there."""
        return completion(version.private[PUBLICATION].copies, version.created)

    def version_completions(self) -> list[datetime]:
        """Return from when on each gallery image version is there."""
        found = self._store.list(resource_type=VERSION_TYPE)
        return [self.version_completion(version) for version in found]

    def changed_platform_images(self) -> list[dict[str, Any]] | None:
        """Return what is known of marketplace images that are not as at the start; None if there are none."""
        return self.catalogue.changed()

    def restore_platform_images(self, changed: Iterable[Mapping[str, Any]]) -> None:
        """Take over marketplace images with their versions."""
        self.catalogue.restore(changed)

    def version_now(self, version: Resource, *, with_replication: bool = False) -> dict[str, Any]:
        """Return an image version as it is at this instant."""
        publication: Publication = version.private[PUBLICATION]
        now = self._clock.now()
        body = copy.deepcopy(version.body)
        properties = body["properties"]
        is_done = now >= self.version_completion(version)
        properties["provisioningState"] = "Succeeded" if is_done else publication.unfinished_state
        if is_done or publication.unfinished_state == "Updating":
            disk = properties["storageProfile"]["osDiskImage"]
            properties["storageProfile"]["osDiskImage"] = {"sizeInGB": publication.size_gb, **disk}
        if with_replication:
            properties["replicationStatus"] = replication_status(publication.copies, now)
        return body

    def find(self, resource_id: ResourceId) -> Resource:
        """Return a resource, or raise ARM's 404."""
        resource = self._store.get(resource_id)
        if resource is None:
            parent_type = "/".join((str(resource_id.namespace), *resource_id.path[:-1]))
            raise resource_not_found(parent_type, resource_id.name, resource_id.resource_group_name)
        return resource

    def latest_platform_version(self, publisher: str, offer: str, sku: str) -> str | None:
        """Return the newest marketplace version, or None when the catalogue has no such image."""
        versions = self.catalogue.versions(publisher, offer, sku)
        return versions[-1] if versions else None

    def publish_platform_version(self, publisher: str, offer: str, sku: str, version: str, **about: str) -> None:
        """Add a version to a marketplace image, which is made if need be; ValueError when that makes no sense.

        :param about: `os_type` and `hyper_v_generation` of an image that is made
        """
        self.catalogue.publish(publisher, offer, sku, version, **about)
        self.when_published(self._clock.now())

    def withdraw_platform_version(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Take a version of a marketplace image away; LookupError when there is none."""
        self.catalogue.withdraw(publisher, offer, sku, version)

    def reset(self) -> None:
        """Forget which marketplace versions were published and withdrawn since the start."""
        self.catalogue.reset()

    def platform_version_exists(self, publisher: str, offer: str, sku: str, version: str) -> bool:
        """Whether the catalogue has this very version."""
        return version in self.catalogue.versions(publisher, offer, sku)

    def _changed_publication(self, version: Resource) -> Publication:
        before: Publication = version.private[PUBLICATION]
        known = {regional_copy.region: regional_copy for regional_copy in before.copies}
        return Publication(
            next_copies(known, region_names(version.body), self._clock.now()), "Updating", before.size_gb
        )

    def _disk_size(self, version_id: ResourceId) -> int:
        definition = self._store.get(version_id.parent) if version_id.parent else None
        os_type = definition.body["properties"]["osType"] if definition else "Linux"
        return DISK_SIZES_GB[os_type.lower()]

    def _demand_parent(self, resource_id: ResourceId) -> None:
        parent = resource_id.parent
        if parent is not None and self._store.get(parent) is None:
            what = "/".join(resource_id.path[0::2])
            message = (
                f"Failed to perform 'write' on resource(s) of type '{what}', because the parent resource "
                f"'{parent.write()}' could not be found."
            )
            raise ArmError(404, "ParentResourceNotFound", message)


def _nobody(_: datetime) -> None:
    """Stand for nobody who wants to be told."""


def region_names(version_body: Mapping[str, Any]) -> list[str]:
    """Return the names of a version's target regions."""
    return [region["name"] for region in version_body["properties"]["publishingProfile"]["targetRegions"]]
