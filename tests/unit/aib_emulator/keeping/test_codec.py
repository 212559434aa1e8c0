from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from aib_emulator.keeping.codec import NOT_KEPT, Codec


@dataclass
class Kept:
    """A class that the codec knows."""

    name: str
    more: Any = None
    passing: int = field(default=0, metadata=NOT_KEPT)


@dataclass
class Stranger:
    """A class that the codec does not know."""


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"a": [1, "x", True, None]},
        {"$": "a member of that name"},
        {1: "a number as key"},
        ("a", ("b",)),
        datetime(2026, 11, 1, 12, tzinfo=UTC),
        Kept("a", [Kept("b"), {"$schema": "x"}]),
    ],
)
def test_what_is_written_is_read(value: Any) -> None:
    """Objects, tuples, instants and any JSON come back as they were."""
    codec = Codec(Kept)
    assert codec.read(json.loads(json.dumps(codec.write(value)))) == value


def test_a_passing_field_is_not_kept() -> None:
    """A field that is marked so has its default again."""
    codec = Codec(Kept)
    assert codec.read(codec.write(Kept("a", passing=7))) == Kept("a")


def test_an_unknown_class_is_refused() -> None:
    """Nothing is written that could not be read."""
    with pytest.raises(TypeError, match="Stranger"):
        Codec(Kept).write([Stranger()])
