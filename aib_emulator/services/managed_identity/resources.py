"""What a user-assigned managed identity looks like."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId

RESOURCE_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


def identity_resource(
    identity_id: ResourceId, *, location: str, tags: Mapping[str, str], tenant_id: str, now: datetime
) -> Resource:
    """Return a new identity; one that is made anew under the same id is another principal."""
    birth = f"{identity_id.key} {now.isoformat()}"
    body: dict[str, Any] = {
        "location": location,
        "tags": dict(tags),
        "id": identity_id.write("resourcegroups"),
        "name": identity_id.name,
        "type": RESOURCE_TYPE,
        "properties": {
            "tenantId": tenant_id,
            "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"principal {birth}")),
            "clientId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"client {birth}")),
        },
    }
    return Resource(identity_id, body, created=now, changed=now)
