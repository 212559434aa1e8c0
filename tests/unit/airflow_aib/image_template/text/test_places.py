from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_template.pointers import resolve
from airflow_aib.image_template.text.source_text import SourceText

JSON = """\
{
  // a comment with "quotes" and {
  "a": [1, {"b/c": "x"},],
  "a~": {"d": null}, /* { */ "e": -1.5
}
"""
YAML = """\
base: &base
  x: 1
steps:
  - name: one   # a comment
    <<: *base
  - [two, "three"]
"""


def shown(source: SourceText, pointer: str) -> tuple[str | None, str]:
    """Return the texts of key and value at a pointer."""
    place = source.places.by_pointer[pointer]
    key = source.text[place.key.start : place.key.end] if place.key else None
    return key, source.text[place.value.start : place.value.end]


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/a", ('"a"', '[1, {"b/c": "x"},]')),
        ("/a/0", (None, "1")),
        ("/a/1/b~1c", ('"b/c"', '"x"')),
        ("/a~0/d", ('"d"', "null")),
        ("/e", ('"e"', "-1.5")),
    ],
)
def test_places_of_json(pointer: str, expected: tuple[str | None, str]) -> None:
    """Keys and values are found in JSON with comments and trailing commas."""
    assert shown(SourceText(JSON, "a.json"), pointer) == expected


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/base/x", ("x", "1")),
        ("/steps/0/name", ("name", "one")),
        ("/steps/0/x", ("x", "1")),
        ("/steps/1/1", (None, '"three"')),
    ],
)
def test_places_of_yaml(pointer: str, expected: tuple[str | None, str]) -> None:
    """Keys and values are found in YAML; what a merge brings along is found where it was written."""
    assert shown(SourceText(YAML, "a.yaml"), pointer) == expected


def test_line_and_column() -> None:
    """Lines and columns are counted from 1."""
    places = SourceText(JSON, "a.json").places

    assert places.position(places.by_pointer["/e"].start) == (4, 30)
    assert places.position(0) == (1, 1)


def test_the_nearest_place() -> None:
    """What does not stand in the text is shown where it is missing."""
    places = SourceText(JSON, "a.json").places

    assert places.nearest("/a/1/missing/deeper") == places.by_pointer["/a/1"]
    assert places.nearest("/nothing") == places.by_pointer[""]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), values), st.sampled_from([None, 1, "\t"]))
def test_every_place_of_json_holds_its_value(content: dict[str, Any], indent: int | str | None) -> None:
    """The text at each place is the value at its pointer, and every value has a place."""
    source = SourceText(json.dumps(content, indent=indent), "a.json")

    assert source.parse()[0] == content
    for pointer, place in source.places.by_pointer.items():
        assert resolve(content, pointer) == (json.loads(source.text[place.value.start : place.value.end]), True)
    assert len(source.places.by_pointer) == count(content)


@given(st.dictionaries(st.text(), values))
def test_every_value_of_yaml_has_a_place(content: dict[str, Any]) -> None:
    """Every value of YAML has a place, and a pointer that leads to it."""
    source = SourceText(yaml.safe_dump(content), "a.yaml")
    read = source.parse()[0]

    assert len(source.places.by_pointer) == count(read)
    assert all(resolve(read, pointer)[1] for pointer in source.places.by_pointer)


def count(value: Any) -> int:
    """Count a value and all that it holds."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(count(item) for item in inner)
