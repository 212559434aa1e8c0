"""The ways in which Azure writes an instant."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"
"""What Image Builder writes for an instant that has not come yet."""


def ticks_text(instant: datetime) -> str:
    """Write seven fractional digits and Z, as Image Builder's operations do."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{instant.microsecond:06d}{_extra_digits(instant) % 10}Z"


def offset_text(instant: datetime) -> str:
    """Write up to seven fractional digits and +00:00, as Compute does."""
    return _trim(ticks_text(instant)[:-1]) + "+00:00"


def nanoseconds_text(instant: datetime) -> str:
    """Write up to nine fractional digits without trailing zeros and Z, as `lastRunStatus` does."""
    digits = f"{instant.microsecond:06d}{_extra_digits(instant) % 1000:03d}"
    return _trim(f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{digits}") + "Z"


def stamp_text(instant: datetime) -> str:
    """Write the compact stamp of the routing header."""
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".")


def _extra_digits(instant: datetime) -> int:
    # Python keeps microseconds and the service shows more: the rest is made up, the same for the same instant.
    return zlib.crc32(instant.isoformat().encode())
