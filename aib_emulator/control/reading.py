"""Reads what is sent to the control door, and refuses what makes no sense."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.arm.route import Handler

    Kinds = Mapping[str, type | tuple[type, ...]]
    Table = list[tuple[str, str, Handler]]

Plan = TypeVar("Plan")


def built(kind: type[Plan], sent: dict[str, Any], kinds: Kinds) -> Plan:
    """Return a plan made from what was sent.

    :param kind: the plan's dataclass
    :param kinds: which kind of JSON each of its members is
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type] # a dataclass
    check_members(sent, {name: kinds[name] for name in kinds if name in known})
    return kind(**sent)


def check_members(sent: dict[str, Any], kinds: Kinds) -> None:
    """Refuse what was sent when a member is unknown, or of the wrong kind.

    :param kinds: which kind of JSON each member is
    """
    unknown = sorted(set(sent) - set(kinds))
    if unknown:
        raise ArmError(400, "UnknownMember", f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(kinds))}.")
    for name, value in sent.items():
        is_number_by_chance = isinstance(value, bool) and kinds[name] not in {bool, object}
        if is_number_by_chance or not isinstance(value, kinds[name]):
            # The value stays unsaid: it may be a secret.
            raise ArmError(400, "InvalidMember", f"{name} is of the wrong kind, {type(value).__name__}.")


def number(sent: dict[str, Any], name: str, most: float, *, least: float = 0.0) -> float:
    """Return a number that was sent, which must lie in its bounds."""
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ArmError(400, "InvalidNumber", f"{name}={value!r} must be a number from {least:.0f} to {most:.0f}.")
    return float(value)


def missing(what: str, name: str) -> ArmError:
    """Return the refusal of a plan that there is not."""
    return ArmError(404, "NotFound", f"There is no {what} {name!r}; it may have been removed, or lost in a reset.")
