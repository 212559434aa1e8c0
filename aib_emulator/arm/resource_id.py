"""Resource ids: read from text, compared without case, written as they came."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


class ResourceIdError(ValueError):
    """The text is not the id of a resource."""


@dataclass(frozen=True)
class ResourceId:
    """Name one resource, resource group or subscription.

    :param subscription_id: its subscription
    :param resource_group_name: its group; None for a subscription and what lies directly in it
    :param namespace: the resource provider, such as `Microsoft.Compute`; None for a group or subscription
    :param path: type and name in turn, such as `("galleries", "corp", "images", "linux-base")`
    """

    subscription_id: str
    resource_group_name: str | None = None
    namespace: str | None = None
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read an id in any casing; the names keep theirs."""
        segments = [segment for segment in text.strip().split("/") if segment]
        if not text.strip().startswith("/") or len(segments) % 2:
            raise ResourceIdError(f"{text!r} is not a resource id.")
        pairs = [(segments[at].lower(), segments[at + 1]) for at in range(0, len(segments), 2)]
        if not pairs or pairs[0][0] != "subscriptions":
            raise ResourceIdError(f"{text!r} is not a resource id: it does not begin with /subscriptions/.")
        at = 1
        group = None
        if len(pairs) > at and pairs[at][0] == "resourcegroups":
            group, at = pairs[at][1], at + 1
        if len(pairs) == at:
            return cls(pairs[0][1], group)
        if pairs[at][0] != "providers" or len(pairs) == at + 1:
            raise ResourceIdError(f"{text!r} is not a resource id: it names no resource of a provider.")
        return cls(pairs[0][1], group, pairs[at][1], tuple(segments[2 * at + 2 :]))

    @cached_property
    def key(self) -> str:
        """What equal ids have in common."""
        return str(self).lower()

    @property
    def name(self) -> str:
        """The last name in it."""
        if self.path:
            return self.path[-1]
        return self.resource_group_name or self.subscription_id

    @property
    def resource_type(self) -> str:
        """Such as `Microsoft.Compute/galleries/images`."""
        if self.namespace is None:
            group = "resourceGroups" if self.resource_group_name else "subscriptions"
            return f"Microsoft.Resources/{group}"
        return "/".join((self.namespace, *self.path[0::2]))

    @property
    def is_group(self) -> bool:
        """Whether it names a resource group."""
        return self.namespace is None and self.resource_group_name is not None

    @property
    def group(self) -> ResourceId:
        """The id of the resource group that it lies in."""
        return ResourceId(self.subscription_id, self.resource_group_name)

    @property
    def parent(self) -> ResourceId | None:
        """The resource that it is a part of; None for one that stands by itself."""
        if len(self.path) <= 2:  # noqa: PLR2004 - one type and one name
            return None
        return ResourceId(self.subscription_id, self.resource_group_name, self.namespace, self.path[:-2])

    def child(self, *path: str) -> ResourceId:
        """Return the id of a part of it, given as type and name in turn."""
        return ResourceId(self.subscription_id, self.resource_group_name, self.namespace, (*self.path, *path))

    def in_group(self, namespace: str, *path: str) -> ResourceId:
        """Return the id of a resource in the same group."""
        return ResourceId(self.subscription_id, self.resource_group_name, namespace, path)

    def is_type(self, resource_type: str) -> bool:
        """Whether it is of that type, in any casing."""
        return self.resource_type.lower() == resource_type.lower()

    def write(self, groups_word: str = "resourceGroups") -> str:
        """Write it, with `resourceGroups` cased as the answering service cases it."""
        text = f"/subscriptions/{self.subscription_id}"
        if self.resource_group_name is not None:
            text += f"/{groups_word}/{self.resource_group_name}"
        if self.namespace is not None:
            text += "/" + "/".join(("providers", self.namespace, *self.path))
        return text

    def __str__(self) -> str:
        return self.write()
