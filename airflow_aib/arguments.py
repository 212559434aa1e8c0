"""What arguments must be, said where the DAG file is parsed; it loads nothing else, since DAG files load it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

Seconds = TypeVar("Seconds", float, float | None)
Duration = TypeVar("Duration", timedelta, timedelta | None)

# Beyond it no calendar has a name for the moment at which a wait would end.
MOST_SECONDS = 10**10


def require_interval(name: str, value: Seconds) -> Seconds:
    """Give back the seconds between two looks, or say what is wrong with them; None leaves them to others."""
    if _is_from(value, 0) and value != 0:
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds above 0, such as 30")


def require_seconds(name: str, value: Seconds) -> Seconds:
    """Give back how many seconds something may take, or say what is wrong with them; None leaves them to others."""
    if _is_from(value, 0):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds, 0 or above, such as 3600")


def require_allowance(name: str, value: Seconds) -> Seconds:
    """Give back seconds that come on top of a limit, or are taken off it; or say what is wrong with them."""
    if _is_from(value, -MOST_SECONDS):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds, such as 3600")


def require_duration(name: str, value: Duration) -> Duration:
    """Give back a duration, or say what is wrong with it; None means that there is none."""
    if _is_duration(value):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a timedelta above 0, such as timedelta(days=1)")


def require_count(name: str, value: int) -> int:
    """Give back how many there may be, or say what is wrong with it."""
    if _is_from(value, 1) and isinstance(value, int):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or above")


def _is_from(value: Any, lowest: float) -> bool:
    # Python takes True for 1.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (is_number and lowest <= value < MOST_SECONDS)


def _is_duration(value: Any) -> bool:
    return value is None or (isinstance(value, timedelta) and 0 < value.total_seconds() < MOST_SECONDS)
