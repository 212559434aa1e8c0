"""What a role permits: actions with wildcards, less those that are taken out again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MEMBERS = ("actions", "notActions", "dataActions", "notDataActions")


@dataclass(frozen=True)
class Permissions:
    """Say what one block of a role permits.

    :param actions: what may be done to resources; `*` stands for anything
    :param not_actions: what of that may not
    :param data_actions: what may be done to the data in them
    :param not_data_actions: what of that may not
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Permissions:
        """Read a block as bodies write it."""
        return cls(*(tuple(map(str, block.get(member) or ())) for member in MEMBERS))

    def to_json(self) -> dict[str, list[str]]:
        """Return the block as bodies write it."""
        values = (self.actions, self.not_actions, self.data_actions, self.not_data_actions)
        return {member: list(value) for member, value in zip(MEMBERS, values, strict=True)}

    def allow(self, action: str, *, is_data: bool = False) -> bool:
        """Whether the block permits an action on resources, or on data."""
        if is_data:
            return matches(self.data_actions, action) and not matches(self.not_data_actions, action)
        return matches(self.actions, action) and not matches(self.not_actions, action)


def matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the patterns stands for the action, in any casing."""
    return any(_expression(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    # Between slashes it stands for nothing too: `userAssignedIdentities/*/assign/action` is how Azure's own
    # Managed Identity Operator permits `userAssignedIdentities/assign/action`.
    text = re.escape(pattern).replace(r"/\*/", "/(?:.*/)?").replace(r"\*", ".*")
    return re.compile(text, re.IGNORECASE)


def covers(scope: str, place: str) -> bool:
    """Whether what is granted at `scope` holds at `place`: the same one, or one within it."""
    outer, inner = scope.rstrip("/").lower(), place.rstrip("/").lower()
    return inner == outer or inner.startswith(f"{outer}/")
