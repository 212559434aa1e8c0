"""Documents that satisfy an official schema, and ways to spoil them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.unit.airflow_aib.image_template.official_schemas import kind_name, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG_TYPES: dict[str, tuple[Any, ...]] = {
    "string": (5, ["a"]),
    "integer": ("5", 1.5, True),
    "boolean": ("true", 1),
    "object": ("x", []),
    "array": ("x", {}),
}

_GONE = object()


def documents(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Make whatever satisfies a schema."""
    if "oneOf" in schema:
        return st.one_of([documents(kind) for kind in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    made: st.SearchStrategy[Any] = _OF_TYPE[schema["type"]](schema)
    return made


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(st.text(max_size=6), documents(schema["additionalProperties"]), max_size=2)
    members = {name: documents(member) for name, member in schema.get("properties", {}).items()}
    required = {name: members.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=members)


def _texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    return st.from_regex(schema["pattern"]) if "pattern" in schema else st.text(max_size=6)


_OF_TYPE: dict[str, Any] = {
    "object": _objects,
    "string": _texts,
    "integer": lambda schema: st.integers(schema.get("minimum"), schema.get("maximum")),
    "boolean": lambda _schema: st.booleans(),
    "array": lambda schema: st.lists(documents(schema["items"]), max_size=2),
}


def complete_document(schema: dict[str, Any], kind: int = 0) -> Any:
    """Make a document with every member, and every kind in its lists.

    :param kind: which kind to take where only one can stand
    """
    if "oneOf" in schema:
        return complete_document(schema["oneOf"][kind % len(schema["oneOf"])], kind)
    if "enum" in schema:
        return schema["enum"][0]
    if isinstance(schema.get("additionalProperties"), dict):
        return {"a": complete_document(schema["additionalProperties"], kind)}
    if schema["type"] == "array":
        return [complete_document(one, kind) for one in schema["items"].get("oneOf", [schema["items"]])]
    if schema["type"] == "object":
        return {name: complete_document(member, kind) for name, member in schema.get("properties", {}).items()}
    return {"string": "a", "integer": schema.get("minimum", 0), "boolean": True}[schema["type"]]


@dataclass(frozen=True)
class Spoiling:
    """Describe one way to spoil a document.

    :param what: `required`, `type`, `word`, `range`, `form`, `unknown` or `case`
    :param at: the way to the object or list that is changed
    :param key: which member or item of it
    :param value: what is written there
    :param instead_of: the member that goes
    """

    what: str
    at: tuple[str | int, ...]
    key: str | int
    value: Any
    instead_of: str = ""

    def __str__(self) -> str:
        """Name it for a test's report."""
        return f"{self.what} at {'/'.join(map(str, (*self.at, self.key)))}"

    def spoil(self, document: Any) -> Any:
        """Give a spoiled copy."""
        spoiled = holder = copy.deepcopy(document)
        for step in self.at:
            holder = holder[step]
        if self.instead_of:
            del holder[self.instead_of]
        if self.value is _GONE:
            del holder[self.key]
        else:
            holder[self.key] = self.value
        return spoiled


def spoilings(value: Any, schema: dict[str, Any], at: tuple[str | int, ...] = ()) -> Iterator[Spoiling]:
    """Give every single way to spoil a document that satisfies a schema."""
    if "oneOf" in schema:
        schema = next(kind for kind in schema["oneOf"] if kind_name(kind) == value[told_by(kind)])
    if at:
        yield from _wrong_values(value, schema, at[:-1], at[-1])
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from spoilings(item, schema["items"], (*at, index))
    elif isinstance(schema.get("additionalProperties"), dict):
        for key, item in value.items():
            yield from spoilings(item, schema["additionalProperties"], (*at, key))
    elif "properties" in schema:
        yield from _of_object(value, schema, at)


def _of_object(value: dict[str, Any], schema: dict[str, Any], at: tuple[str | int, ...]) -> Iterator[Spoiling]:
    yield Spoiling("unknown", at, "neverHeardOf", 1)
    for name in schema.get("required", []):
        yield Spoiling("required", at, name, _GONE)
    for name, item in value.items():
        yield Spoiling("case", at, name.swapcase(), item, instead_of=name)
        yield from spoilings(item, schema["properties"][name], (*at, name))


def _wrong_values(value: Any, schema: dict[str, Any], at: tuple[str | int, ...], key: str | int) -> Iterator[Spoiling]:
    for wrong in WRONG_TYPES[schema["type"]]:
        yield Spoiling("type", at, key, wrong)
    if "enum" in schema:
        yield from (
            Spoiling("word", at, key, wrong) for wrong in ("neverHeardOf", "", value.swapcase()) if wrong != value
        )
    if "minimum" in schema:
        yield Spoiling("range", at, key, schema["minimum"] - 1)
    if "maximum" in schema:
        yield Spoiling("range", at, key, schema["maximum"] + 1)
    if "pattern" in schema:
        for wrong in ("", "a b", "a" * 65, "a\n"):
            yield Spoiling("form", at, key, wrong)
