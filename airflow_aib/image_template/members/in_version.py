"""One table describes all api-versions; here a single one is read from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_aib.image_template.members.api_versions import next_after
from airflow_aib.image_template.members.shapes import Family, Member, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.members.shapes import ScalarKind

_Row = TypeVar("_Row", Member, Shape)


def shape_in(row: Shape, api_version: str) -> Shape:
    """Give an object as an api-version has it."""
    members = [member_in(member, api_version) for member in row.members.values() if _has(member, api_version)]
    return replace(
        _as_it_was(row, api_version),
        members={member.name: member for member in members},
        others={name.casefold(): other for name, other in row.members.items() if not _has(other, api_version)},
        api_version=api_version,
    )


def family_in(row: Family, api_version: str) -> Family:
    """Give a family with the kinds that an api-version has."""
    kinds = [shape_in(kind, api_version) for kind in row.kinds.values() if _has(kind, api_version)]
    return replace(
        row,
        kinds={kind.name: kind for kind in kinds},
        others={name.casefold(): other for name, other in row.kinds.items() if not _has(other, api_version)},
        api_version=api_version,
    )


def member_in(row: Member, api_version: str) -> Member:
    """Give a member as an api-version has it."""
    here = _as_it_was(row, api_version)
    return replace(
        here,
        holds=_holds_in(here.holds, api_version),
        other_names={name: when for name, when in _names(row) if name != here.name},
    )


def when_known(row: Member | Shape, api_version: str) -> str:
    """Say in words which api-versions have what this one has not."""
    return f"since {row.since}" if api_version < row.since else f"until {row.until}"


def _has(row: Member | Shape, api_version: str) -> bool:
    return row.since <= api_version <= row.until


def _as_it_was(row: _Row, api_version: str) -> _Row:
    differing: dict[str, Any] = {}
    for until in sorted(row.earlier, reverse=True):
        if api_version <= until:
            differing |= row.earlier[until]
    return replace(row, **differing)


def _holds_in(holds: Shape | Family | ScalarKind | None, api_version: str) -> Shape | Family | ScalarKind | None:
    if isinstance(holds, Shape):
        return shape_in(holds, api_version)
    return family_in(holds, api_version) if isinstance(holds, Family) else holds


def _names(row: Member) -> Iterator[tuple[str, str]]:
    """Give each spelling of a member with the words that say which api-versions have it."""
    renamed = [(until, differing["name"]) for until, differing in sorted(row.earlier.items()) if "name" in differing]
    for until, name in renamed:
        yield name, f"until {until}"
    if renamed:
        yield row.name, f"since {next_after(renamed[-1][0])}"
