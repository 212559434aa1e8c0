"""What kind of JSON each member of a body must be, before anybody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aib_emulator.arm.errors import ArmError

KINDS = {str: "a string", int: "a whole number", bool: "a boolean", dict: "an object", list: "an array"}


@dataclass(frozen=True)
class Each:
    """Say of which shape every member of an object is, whatever its name."""

    shape: Any


ENVELOPE: Mapping[str, Any] = {"location": str, "tags": Each(str), "properties": {}}
"""What all resources have."""


def demand_shape(value: Any, shape: Any, path: str = "") -> None:
    """Refuse a value that is of another kind than its shape says; null is of every kind.

    :param shape: a type; an object with the shapes of members that somebody reads; a list with the shape of its items
    :param path: where the value stands
    """
    if value is None:
        return
    kind: Any = shape if isinstance(shape, type) else list if isinstance(shape, list) else dict
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise invalid_content(f"'{path}' is not {KINDS[kind]}")
    if isinstance(shape, Each):
        _demand_all(value.items(), lambda _: shape.shape, path)
    elif isinstance(shape, list):
        if None in value:
            raise invalid_content(f"'{path}' holds a null")
        _demand_all(enumerate(value), lambda _: shape[0], path)
    elif isinstance(shape, Mapping):
        _demand_all(((name, value.get(name)) for name in shape), shape.get, path)


def invalid_content(what: str) -> ArmError:
    """Return the refusal of a body that cannot be read."""
    message = f"The request content was invalid and could not be deserialized: '{what}'."
    return ArmError(400, "InvalidRequestContent", message)


def _demand_all(members: Any, shape_of: Any, path: str) -> None:
    for name, member in members:
        demand_shape(member, shape_of(name), f"{path}.{name}" if path else str(name))
