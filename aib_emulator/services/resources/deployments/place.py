"""Where a deployment goes, and the ids of what it makes there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from aib_emulator.services.resources.deployments.syntax import ExpressionError

GROUPS = "microsoft.resources/resourcegroups"


@dataclass(frozen=True)
class Place:
    """Name the subscription and, usually, the resource group that a deployment goes to.

    :param subscription_id: the subscription
    :param resource_group_name: None for a deployment to the subscription itself
    """

    subscription_id: str
    resource_group_name: str | None = None

    @property
    def path(self) -> str:
        """Its id."""
        subscription = f"/subscriptions/{self.subscription_id}"
        return f"{subscription}/resourceGroups/{self.resource_group_name}" if self.resource_group_name else subscription

    def resource_id(self, *parts: str) -> str:
        """Return an id as `resourceId` makes it: perhaps subscription and group, then a type and its names."""
        *before, resource_type, names = _parted(parts)
        subscription_id, group = self.subscription_id, self.resource_group_name
        if before:
            group = before[-1]
        if len(before) > 1:
            subscription_id = before[-2]
        return id_below(Place(subscription_id, group).path, resource_type, names)

    def subscription_resource_id(self, *parts: str) -> str:
        """Return the id of what lies directly in a subscription."""
        *before, resource_type, names = _parted(parts)
        return id_below(Place(before[-1] if before else self.subscription_id).path, resource_type, names)


def id_below(scope: str, resource_type: str, names: str) -> str:
    """Return the id of a resource of a scope; type and names may have several segments."""
    if resource_type.lower() == GROUPS:
        return f"{scope}/resourceGroups/{names}"
    namespace, *words = resource_type.split("/")
    segments = names.split("/")
    if len(words) != len(segments):
        raise ExpressionError(
            f"Unable to evaluate template language function 'resourceId': the type '{resource_type}' requires "
            f"'{len(words)}' resource name argument(s). "
            "Please see https://aka.ms/arm-resource-functions for usage details."
        )
    return "/".join(
        (scope.rstrip("/"), "providers", namespace, *chain.from_iterable(zip(words, segments, strict=True)))
    )


def extension_resource_id(scope: str, *parts: str) -> str:
    """Return the id of what lies on another resource."""
    *_, resource_type, names = _parted(parts)
    return id_below(scope, resource_type, names)


def tenant_resource_id(*parts: str) -> str:
    """Return the id of what lies in no subscription."""
    return extension_resource_id("", *parts)


def _parted(parts: tuple[str, ...]) -> list[str]:
    """Return what stands before the type, the type, and the names joined."""
    at = next((index for index, part in enumerate(parts) if "/" in part and "." in part.partition("/")[0]), None)
    if at is None or at == len(parts) - 1:
        raise ExpressionError(
            "Unable to evaluate template language function 'resourceId': function requires fully qualified resource "
            "type as one of string arguments. Please see https://aka.ms/arm-resource-functions for usage details."
        )
    return [*parts[:at], parts[at], "/".join(parts[at + 1 :])]
