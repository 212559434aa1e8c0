from __future__ import annotations

import json
from typing import Any

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.request import read_request

DOCUMENT = """{
  // a comment, and "a text" in it
  "parameters": {}, /* another */
  "metadata": [{"url": "https://example.com", "text": "two
lines"}]
}"""


def spliced(document: str, **parameters: Any) -> bytes:
    """Return a body as az writes it: the text of the file instead of JSON."""
    rest = json.dumps({"properties": {"parameters": parameters, "mode": "incremental"}})
    return f"{rest[:-2]}, template:{document}}}}}".encode()


def test_plain_json() -> None:
    """SDKs send JSON."""
    request = read_request(b'{"location": "eastus", "properties": {"template": {"a": 1}, "mode": "Complete"}}')
    assert (request.document, request.mode, request.location) == ({"a": 1}, "Complete", "eastus")


def test_the_file_as_it_is() -> None:
    """The az command line sends the text of the file, with its comments and line breaks in texts."""
    request = read_request(spliced(DOCUMENT))
    assert request.document["metadata"] == [{"url": "https://example.com", "text": "two\nlines"}]
    assert request.mode == "Incremental"


def test_a_value_that_looks_like_the_seam() -> None:
    """A parameter's value may hold the very text that joins the two."""
    tricky = {"value": 'x, template:{"resources": []}}'}
    request = read_request(spliced('{"resources": []}', tricky=tricky))
    assert (request.document, request.parameters) == ({"resources": []}, {"tricky": tricky})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "InvalidRequestContent"),
        (b"[]", "InvalidRequestContent"),
        (b'{"properties": 1}', "InvalidRequestContent"),
        (b'{"properties": {"mode": "Incremental"}}', "InvalidRequestContent"),
        (b'{"properties": {"mode": "Other", "template": {}}}', "InvalidRequestContent"),
        (spliced('{"resources": [}'), "InvalidRequestContent"),
        (b'{"properties": {"mode": "Incremental", "templateLink": {"uri": "https://a/b"}}}', "InvalidContentLink"),
    ],
)
def test_what_cannot_be_read(body: bytes, code: str) -> None:
    """A body without a document is refused."""
    with pytest.raises(ArmError) as caught:
        read_request(body)
    assert (caught.value.status, caught.value.code) == (400, code)
