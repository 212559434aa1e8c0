"""Which number the service gives to the next version of a gallery image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
NO_MAJOR = -1
"""What clients send when they leave the major version open."""


def next_version(
    versioning: Mapping[str, Any] | None, *, existing: Sequence[str], source_version: str, started: datetime
) -> str:
    """Return the number of the version that a distribution makes.

    :param versioning: of the distributor; None numbers by time
    :param existing: the versions that the definition has
    :param source_version: the resolved version of the source
    :param started: when the distribution began
    """
    taken = {tuple(map(int, match.groups())) for match in map(VERSION.fullmatch, existing) if match}
    scheme = (versioning or {}).get("scheme")
    if scheme == "Latest":
        number = _after_latest(taken, (versioning or {}).get("major"))
    elif scheme == "Source":
        number = _like_source(source_version)
    else:
        number = _by_time(started)
    while number in taken:
        number = (number[0], number[1], number[2] + 1)
    return ".".join(map(str, number))


def _by_time(started: datetime) -> tuple[int, int, int]:
    # Inferred, and exact on three samples.
    seconds = int(started.timestamp())
    return 0, seconds >> 16, seconds & 0xFFFF


def _after_latest(taken: set[tuple[int, ...]], major: int | None) -> tuple[int, int, int]:
    is_open = major is None or major == NO_MAJOR
    fitting = [version for version in taken if is_open or version[0] == major]
    if not fitting:
        return (0, 0, 1) if is_open or major is None else (major, 0, 0)
    latest = max(fitting)
    return latest[0], latest[1], latest[2] + 1


def _like_source(source_version: str) -> tuple[int, int, int]:
    numbers = [int(digits) for digits in re.findall(r"\d+", source_version)[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch
