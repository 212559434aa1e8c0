"""The tables of every api-version against its official schema: by structure, and by documents made from the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from airflow_aib.image_template.checks.members import check_shape
from airflow_aib.image_template.members.api_versions import API_VERSIONS, is_strict
from airflow_aib.image_template.members.kinds import tables_of
from airflow_aib.image_template.members.shapes import Family, Member, Shape
from tests.unit.airflow_aib.image_template.official_schemas import (
    judge,
    kind_name,
    official_schema,
    told_by,
)
from tests.unit.airflow_aib.image_template.schema_documents import complete_document, documents, spoilings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.airflow_aib.image_template.schema_documents import Spoiling

IN_THE_ADDRESS = "a body that is sent has it in its address, and the schema describes deployment files"
DOCUMENTED = "the documentation of the preview has it, and the schema has not"

# Where the tables deliberately differ from the schema: the members, by api-version, and why.
DELIBERATE: dict[tuple[str, ...], dict[str, str]] = {
    API_VERSIONS: dict.fromkeys(("name", "type", "apiVersion"), IN_THE_ADDRESS),
    ("2019-05-01-preview",): dict.fromkeys(
        (
            "properties.vmProfile.vnetConfig",
            "properties.vmProfile.vnetConfig.name",
            "properties.vmProfile.vnetConfig.subnetName",
            "properties.vmProfile.vnetConfig.resourceGroupName",
        ),
        DOCUMENTED,
    ),
}

# By member and kind: whether it is required, its type, its words, its limits and its form.
Facts = dict[str, tuple[Any, ...]]


def facts_of_schema(schema: dict[str, Any], path: str, *, is_required: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Give what a schema says of a member and all that it holds."""
    limits = (schema.get("minimum"), schema.get("maximum"))
    words = tuple(schema.get("enum", ()))
    yield path, (is_required, type_in_schema(schema), words, *limits, schema.get("pattern", ""))
    held = schema.get("items", schema)
    for kind in held.get("oneOf", [held]):
        inner = f"{path}[{kind_name(kind)}]" if "oneOf" in held else path
        if "oneOf" in held:
            yield inner, (told_by(kind),)
        for name, member in kind.get("properties", {}).items():
            required = name in kind.get("required", [])
            yield from facts_of_schema(member, f"{inner}.{name}".lstrip("."), is_required=required)


def type_in_schema(schema: dict[str, Any]) -> str:
    """Name a type in the tables' words."""
    if schema.get("type") == "array":
        return f"list of {type_in_schema(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return {"string": "texts", "object": "objects"}[schema["additionalProperties"]["type"]]
    return str(schema.get("type", "object"))


def facts_of_shape(shape: Shape, path: str, told: str = "") -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Give what the tables say of an object's members and all that they hold."""
    for member in shape.members.values():
        inner = f"{path}.{member.name}".lstrip(".")
        words = (shape.name,) if member.name == told else tuple(member.values)
        form = f"^{member.pattern}\\Z" if member.pattern else ""
        yield inner, (member.is_required, type_in_tables(member), words, member.least, member.most, form)
        if isinstance(member.holds, Shape):
            yield from facts_of_shape(member.holds, inner)
        elif isinstance(member.holds, Family):
            for name, kind in member.holds.kinds.items():
                yield f"{inner}[{name}]", (member.holds.told_by,)
                yield from facts_of_shape(kind, f"{inner}[{name}]", member.holds.told_by)


def type_in_tables(member: Member) -> str:
    """Name a member's type."""
    held = member.holds if isinstance(member.holds, str) else "object"
    return f"list of {held}" if member.kind == "list" else member.kind


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_tables_say_what_the_schema_says(api_version: str) -> None:
    """Kinds, members, required ones, types, words, limits and forms are the schema's, and no others."""
    ours = dict(facts_of_shape(tables_of(api_version), ""))
    theirs = dict(facts_of_schema(official_schema(api_version), "", is_required=False))
    del theirs[""]
    differing = {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}

    assert differing == {path for versions, paths in DELIBERATE.items() if api_version in versions for path in paths}


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_deliberate_differences_only_allow_more(api_version: str) -> None:
    """Where the tables differ from the schema they take more: nothing that it accepts is refused."""
    ours = dict(facts_of_shape(tables_of(api_version), ""))
    theirs = dict(facts_of_schema(official_schema(api_version), "", is_required=False))

    for path in ("name", "type", "apiVersion"):
        assert (ours[path][0], theirs[path][0], ours[path][1:]) == (False, True, theirs[path][1:])


def complaints(document: Any, api_version: str) -> set[str]:
    """Return severity and rule of every finding, but for texts that may be empty."""
    found = check_shape(document, api_version)
    return {f"{finding.severity} {finding.rule}" for finding in found if finding.rule != "member-empty"}


def assert_noticed(spoiling: Spoiling, document: Any, api_version: str) -> None:
    """Assert that the schema refuses a spoiled document, and that we say so."""
    spoiled = spoiling.spoil(document)
    found = complaints(spoiled, api_version)
    severities = {complaint.split()[0] for complaint in found}

    assert not judge(api_version).is_valid(spoiled), spoiling
    assert severities, spoiling
    assert severities <= fitting_severities(spoiling, api_version), f"{spoiling}: {found}"


def fitting_severities(spoiling: Spoiling, api_version: str) -> set[str]:
    """Tell which severities fit.

    Before 2024-02-01 the service ignored other letter case and unknown members. An empty word may pass for an absent
    one, unless it should tell the kind.
    """
    if spoiling.what in {"unknown", "case"} and not is_strict(api_version):
        return {"warning"}
    return {"warning", "error"} if spoiling.what == "word" and not spoiling.value else {"error"}


def ways_to_spoil(document: Any, api_version: str) -> list[Spoiling]:
    """Return all but the deliberate differences."""
    return [
        spoiling
        for spoiling in spoilings(document, official_schema(api_version))
        if not (spoiling.what == "required" and spoiling.at == () and spoiling.key in DELIBERATE[API_VERSIONS])
    ]


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_complete_documents_are_taken(api_version: str, kind: int) -> None:
    """A document with every member of every kind satisfies the schema, and has no finding."""
    document = complete_document(official_schema(api_version), kind)

    assert judge(api_version).is_valid(document)
    assert complaints(document, api_version) == set()


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_every_spoiled_member_is_noticed(api_version: str, kind: int) -> None:
    """Each member of each kind is noticed missing, of another type, letter case or form, and out of its limits."""
    document = complete_document(official_schema(api_version), kind)

    for spoiling in ways_to_spoil(document, api_version):
        # All else is the same in the documents of the other kinds.
        if kind == 0 or {"source", "versioning"} & {*spoiling.at, spoiling.key}:
            assert_noticed(spoiling, document, api_version)


# Without shrinking, which takes minutes here: the complete documents above show most mistakes in a small place.
BOUNDED = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("api_version", API_VERSIONS)
@BOUNDED
@given(data=st.data())
def test_what_the_schema_takes_is_taken(api_version: str, data: st.DataObject) -> None:
    """Whatever is made from the schema has no finding of shape, and once spoiled it has one."""
    document = data.draw(documents(official_schema(api_version)))
    assert judge(api_version).is_valid(document)
    assert complaints(document, api_version) == set()

    for _ in range(3):
        spoiling = data.draw(st.sampled_from(ways_to_spoil(document, api_version)))
        assert_noticed(spoiling, document, api_version)
