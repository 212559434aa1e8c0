from __future__ import annotations

import json
import string
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.text.source_text import parse_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

words = st.text(string.ascii_letters + string.digits + " .:-#[]{}<>'/", max_size=12)
plain_objects = st.dictionaries(words, st.none() | st.booleans() | st.integers() | words | st.lists(words, max_size=3))


def read(text: str, source: str = "a.json") -> Any:
    """Read a text and leave what was noticed."""
    return parse_text(text, source)[0]


def test_comments_are_no_content() -> None:
    """Line and block comments may stand anywhere outside strings."""
    text = '/* a */ { // b\n "x": /* c\n */ 1 }\n// d'

    assert read(text) == {"x": 1}


def test_what_looks_like_a_comment_in_a_string_stays() -> None:
    """Addresses and comments inside strings stay as they are."""
    assert read(r'{"x": "http://a/*b*/", "y": "\"//c"}') == {"x": "http://a/*b*/", "y": '"//c'}


def test_trailing_commas() -> None:
    """A comma after the last item does no harm, and commas in strings stay."""
    assert read('{"x": [1, 2,], "y": ",]",}') == {"x": [1, 2], "y": ",]"}


def test_strings_over_several_lines() -> None:
    """ARM lets a string span lines."""
    assert read('{"x": "a\nb"}') == {"x": "a\nb"}


def test_position_of_an_error() -> None:
    """A broken file is reported with file, line, column and the line itself, comments before it or not."""
    with pytest.raises(ImageTemplateReadError, match=r'a\.json, line 3, column 2.*in: "y": 2') as caught:
        read('{ /* one\ntwo */ "x": 1\n "y": 2 }')

    assert (caught.value.source, caught.value.line, caught.value.column) == ("a.json", 3, 2)


@pytest.mark.parametrize("text", ["", "{", '{"x": ', "[1", '{"x": NaN}', '{"x": Infinity}', "nonsense", '{"x: 1}'])
def test_broken_json(text: str) -> None:
    """What is no JSON is an error of reading, and never another one."""
    with pytest.raises(ImageTemplateReadError):
        read(text)


def test_key_that_stands_twice_is_noticed() -> None:
    """JSON takes the last of two equal keys; that is said."""
    content, findings = parse_text('{"x": 1, "x": 2}', "a.json")

    assert content == {"x": 2}
    assert [(finding.severity, finding.rule) for finding in findings] == [("warning", "key-twice")]
    assert "'x'" in findings[0].message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("2020-02-14", "2020-02-14"),
        ("0755", "0755"),
        ("1.0.0", "1.0.0"),
        ("0x10", "0x10"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("'12'", "12"),
    ],
)
def test_yaml_by_jsons_rules(text: str, value: object) -> None:
    """In YAML only what JSON would call a number, boolean or null is one."""
    assert read(f"x: {text}", "a.yaml") == {"x": value}


def test_yaml_merge_keys() -> None:
    """Anchors and merge keys work, and own keys win."""
    assert read("a: &a {p: 1, q: 1}\nb: {<<: *a, q: 2}", "a.yml")["b"] == {"p": 1, "q": 2}


@pytest.mark.parametrize(
    "text",
    ["x: 1\nx: 2", "x: [1", "x: !!python/object:os.system 1", "&a [*a]", "x: *unknown", "x: .nan\n y: 1", "\0"],
)
def test_broken_yaml(text: str) -> None:
    """What is no plain YAML, or goes in a circle, is an error of reading."""
    with pytest.raises(ImageTemplateReadError):
        read(text, "a.yaml")


def test_position_of_a_yaml_error() -> None:
    """A broken YAML file is reported with line and column too."""
    with pytest.raises(ImageTemplateReadError, match="line 2, column 1") as caught:
        read("x: 1\nx: 2\n", "a.yaml")

    assert (caught.value.line, caught.value.column) == (2, 1)


@pytest.mark.parametrize(
    ("source", "text"), [("a", '{"x": 1}'), ("a.txt", "// c\n{'x': 1}".replace("'", '"')), ("a", "x: 1")]
)
def test_format_by_content(source: str, text: str) -> None:
    """Without a known ending the first character tells JSON from YAML."""
    assert read(text, source) == {"x": 1}


def test_nesting_without_end() -> None:
    """A document that is nested too deeply is an error of reading, not of Python."""
    with pytest.raises(ImageTemplateReadError, match="nested too deeply"):
        read('{"x":' + "[" * 100_000)


@given(json_values)
def test_any_json_is_read(value: Any) -> None:
    """What a JSON writer wrote is read back, with comments added or not."""
    text = json.dumps(value)

    assert read(text) == value
    assert read(f"/* c */ {text} // d") == value


@given(plain_objects)
def test_plain_json_is_yaml(value: dict[str, Any]) -> None:
    """The same text reads the same, whether the file calls itself JSON or YAML."""
    text = json.dumps(value)

    assert read(text, "a.yaml") == read(text, "a.json") == value


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any text is read or refused with our own error."""
    for source in ("a.json", "a.yaml"):
        try:
            parse_text(text, source)
        except ImageTemplateReadError as error:
            assert error.source == source  # noqa: PT017 - either outcome is fine, a foreign error is not


def test_the_place_of_a_mistake_in_a_long_line_is_shown() -> None:
    """Of a file in one line, what stands around the mistake is shown, without signatures."""
    text = f'{{"a": "{"x" * 500}", "u": "https://a.example/?sig=c2VjcmV0", "b": oops}}'
    with pytest.raises(ImageTemplateReadError, match=r'sig=\*\*\*", "b": oops}\.'):
        parse_text(text, "a.json")


def test_the_cause_of_a_broken_file_quotes_nothing() -> None:
    """What Python prints of an error's cause shows no line of the file."""
    text = f"parameters: {{a: {{type: securestring, defaultValue: {'hunter' * 2}, ]\n"
    with pytest.raises(ImageTemplateReadError) as caught:
        parse_text(text, "a.yaml")

    assert "hunterhunter" not in "".join(traceback.format_exception(caught.value))
