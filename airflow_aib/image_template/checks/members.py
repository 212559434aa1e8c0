"""Members and their types, by the tables: what is missing, unknown, of another type or outside its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import properties_of
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.kinds import PROPERTIES
from airflow_aib.image_template.shapes import Family, Member, Shape

if TYPE_CHECKING:
    from airflow_aib.image_template.render import RenderedImageTemplate

# Each has a rule of its own that says more.
_RETIRED_KINDS = frozenset({"iso"})


def check_members(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Compare the properties with the tables."""
    yield from _object(properties_of(rendered), PROPERTIES, "/properties")


def _object(value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[Finding]:
    for key, item in value.items():
        member = shape.members.get(key)
        if member is None:
            yield _unknown(key, shape, path)
        elif item is not None:
            yield from _member(item, member, f"{path}/{key}")
    for member in shape.members.values():
        if member.is_required and value.get(member.name) in (None, ""):
            yield error(f"{path}/{member.name}", "member-required", f"{_named(shape)} needs {member.name!r}", "Add it.")


def _unknown(key: str, shape: Shape, path: str) -> Finding:
    near = get_close_matches(key, shape.members, n=1)
    hint = f"Is {near[0]!r} meant?" if near else f"Known are {', '.join(shape.members)}."
    return warning(
        f"{path}/{key}",
        "member-unknown",
        f"{key!r} is not known in {_named(shape)}, and AIB refuses unknown ones",
        hint,
    )


def _member(value: Any, member: Member, path: str) -> Iterator[Finding]:
    expected, is_right = _TYPES[member.kind]
    if not is_right(value):
        yield error(path, "member-type", f"{member.name!r} must be {expected}", "Correct its type.")
        return
    if member.values and value and value not in member.values:
        yield error(path, "member-value", f"{member.name!r} must be one of {', '.join(member.values)}, not {value!r}")
    yield from _limits(value, member, path)
    items = enumerate(value) if member.kind == "list" else [("", value)] if member.kind == "object" else ()
    for index, item in items:
        yield from _held(item, member.holds, f"{path}/{index}".rstrip("/"), member)


def _limits(value: Any, member: Member, path: str) -> Iterator[Finding]:
    if member.least is not None and value < member.least:
        yield error(path, "member-range", f"{member.name!r} must be at least {member.least}, not {value}")
    if member.most is not None and value > member.most:
        yield error(path, "member-range", f"{member.name!r} must be at most {member.most}, not {value}")


def _held(value: Any, holds: Any, path: str, member: Member) -> Iterator[Finding]:
    """Look at what an object is, or at what a list holds."""
    if isinstance(holds, Shape | Family):
        if not isinstance(value, Mapping):
            yield error(path, "member-type", f"{member.name!r} must hold objects", "Correct its type.")
        elif isinstance(holds, Shape):
            yield from _object(value, holds, path)
        else:
            yield from _of_family(value, holds, path)
    elif isinstance(holds, str):
        expected, is_right = _TYPES[holds]
        if not is_right(value):
            yield error(path, "member-type", f"{member.name!r} must hold nothing but {expected}", "Correct its type.")


def _of_family(value: Mapping[str, Any], family: Family, path: str) -> Iterator[Finding]:
    kind = family.find(value.get(family.told_by))
    if kind is not None:
        yield from _object(value, kind, path)
    elif family.told_by not in value:
        yield error(
            f"{path}/{family.told_by}", "member-required", f"A {family.name} needs {family.told_by!r}", _known(family)
        )
    elif str(value[family.told_by]).casefold() not in _RETIRED_KINDS:
        told = value[family.told_by]
        yield error(f"{path}/{family.told_by}", "kind-unknown", f"There is no {family.name} {told!r}", _known(family))


def _known(family: Family) -> str:
    return f"Known are {', '.join(family.kinds)}."


def _named(shape: Shape) -> str:
    return f"the {shape.name}" if shape.name[:1].islower() else shape.name


def _is_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


_TYPES: dict[str, tuple[str, Any]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "object": ("an object", lambda value: isinstance(value, Mapping)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "texts": ("an object whose values are text", _is_texts),
}
