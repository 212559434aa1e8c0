"""Recorded answers of Azure, which stand beside the repository where its makers work; tests skip without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WIRE_EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "wire-examples.json"

needs_wire_examples = pytest.mark.skipif(
    not WIRE_EXAMPLES.exists(), reason="the recorded answers stand beside the repository, and are not there"
)


def exemplar(name: str) -> dict[str, Any]:
    """Return one recorded exchange."""
    exemplars = json.loads(WIRE_EXAMPLES.read_text())["exemplars"]
    return next(dict(one) for one in exemplars if one["id"] == name)


def sent_body(name: str) -> dict[str, Any]:
    """Return the body of a recorded request."""
    return dict(exemplar(name)["request"]["body"])


def answered_body(name: str) -> dict[str, Any]:
    """Return the body of a recorded answer."""
    return dict(exemplar(name)["response"]["body"])
