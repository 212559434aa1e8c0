from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.arguments import (
    require_allowance,
    require_count,
    require_duration,
    require_interval,
    require_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NO_NUMBERS = ["fast", "30", True, timedelta(seconds=30), [30], float("nan"), float("inf"), 1e300]
NO_DURATIONS = [400, "P1D", True, timedelta(), timedelta(days=-1), timedelta.max]
NO_COUNTS = [0, -1, 2.5, "8", True, None]


@pytest.mark.parametrize(
    ("require", "good"),
    [
        (require_interval, [None, 0.05, 30, 86400.0]),
        (require_seconds, [None, 0, 0.5, 10**9]),
        (require_allowance, [None, 0, -600, 10**9]),
        (require_duration, [None, timedelta(seconds=1), timedelta(days=36500)]),
        (require_count, [1, 16]),
    ],
)
def test_what_is_good_is_given_back(require: Callable[[str, Any], Any], good: list[Any]) -> None:
    """A good value stays as it is."""
    assert [require("name", value) for value in good] == good


@pytest.mark.parametrize(
    ("require", "wrong"),
    [
        (require_interval, [*NO_NUMBERS, 0, -1]),
        (require_seconds, [*NO_NUMBERS, -1]),
        (require_allowance, [*NO_NUMBERS, -1e300]),
        (require_duration, NO_DURATIONS),
        (require_count, NO_COUNTS),
    ],
)
def test_what_is_wrong_is_named(require: Callable[[str, Any], Any], wrong: list[Any]) -> None:
    """An error names the argument, what was given, and what it must be."""
    for value in wrong:
        with pytest.raises(ValueError, match=r"^name is .*; it must be a ") as raised:
            require("name", value)
        assert repr(value) in str(raised.value)
