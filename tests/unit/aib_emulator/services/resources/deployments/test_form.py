from __future__ import annotations

import contextlib
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.inputs import first_scope, shown_parameters
from aib_emulator.services.resources.deployments.outputs import read_outputs
from aib_emulator.services.resources.deployments.place import Place
from aib_emulator.services.resources.deployments.plan import plan
from aib_emulator.services.resources.deployments.preflight import check_resources
from aib_emulator.services.resources.deployments.request import read_request
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = Place("s", "images")
FUNCTIONS = {"resourceid": PLACE.resource_id}
ONE = {"type": "Microsoft.Compute/images", "apiVersion": "2024-11-01", "name": "[parameters('name')]"}
COPIED = {**ONE, "name": "[concat('copy', copyIndex())]", "copy": {"name": "loop", "count": 2}, "dependsOn": ["first"]}
DOCUMENT = {
    "parameters": {"name": {"type": "string", "defaultValue": "first", "allowedValues": ["first"]}},
    "variables": {"text": "[toUpper('a')]", "copy": [{"name": "list", "count": 2, "input": "[copyIndex('list')]"}]},
    "resources": [{**ONE, "condition": True, "location": "eastus", "tags": {"a": "[variables('list')[0]]"}}, COPIED],
    "outputs": {"id": {"type": "string", "value": f"[resourceId('{ONE['type']}', 'first')]", "condition": True}},
}
BODY = {"properties": {"template": DOCUMENT, "parameters": {"name": {"value": "first"}}, "mode": "Incremental"}}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a body."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in entries:
        yield from places(part, (*path, name))


def with_value(path: tuple[Any, ...], value: Any) -> bytes:
    """Return the body with another value at a place."""
    body = copy.deepcopy(BODY)
    around: Any = body
    for name in path[:-1]:
        around = around[name]
    around[path[-1]] = value
    return json.dumps(body).encode()


ANY_VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 900), st.floats(allow_nan=False), st.just([]), st.just({}), st.just([1])
) | st.sampled_from(
    ["", "x", "a/b/c", "[parameters('name')]", "[concat(1, 'a')]", "[copyIndex()]", "[variables('text')]"]
)


@given(st.sampled_from(list(places(BODY))), ANY_VALUE)
def test_whatever_stands_anywhere_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    """No document makes the emulator fail itself: it is planned, or refused as ARM refuses."""
    with contextlib.suppress(ArmError):
        read_all(with_value(path, value))


def read_all(body: bytes) -> None:
    """Do with a body all that a deployment does, but put nothing."""
    request = read_request(body)
    scope = first_scope(request, FUNCTIONS)
    shown_parameters(request, scope)
    found = plan(request.document, scope, PLACE)
    check_resources("name", found.resources, "tracking")
    read_outputs(request.document.get("outputs") or {}, scope)
    for resource in found.resources:
        with contextlib.suppress(ExpressionError):
            resource.body(resource.scope)


def test_the_document_itself_is_good() -> None:
    """What the values are put into is planned, with its copies."""
    request = read_request(json.dumps(BODY).encode())
    found = plan(request.document, first_scope(request, FUNCTIONS), PLACE)
    assert [resource.name for resource in found.resources] == ["first", "copy0", "copy1"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("parameters", "name"), 1, "parameters.name must be an object"),
        (("variables", "copy", 0, "name"), 1, "variables.copy[0].name must be a text"),
        (("resources",), "x", "resources must be a list or an object of resources"),
        (("resources", 0), "x", "resources[0] must be an object"),
        (("resources", 1, "copy"), 2, "resources[1].copy must be an object"),
        (("resources", 0, "type"), None, "resources[0].type must be a text"),
        (("outputs", "id"), 1, "outputs.id must be an object"),
    ],
)
def test_the_place_is_named(path: tuple[Any, ...], value: Any, words: str) -> None:
    """The refusal says which member has the wrong form."""
    body = with_value(("properties", "template", *path), value)
    with pytest.raises(ArmError) as caught:
        read_request(body)
    assert (caught.value.code, words in caught.value.message) == ("InvalidTemplate", True)
