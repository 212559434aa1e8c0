"""The build VM that stays in the staging group when an image template asks to keep it after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.timeline import Timeline
    from aib_emulator.world import World

KEPT_BY = {"customize": "onCustomizerError", "deprovision": "onCustomizerError", "validate": "onValidationError"}
"""By kind of the phase that failed: the member of `errorHandling` that decides."""
MACHINE = (
    ("Microsoft.Compute", "virtualMachines", "pkrvm"),
    ("Microsoft.Compute", "disks", "pkros"),
    ("Microsoft.Network", "networkInterfaces", "pkrni"),
)
NETWORK = (
    ("Microsoft.Network", "virtualNetworks", "pkrvn"),
    ("Microsoft.Network", "publicIPAddresses", "pkrip"),
    ("Microsoft.Network", "networkSecurityGroups", "pkrsg"),
)
"""What is made besides the machine, unless it stands in a subnet of the customer's."""


def is_kept(properties: Mapping[str, Any], timeline: Timeline) -> bool:
    """Whether the build VM of a run stays: it failed in a step whose errors are to abort."""
    handling = properties.get("errorHandling") or {}
    failed = {KEPT_BY.get(phase.kind, "") for phase in timeline.phases if phase.fails}
    return timeline.reason == "packer" and any(handling.get(member) == "abort" for member in failed)


def build_vm_ids(group_id: ResourceId, properties: Mapping[str, Any], suffix: str) -> list[ResourceId]:
    """Return the ids of a build VM and of what belongs to it.

    :param suffix: tells this VM from those of other runs
    """
    network = (properties.get("vmProfile") or {}).get("vnetConfig") or {}
    made = MACHINE if network.get("subnetId") else (*MACHINE, *NETWORK)
    return [group_id.in_group(namespace, kind, f"{prefix}{suffix}") for namespace, kind, prefix in made]


def keep_build_vm(world: World, image_template: ImageTemplate, suffix: str, at: datetime) -> None:
    """Put the build VM of a run into the staging group, if that is there."""
    group_id, properties = image_template.staging_group_id, image_template.properties
    if group_id is None or world.store.get(group_id) is None:
        return
    tags = dict(properties.get("managedResourceTags") or {})
    for resource_id in build_vm_ids(group_id, properties, suffix):
        body = {"location": image_template.location, "tags": tags, "properties": {"provisioningState": "Succeeded"}}
        world.store.put(Resource(resource_id, body, created=at, changed=at))
