"""Resources by resource id; it keeps them and knows no rule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aib_emulator.keeping.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId

FAMILY = "resource"


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
    """Keep resources, found by their ids in any casing, listed in the order of their creation.

    :param keeper: told of everything that is put, deleted or handed out to be changed
    """

    def __init__(self, keeper: Keeper | None = None) -> None:
        self._resources: dict[str, Resource] = {}
        # By place, type and name, in lower case; an empty text stands for any. The few shelves that a resource stands
        # on answer every list without a look at the others.
        self._shelves: dict[tuple[str, str, str], dict[str, Resource]] = {}
        self._keeper = keeper or Keeper()
        self._keeper.add(FAMILY, self._resources)

    def touch(self, resource_id: ResourceId) -> None:
        """Say that whoever holds a resource may change it."""
        self._keeper.touch(FAMILY, resource_id.key)

    def get(self, resource_id: ResourceId) -> Resource | None:
        """Return the resource of that id."""
        self.touch(resource_id)
        return self._resources.get(resource_id.key)

    def put(self, resource: Resource) -> Resource:
        """Keep it, in place of an older one of the same id."""
        self._resources[resource.id.key] = resource
        for shelf in _shelves(resource.id):
            self._shelves.setdefault(shelf, {})[resource.id.key] = resource
        self.touch(resource.id)
        return resource

    def delete(self, resource_id: ResourceId) -> Resource | None:
        """Forget the resource itself, and return it."""
        self.touch(resource_id)
        for shelf in _shelves(resource_id):
            left = self._shelves.get(shelf, {})
            left.pop(resource_id.key, None)
            if not left:
                self._shelves.pop(shelf, None)
        return self._resources.pop(resource_id.key, None)

    def list_below(self, whole: ResourceId, resource_type: str = "") -> list[Resource]:
        """Return the parts of a resource and their parts, or what lies in a group."""
        place = _place(whole.subscription_id, whole.resource_group_name) if whole.is_group else _whole(whole).key
        shelf = self._shelves.get((place, resource_type.lower(), ""), {})
        return [resource for resource in shelf.values() if resource.id.key.startswith(f"{whole.key}/")]

    def named(self, resource_type: str, name: str) -> list[Resource]:
        """Return the resources of a type that have this name, wherever they lie."""
        return list(self._shelves.get(("", resource_type.lower(), name.lower()), {}).values())

    def list(
        self,
        *,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        resource_type: str = "",
    ) -> list[Resource]:
        """Return the resources that fit every condition given.

        :param resource_group_name: a group of that subscription; an empty text for what lies in none
        """
        place = _place(subscription_id, resource_group_name)
        return list(self._shelves.get((place, resource_type.lower(), ""), {}).values())

    def clear(self) -> None:
        """Forget all."""
        for resource in self:
            self.touch(resource.id)
        self._resources.clear()
        self._shelves.clear()

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._resources.values()))


def _shelves(resource_id: ResourceId) -> Iterator[tuple[str, str, str]]:
    """Yield where a resource stands."""
    kind = resource_id.resource_type.lower()
    subscription = _place(resource_id.subscription_id, None)
    group = _place(resource_id.subscription_id, resource_id.resource_group_name or "")
    for place in ("", subscription, group, _whole(resource_id).key):
        yield place, "", ""
        yield place, kind, ""
    yield "", kind, resource_id.name.lower()


def _place(subscription_id: str | None, resource_group_name: str | None) -> str:
    if subscription_id is None:
        if resource_group_name is not None:
            raise ValueError(f"Of which subscription is {resource_group_name!r}? Say it: names of groups recur.")
        return ""
    return (
        subscription_id.lower() if resource_group_name is None else f"{subscription_id}/{resource_group_name}".lower()
    )


def _whole(resource_id: ResourceId) -> ResourceId:
    """Return the resource that stands by itself and has this one as a part, or is it."""
    return replace(resource_id, path=resource_id.path[:2])
