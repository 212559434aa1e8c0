from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.shape import ENVELOPE, Each, demand_shape

SHAPE = {**ENVELOPE, "regions": [{"name": str, "count": int}], "words": Each([str])}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"location": None, "tags": None, "regions": None},
        {"location": "eastus", "tags": {"a": "b"}, "properties": {"anything": [1]}, "unknown": 1},
        {"regions": [{"name": "eastus", "count": 0, "more": {}}, {}], "words": {"a": [], "b": ["x"]}},
    ],
)
def test_what_fits_is_taken(document: dict[str, Any]) -> None:
    """Members may be absent or null, and what the shape does not name is not looked at."""
    demand_shape(document, SHAPE)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"location": 1}, "'location' is not a string"),
        ({"properties": []}, "'properties' is not an object"),
        ({"tags": {"a": 1}}, "'tags.a' is not a string"),
        ({"regions": {}}, "'regions' is not an array"),
        ({"regions": [None]}, "'regions' holds a null"),
        ({"regions": [{"name": "a"}, {"name": []}]}, "'regions.1.name' is not a string"),
        ({"regions": [{"count": True}]}, "'regions.0.count' is not a whole number"),
        ({"words": {"a": ["x", 1]}}, "'words.a.1' is not a string"),
    ],
)
def test_what_does_not_fit_is_named(document: dict[str, Any], what: str) -> None:
    """The refusal says which member is of the wrong kind, and how Resource Manager words it."""
    with pytest.raises(ArmError, match=what) as caught:
        demand_shape(document, SHAPE)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequestContent")
