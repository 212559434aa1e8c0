"""The official schemas, one for each api-version, without what is not meant.

As published, no customizer satisfies its schema: `additionalProperties: false` stands in the half that knows only the
common members. What is meant is that each kind has its own members and the common ones, and no others. Expressions are
left out, since a document is compared after they have been evaluated.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from tests.reference_files import published_schema


@cache
def official_schema(api_version: str) -> dict[str, Any]:
    """Give the schema of the resource as it is meant, in one piece."""
    published = published_schema(api_version)
    return _meant(published["resourceDefinitions"]["imageTemplates"], published["definitions"])


@cache
def judge(api_version: str) -> Draft4Validator:
    """Give what decides whether a document satisfies the schema."""
    return Draft4Validator(official_schema(api_version))


def _meant(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _meant(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "oneOf" in schema:
        (alternative,) = (one for one in schema["oneOf"] if not one.get("$ref", "").endswith("/expression"))
        return _meant(alternative, definitions)
    if "allOf" in schema:
        common, kinds = schema["allOf"]
        return {"oneOf": [_kind(common, kind["allOf"][0]["$ref"], definitions) for kind in kinds["oneOf"]]}
    meant: dict[str, Any] = {name: schema[name] for name in ("type", "enum", "minimum", "maximum") if name in schema}
    if "pattern" in schema:
        # Python's $ lets a line break follow.
        meant["pattern"] = schema["pattern"].removesuffix("$") + r"\Z"
    if "items" in schema:
        meant["items"] = _meant(schema["items"], definitions)
    if isinstance(schema.get("additionalProperties"), dict):
        return meant | {"additionalProperties": _meant(schema["additionalProperties"], definitions)}
    if schema.get("properties"):
        meant |= _closed(schema, definitions)
    return meant


def _kind(common: dict[str, Any], reference: str, definitions: dict[str, Any]) -> dict[str, Any]:
    own = definitions[reference.rpartition("/")[2]]
    both = {
        "properties": common["properties"] | own["properties"],
        "required": [*common.get("required", []), *own.get("required", [])],
    }
    return {"type": "object", **_closed(both, definitions)}


def _closed(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    closed: dict[str, Any] = {
        "properties": {name: _meant(member, definitions) for name, member in schema["properties"].items()},
        "additionalProperties": False,
    }
    # An empty list is not allowed there.
    required = sorted(set(schema.get("required", [])))
    return closed | ({"required": required} if required else {})


def told_by(kind: dict[str, Any]) -> str:
    """Give the member of a kind that tells it apart."""
    return next(name for name in ("scheme", "kind", "type") if name in kind["properties"])


def kind_name(kind: dict[str, Any]) -> str:
    """Give the name of a kind."""
    return str(kind["properties"][told_by(kind)]["enum"][0])
