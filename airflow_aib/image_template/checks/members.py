"""Members and their types, by the tables: what is missing, unknown, of another type or outside its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import properties_of
from airflow_aib.image_template.checks.spelling import (
    known,
    misspelled,
    misspelled_kind,
    named,
    nearest,
    unexpected,
    unexpected_kind,
)
from airflow_aib.image_template.checks.values import check_value, has_type, how_to_write, type_in_words, type_of_value
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS, is_newer
from airflow_aib.image_template.members.kinds import READ_ONLY, tables_of
from airflow_aib.image_template.members.shapes import Family, Member, Shape
from airflow_aib.image_template.pointers import child

if TYPE_CHECKING:
    from airflow_aib.image_template.render import RenderedImageTemplate

# Places whose own rules say more.
_SAID_BETTER = frozenset({"/location", "/identity", "/identity/type"})
_DOCUMENTED_OTHERWISE = frozenset({"member-type", "kind-unknown"})
_ISO = ("/properties/source/type", "kind-version")

# What stands beside the members of an image template where it was read from a deployment file, or from Azure.
_BESIDE = {
    "": frozenset({"comments", "condition", "copy", "dependson", "id", "metadata", "scope", "systemdata", "$schema"}),
    "/identity": frozenset({"principalid", "tenantid"}),
}


def check_members(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Compare what will be submitted with the tables of the current api-version."""
    body = {**rendered.body, "properties": properties_of(rendered)}
    yield from _without_what_is_said_better(check_shape(body, API_VERSION))


def check_as_written(rendered: RenderedImageTemplate, api_version: str) -> Iterator[Finding]:
    """Compare what is written, before it was brought to the current api-version, with the tables of another one.

    What was documented at that time is a warning where the official schema has it otherwise: nobody knows any more
    what the service took.
    """
    documented = {change.former_path for change in rendered.changes if api_version < change.since}
    for finding in _without_what_is_said_better(check_shape(rendered.written, api_version)):
        is_doubtful = finding.rule in _DOCUMENTED_OTHERWISE and finding.path in documented
        yield replace(finding, severity="warning") if is_doubtful else finding


def _without_what_is_said_better(findings: Iterator[Finding]) -> Iterator[Finding]:
    for finding in findings:
        if finding.path not in _SAID_BETTER and (finding.path, finding.rule) != _ISO:
            yield finding


def check_shape(body: Mapping[str, Any], api_version: str) -> Iterator[Finding]:
    """Compare an image template with the tables of an api-version.

    :param body: what is sent, or the whole resource as a deployment file has it, without expressions
    :param api_version: for which it was written
    """
    if api_version in API_VERSIONS:
        yield from _object(body, tables_of(api_version), "")
        return
    yield (warning if is_newer(api_version) else error)(
        "/apiVersion",
        "api-version-unknown",
        f"The api-version {api_version!r} is not known, so nothing was compared with its tables",
        nearest(api_version, reversed(API_VERSIONS)),
    )


def _object(value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[Finding]:
    sent: dict[str, Any] = {}
    for key, item in value.items():
        member = shape.members.get(key) or shape.by_letters.get(key.casefold())
        place = child(path, key)
        if member is None:
            yield from _beside(key, shape, path, place)
            continue
        if key != member.name:
            yield misspelled(key, member, shape, place)
        if item is not None:
            sent[member.name] = item
            yield from _member(item, member, place)
    yield from _missing(sent, shape, path)


def _beside(key: str, shape: Shape, path: str, place: str) -> Iterator[Finding]:
    if key not in READ_ONLY.get(path, ()) and key.casefold() not in _BESIDE.get(path, ()):
        yield unexpected(key, shape, place)


def _missing(sent: Mapping[str, Any], shape: Shape, path: str) -> Iterator[Finding]:
    for member in shape.members.values():
        if not member.is_required:
            continue
        item = sent.get(member.name)
        if item is None:
            yield error(f"{path}/{member.name}", "member-required", f"{named(shape)} needs {member.name!r}", "Add it.")
        elif item == "" and not member.pattern:
            yield warning(f"{path}/{member.name}", "member-empty", f"{member.name!r} is empty", "Write its value.")


def _member(value: Any, member: Member, path: str) -> Iterator[Finding]:
    if not has_type(value, member.kind):
        yield _wrong_type(path, f"{member.name!r} must be", value, member.kind)
        return
    yield from check_value(value, member, path)
    if member.kind == "object":
        yield from _held(value, member, path)
    elif member.kind == "list":
        for index, item in enumerate(value):
            yield from _held(item, member, f"{path}/{index}")


def _held(value: Any, member: Member, path: str) -> Iterator[Finding]:
    """Look at what an object is, or at what a list holds."""
    holds = member.holds
    if isinstance(holds, Shape | Family):
        if not isinstance(value, Mapping):
            yield _wrong_type(path, f"Each item of {member.name!r} must be", value, "object")
        elif isinstance(holds, Shape):
            yield from _object(value, holds, path)
        else:
            yield from _of_family(value, holds, path)
    elif holds is not None and not has_type(value, holds):
        yield _wrong_type(path, f"Each item of {member.name!r} must be", value, holds)


def _wrong_type(path: str, must_be: str, value: Any, kind: str) -> Finding:
    # An object whose values are wrong is the object that it must be.
    is_other = not (isinstance(value, Mapping) and kind in {"texts", "objects"})
    message = f"{must_be} {type_in_words(kind)}" + (f", and is {type_of_value(value)}" if is_other else "")
    return error(path, "member-type", message, how_to_write(value, kind))


def _of_family(value: Mapping[str, Any], family: Family, path: str) -> Iterator[Finding]:
    told, place = family.told(value), f"{path}/{family.told_by}"
    kind = family.find(told)
    if kind is not None:
        if told != kind.name:
            yield misspelled_kind(told, kind, family, place)
        yield from _object(value, kind, path)
    elif told is None:
        yield error(place, "member-required", f"A {family.name} needs {family.told_by!r}", known(family))
    else:
        yield unexpected_kind(told, family, place)
