"""Resources by resource id; it keeps them and knows no rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId


@dataclass
class Resource:
    """Keep one resource.

    :param id: as it was first written
    :param body: the document that GET answers, unless its service computes it
    :param created: when it was first put
    :param changed: when it was last put
    :param private: what no answer shows
    """

    id: ResourceId
    body: dict[str, Any]
    created: datetime
    changed: datetime
    private: dict[str, Any] = field(default_factory=dict)


class Store:
    """Keep resources, found by their ids in any casing, listed in the order of their creation."""

    def __init__(self) -> None:
        self._resources: dict[str, Resource] = {}

    def get(self, resource_id: ResourceId) -> Resource | None:
        """Return the resource of that id."""
        return self._resources.get(resource_id.key)

    def put(self, resource: Resource) -> Resource:
        """Keep it, in place of an older one of the same id."""
        self._resources[resource.id.key] = resource
        return resource

    def delete(self, resource_id: ResourceId) -> Resource | None:
        """Forget the resource itself, and return it."""
        return self._resources.pop(resource_id.key, None)

    def list(
        self,
        *,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        resource_type: str | None = None,
        below: ResourceId | None = None,
    ) -> list[Resource]:
        """Return the resources that fit every condition given.

        :param below: only parts of this resource, or what lies in this group
        """
        wanted = (subscription_id, resource_group_name, resource_type, below)
        return [resource for resource in self._resources.values() if _fits(resource.id, *wanted)]

    def clear(self) -> None:
        """Forget all."""
        self._resources.clear()

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._resources.values()))


def _fits(
    resource_id: ResourceId,
    subscription_id: str | None,
    resource_group_name: str | None,
    resource_type: str | None,
    below: ResourceId | None,
) -> bool:
    same = (
        (subscription_id, resource_id.subscription_id),
        (resource_group_name, resource_id.resource_group_name or ""),
        (resource_type, resource_id.resource_type),
    )
    if any(wanted is not None and wanted.lower() != actual.lower() for wanted, actual in same):
        return False
    return below is None or resource_id.key.startswith(f"{below.key}/")
