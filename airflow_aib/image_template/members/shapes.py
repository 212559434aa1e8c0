"""How a table describes an object of an image template: its members, their types, and what differs by api-version."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

ScalarKind = Literal["string", "integer", "boolean"]
MemberKind = Literal["string", "integer", "boolean", "object", "list", "texts", "objects"]


@dataclass(frozen=True)
class Member:
    """Describe one member of an object.

    :param name: the spelling in the shape's api-version
    :param kind: what it holds; `texts` is a map from text to text, `objects` one from text to any object
    :param holds: for `object` its shape or family; for `list` those of the items, or a scalar
    :param is_required: whether the service refuses the object without it
    :param default: what the service takes when it is absent
    :param values: the only ones allowed
    :param least: the smallest number
    :param most: the greatest number
    :param pattern: the form of the whole text, as a regular expression
    :param former_names: spellings that only documents have, and never an api-version
    :param since: the first api-version that has it
    :param until: the last one that has it
    :param earlier: fields that differed until an api-version
    :param instead: what to write where it is gone
    :param other_names: spellings of other api-versions, each with the words that say which
    """

    name: str
    kind: MemberKind = "string"
    holds: Shape | Family | ScalarKind | None = None
    is_required: bool = False
    default: Any = None
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    former_names: tuple[str, ...] = ()
    since: str = API_VERSIONS[0]
    until: str = API_VERSION
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    instead: str = ""
    other_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """Describe an object.

    :param name: for messages; for a member of a family also the value of `type`
    :param members: by name
    :param os: which systems a customizer, validator or distributor works on, where it matters
    :param since: the first api-version that has it
    :param until: the last one that has it
    :param earlier: fields that differed until an api-version
    :param api_version: which one this describes, once it describes a single one
    :param others: members that only other api-versions have, by name without letter case
    """

    name: str
    members: Mapping[str, Member]
    os: tuple[str, ...] = ("Linux", "Windows")
    since: str = API_VERSIONS[0]
    until: str = API_VERSION
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    api_version: str = API_VERSION
    others: Mapping[str, Member] = field(default_factory=dict)

    @cached_property
    def by_letters(self) -> Mapping[str, Member]:
        """Members by name, whatever its letter case."""
        return {member.name.casefold(): member for member in self.members.values()}

    @cached_property
    def _by_spelling(self) -> Mapping[str, Member]:
        others = {
            spelling.casefold(): member
            for member in self.members.values()
            for spelling in (*member.other_names, *member.former_names)
        }
        return {**others, **self.by_letters}

    def member(self, name: str) -> Member | None:
        """Find a member by any of its spellings."""
        return self.members.get(name) or self._by_spelling.get(name.casefold())


@dataclass(frozen=True)
class Family:
    """Describe a family of objects that one member tells apart.

    :param name: for messages, as `customizer`
    :param kinds: by the value of the telling member
    :param told_by: that member
    :param others: kinds that only other api-versions have, by name without letter case
    :param api_version: which one this describes, once it describes a single one
    """

    name: str
    kinds: Mapping[str, Shape]
    told_by: str = "type"
    others: Mapping[str, Shape] = field(default_factory=dict)
    api_version: str = API_VERSION

    @cached_property
    def _by_letters(self) -> Mapping[str, Shape]:
        return {name.casefold(): kind for name, kind in self.kinds.items()}

    def kind_of(self, value: Mapping[str, Any]) -> Shape | None:
        """Find which kind an object is, whatever its letter case."""
        return self.find(self.told(value))

    def told(self, value: Mapping[str, Any]) -> Any:
        """Give the value of the telling member, whatever that member's letter case; None where it is absent."""
        if self.told_by in value:
            return value[self.told_by]
        return next((item for key, item in value.items() if key.casefold() == self.told_by), None)

    def find(self, told: Any) -> Shape | None:
        """Find a kind by name, whatever its letter case."""
        return self._by_letters.get(str(told).casefold())


def shape(name: str, *members: Member, **more: Any) -> Shape:
    """Describe an object by its members."""
    return Shape(name, {member.name: member for member in members}, **more)


def family(name: str, *kinds: Shape, told_by: str = "type") -> Family:
    """Describe a family by its kinds."""
    return Family(name, {kind.name: kind for kind in kinds}, told_by)
