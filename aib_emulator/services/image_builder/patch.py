"""What a PATCH may change about an image template."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder import refusal
from aib_emulator.services.image_builder.creation import identity_value
from aib_emulator.services.image_builder.members import IMAGE_TEMPLATE_UPDATE, read
from aib_emulator.services.image_builder.resources import completed_distributor
from aib_emulator.services.image_builder.validation import assigned_identities, validate_distribute, validate_vm_profile

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World


def apply_patch(world: World, image_template: ImageTemplate, sent: dict[str, Any], api_version: str) -> None:
    """Check the whole PATCH, then change the image template; tags are replaced as a whole."""
    body = read(sent, IMAGE_TEMPLATE_UPDATE, api_version)
    properties = body.get("properties") or {}
    distribute = _patched_distribute(image_template, properties, api_version)
    profile = properties.get("vmProfile")
    validate_vm_profile(profile or {})
    identity = _patched_identity(world, image_template.identity, body.get("identity"))
    if "tags" in body:
        image_template.tags = dict(body["tags"])
    if distribute is not None:
        image_template.properties["distribute"] = distribute
    if profile:
        before = image_template.properties.get("vmProfile") or {"vmSize": "", "osDiskSizeGB": 0}
        image_template.properties["vmProfile"] = {**before, **profile}
    image_template.identity = identity


def _patched_distribute(
    image_template: ImageTemplate, properties: dict[str, Any], api_version: str
) -> list[dict[str, Any]] | None:
    if "distribute" not in properties:
        return None
    validate_distribute(properties["distribute"], api_version)
    sent = {distributor["runOutputName"].lower() for distributor in properties["distribute"]}
    for distributor in image_template.properties["distribute"]:
        if distributor["runOutputName"].lower() not in sent:
            raise refusal.deleted_distributor(distributor["runOutputName"])
    return [completed_distributor(distributor) for distributor in properties["distribute"]]


def _patched_identity(world: World, identity: dict[str, Any], sent: dict[str, Any] | None) -> dict[str, Any]:
    if not sent:
        return identity
    assigned = assigned_identities(sent)
    if sent.get("type") == "None":
        return {"type": "None"}
    patched = copy.deepcopy(identity.get("userAssignedIdentities") or {})
    for identity_id, value in assigned.items():
        same = next((known for known in patched if known.lower() == identity_id.lower()), None)
        if same is not None:
            del patched[same]
        if value is None:
            continue
        if world.store.get(ResourceId.parse(identity_id)) is None:
            raise refusal.identity_not_found(identity_id)
        patched[identity_id] = identity_value(world, identity_id)
    return {"type": "UserAssigned", "userAssignedIdentities": patched}
