from __future__ import annotations

import json

import pytest

from aib_emulator.arm.body_style import BodyStyle, encode

BODY = {"a": {"b": 1}}


def test_image_builder_indents_by_one_space() -> None:
    """One space, line feeds, and no charset in the content type."""
    assert encode(BODY, BodyStyle.IMAGE_BUILDER) == (b'{\n "a": {\n  "b": 1\n }\n}', "application/json")


def test_compute_indents_by_two_spaces_with_carriage_returns() -> None:
    """Two spaces and CRLF."""
    content, content_type = encode(BODY, BodyStyle.COMPUTE)
    assert content == b'{\r\n  "a": {\r\n    "b": 1\r\n  }\r\n}'
    assert content_type == "application/json; charset=utf-8"


def test_resource_manager_is_compact() -> None:
    """No space at all."""
    assert encode(BODY, BodyStyle.ARM)[0] == b'{"a":{"b":1}}'


@pytest.mark.parametrize("style", BodyStyle)
def test_content_is_the_same_in_every_style(style: BodyStyle) -> None:
    """Letters stay as they are, whatever has no glyph is escaped, and empty things stay empty."""
    body = {
        "name": 'Größe \u2028 \x07 / " \\',
        "none": None,
        "empty": [{}, [], ""],
        "numbers": [0, 1.5, -(2**63), True],
    }

    content, _ = encode(body, style)

    assert json.loads(content) == body
    assert "Größe".encode() in content
    assert b"\\u0007" in content


@pytest.mark.parametrize("style", [BodyStyle.IMAGE_BUILDER, BodyStyle.COMPUTE])
def test_indents_as_python_does(style: BodyStyle) -> None:
    """A line for each item, however deep it is."""
    body = {"value": [{"tags": {}, "zones": [], "properties": {"list": ["a", ["b"]]}}, 1]}
    indent = 1 if style is BodyStyle.IMAGE_BUILDER else 2

    assert encode(body, style)[0].decode().splitlines() == json.dumps(body, indent=indent).splitlines()
