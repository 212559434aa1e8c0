from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aib_emulator.services.image_builder.image_versions import next_version

STARTED = datetime(2022, 8, 18, 15, 11, 41, tzinfo=UTC)


def numbered(versioning: dict[str, object] | None, existing: list[str], source: str = "18.04.202401161") -> str:
    """Give a number to a version that is distributed at `STARTED`."""
    return next_version(versioning, existing=existing, source_version=source, started=STARTED)


def test_versions_are_numbered_by_time() -> None:
    """The recorded version 0.25342.22189 decodes to the instant of its distribution."""
    assert numbered(None, []) == "0.25342.22189"


def test_two_versions_of_one_second_differ() -> None:
    """A number that is taken is passed over."""
    assert numbered(None, ["0.25342.22189"]) == "0.25342.22190"


@pytest.mark.parametrize(
    ("versioning", "existing", "expected"),
    [
        ({"scheme": "Latest"}, ["1.0.9", "1.0.10", "0.9.9"], "1.0.11"),
        ({"scheme": "Latest", "major": 0}, ["1.0.9", "0.9.9"], "0.9.10"),
        ({"scheme": "Latest", "major": 2}, ["1.0.9"], "2.0.0"),
        ({"scheme": "Latest", "major": -1}, ["1.0.9"], "1.0.10"),
        ({"scheme": "Latest"}, [], "0.0.1"),
        ({"scheme": "Source"}, [], "18.4.202401161"),
        ({"scheme": "Source"}, ["18.4.202401161"], "18.4.202401162"),
    ],
)
def test_versioning_schemes(versioning: dict[str, object], existing: list[str], expected: str) -> None:
    """Latest goes on from the highest version, by number; Source follows the source image."""
    assert numbered(versioning, existing) == expected
