from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, BaseOperator

from airflow_aib.arguments import (
    is_filled_in_later,
    require_allowance,
    require_choice,
    require_container,
    require_count,
    require_duration,
    require_interval,
    require_place,
    require_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NO_NUMBERS = ["fast", "30", True, timedelta(seconds=30), [30], float("nan"), float("inf"), 1e300]
NO_DURATIONS = [400, "P1D", True, timedelta(), timedelta(days=-1), timedelta.max]
CONTAINERS = [
    "store/vhds",
    " store/vhds/",
    "store/vhds/a/B c",
    "/store//vhds",
    "store1/$web",
    "https://store.blob.core.windows.net/vhds/a",
    "HTTPS://store.blob.core.windows.net/vhds",
    "https://127.0.0.1:10000/store/vhds?sig=x",
    "{{ var.value.store }}/vhds",
]
PLACES = ["s3://aws_default@logs/images", "gs://logs", "file:///var/log/images", "FILE:///logs"]
NO_PLACES = [
    "",
    "store",
    "store/",
    "/store/",
    "Store/vhds",
    "store/vh",
    "store/VHDs",
    "store/a--b",
    "store/a-",
    "store.blob.core.windows.net/vhds",
    "https://store.blob.core.windows.net",
    "https://store.blob.core.windows.net/",
    "https://name@store.blob.core.windows.net/vhds",
    "http://store.blob.core.windows.net/vhds",
    "s3://",
    "s3:///",
    None,
    5,
    ["store/vhds"],
]
NO_COUNTS = [0, -1, 2.5, "8", True, None]


@pytest.mark.parametrize(
    ("require", "good"),
    [
        (require_interval, [None, 0.05, 30, 86400.0]),
        (require_seconds, [None, 0, 0.5, 10**9]),
        (require_allowance, [None, 0, -600, 10**9]),
        (require_duration, [None, timedelta(seconds=1), timedelta(days=36500)]),
        (require_count, [1, 16]),
        (require_container, CONTAINERS),
        (require_place, [*CONTAINERS, *PLACES]),
    ],
)
def test_what_is_good_is_given_back(require: Callable[[str, Any], Any], good: list[Any]) -> None:
    """A good value stays as it is."""
    assert [require("name", value) for value in good] == good


@pytest.mark.parametrize("value", ["loud", "f", None, True, ["full"], {}])
def test_a_word_must_be_one_of_a_few(value: Any) -> None:
    """An error names the argument, what was given, and all that it may be."""
    with pytest.raises(ValueError, match=r"^name is .*; it must be one of 'full', 'off'$") as raised:
        require_choice("name", value, ("full", "off"))
    assert repr(value) in str(raised.value)
    assert require_choice("name", "off", ("full", "off")) == "off"


@pytest.mark.parametrize(
    ("require", "wrong"),
    [
        (require_interval, [*NO_NUMBERS, 0, -1]),
        (require_seconds, [*NO_NUMBERS, -1]),
        (require_allowance, [*NO_NUMBERS, -1e300]),
        (require_duration, NO_DURATIONS),
        (require_count, NO_COUNTS),
        (require_container, [*NO_PLACES, *PLACES[1:]]),
        (require_place, NO_PLACES),
    ],
)
def test_what_is_wrong_is_named(require: Callable[[str, Any], Any], wrong: list[Any]) -> None:
    """An error names the argument, what was given, and what it must be."""
    for value in wrong:
        with pytest.raises(ValueError, match=r"^name is .*; it must be a") as raised:
            require("name", value)
        assert repr(value).replace("name@", "...@") in str(raised.value)


def test_no_secret_of_a_destination_is_shown() -> None:
    """Neither a signature nor a password is quoted."""
    with pytest.raises(ValueError, match="name is") as raised:
        require_place("name", "https://me:Pa55@store.blob.core.windows.net/vhds?sig=S1gn")

    assert "'https://...@store.blob.core.windows.net/vhds'" in str(raised.value)


def test_what_airflow_fills_in_is_known() -> None:
    """Such an argument cannot be judged where the DAG file is parsed."""
    with DAG("dag", schedule=None):
        output = BaseOperator(task_id="task").output

    assert [is_filled_in_later(value) for value in ("{{ x }}", "{% if x %}", "{# x #}", output)] == [True] * 4
    assert [is_filled_in_later(value) for value in ("{x}", "", None, 5, {"a": "{{ x }}"}, Path("x"))] == [False] * 6
