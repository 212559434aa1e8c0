from __future__ import annotations

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
