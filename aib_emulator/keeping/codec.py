"""Objects to JSON and back, for those classes only that it was told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

TAG = "$"
NOT_KEPT = {"kept": False}
"""Metadata of a dataclass field that is not written."""


@dataclass(frozen=True)
class Shape:
    """Say how objects of one class are written.

    :param kind: the class
    :param write: object -> members, which may hold further objects
    :param read: members -> object
    """

    kind: type[Any]
    write: Callable[[Any], Mapping[str, Any]]
    read: Callable[[dict[str, Any]], Any]


def dataclass_shape(kind: type[Any]) -> Shape:
    """Return the shape of a dataclass: its fields, but those marked `NOT_KEPT`."""
    names = [field.name for field in fields(kind) if field.init and field.metadata.get("kept", True)]
    return Shape(kind, lambda value: {name: getattr(value, name) for name in names}, lambda members: kind(**members))


BUILT_IN = (
    Shape(datetime, lambda value: {"at": value.isoformat()}, lambda members: datetime.fromisoformat(members["at"])),
    Shape(tuple, lambda value: {"items": list(value)}, lambda members: tuple(members["items"])),
)


class Codec:
    """Write and read objects.

    :param kinds: dataclasses, and shapes of what is none or is written in its own way
    """

    def __init__(self, *kinds: type[Any] | Shape) -> None:
        shapes = [kind if isinstance(kind, Shape) else dataclass_shape(kind) for kind in kinds]
        self._by_kind = {shape.kind: shape for shape in (*BUILT_IN, *shapes)}
        self._by_name = {kind.__name__: shape for kind, shape in self._by_kind.items()}
        self.kinds = frozenset(shape.kind for shape in shapes)

    def write(self, value: Any) -> Any:
        """Return `value` as JSON."""
        shape = self._by_kind.get(type(value))
        if shape is not None:
            return {TAG: type(value).__name__, **self._members(shape.write(value))}
        if isinstance(value, Mapping):
            # Texts alone are keys in JSON, and a document may have a member of the tag's name.
            is_plain = all(isinstance(name, str) and name != TAG for name in value)
            return (
                self._members(value) if is_plain else {TAG: "dict", "items": self.write(list(map(list, value.items())))}
            )
        if isinstance(value, list):
            return [self.write(item) for item in value]
        if is_dataclass(value):
            raise TypeError(f"{type(value).__name__} is not known to the codec.")
        return value

    def read(self, value: Any) -> Any:
        """Return what was written as this JSON."""
        if isinstance(value, list):
            return [self.read(item) for item in value]
        if not isinstance(value, dict):
            return value
        members = {name: self.read(item) for name, item in value.items() if name != TAG}
        if TAG not in value:
            return members
        if value[TAG] == "dict":
            return dict(members["items"])
        return self._by_name[value[TAG]].read(members)

    def _members(self, members: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.write(item) for name, item in members.items()}
