"""What others have published or recorded, as it lies in tests/reference."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "reference"


def published_schema(api_version: str) -> dict[str, Any]:
    """Give Azure's official schema of an image template in one api-version."""
    return dict(_read(FOLDER / "schemas" / f"{api_version}.json"))


@cache
def recorded_exchanges() -> dict[str, dict[str, Any]]:
    """Give the exchanges that were recorded with the real service, by their names."""
    return {exchange["id"]: exchange for exchange in _read(FOLDER / "recorded_exchanges.json")["exemplars"]}


def sent_body(name: str) -> dict[str, Any]:
    """Give the body of a recorded request."""
    return dict(recorded_exchanges()[name]["request"]["body"])


def answered_body(name: str) -> dict[str, Any]:
    """Give the body of a recorded answer."""
    return dict(recorded_exchanges()[name]["response"]["body"])


def failure_signatures() -> dict[int, list[str]]:
    """Give the words in which the service shows each failure, by row of the catalogue."""
    return {int(row): texts for row, texts in _read(FOLDER / "failure_signatures.json").items()}


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
