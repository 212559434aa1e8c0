"""How a table describes an object of an image template: its members, their types, names they had before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ScalarKind = Literal["string", "integer", "boolean"]
MemberKind = Literal["string", "integer", "boolean", "object", "list", "texts"]


@dataclass(frozen=True)
class Member:
    """Describe one member of an object.

    :param name: the current api-version's spelling
    :param kind: what it holds; `texts` is a map from text to text
    :param holds: for `object` its shape or family; for `list` those of the items, or a scalar
    :param is_required: whether the service refuses the object without it
    :param default: what the service takes when it is absent
    :param values: the only ones allowed
    :param least: the smallest number
    :param most: the greatest number
    :param former_names: spellings of older api-versions, beside other letter case
    """

    name: str
    kind: MemberKind = "string"
    holds: Shape | Family | ScalarKind | None = None
    is_required: bool = False
    default: Any = None
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    former_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """Describe an object.

    :param name: for messages; for a member of a family also the value of `type`
    :param members: by name
    :param os: which systems a customizer, validator or distributor works on, where it matters
    """

    name: str
    members: Mapping[str, Member]
    os: tuple[str, ...] = ("Linux", "Windows")

    def member(self, name: str) -> Member | None:
        """Find a member by any of its spellings."""
        if name in self.members:
            return self.members[name]
        wanted = name.casefold()
        return next(
            (
                member
                for member in self.members.values()
                if wanted == member.name.casefold() or wanted in {former.casefold() for former in member.former_names}
            ),
            None,
        )


@dataclass(frozen=True)
class Family:
    """Describe a family of objects that one member tells apart.

    :param name: for messages, as `customizer`
    :param kinds: by the value of the telling member
    :param told_by: that member
    """

    name: str
    kinds: Mapping[str, Shape]
    told_by: str = "type"

    def kind_of(self, value: Mapping[str, Any]) -> Shape | None:
        """Find which kind an object is, whatever its letter case."""
        sent = next((item for key, item in value.items() if key.casefold() == self.told_by), None)
        return self.find(sent)

    def find(self, told: Any) -> Shape | None:
        """Find a kind by name, whatever its letter case."""
        wanted = str(told).casefold()
        return next((shape for name, shape in self.kinds.items() if name.casefold() == wanted), None)


def shape(name: str, *members: Member, os: tuple[str, ...] = ("Linux", "Windows")) -> Shape:
    """Describe an object by its members."""
    return Shape(name, {member.name: member for member in members}, os)


def family(name: str, *kinds: Shape, told_by: str = "type") -> Family:
    """Describe a family by its kinds."""
    return Family(name, {kind.name: kind for kind in kinds}, told_by)
