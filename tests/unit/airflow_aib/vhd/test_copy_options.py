from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_aib.vhd.copy_options import CopyMethod, CopyOptions, choose_method

STAGING, OWN = "https://staging.blob.core.windows.net", "https://own.blob.core.windows.net"


@pytest.mark.parametrize(
    ("wanted", "source", "target", "method"),
    [
        ("auto", STAGING, OWN, "pages"),
        ("auto", OWN, OWN, "copy_blob"),
        ("auto", OWN.upper(), OWN, "copy_blob"),
        ("pages", OWN, OWN, "pages"),
        ("copy_blob", STAGING, OWN, "copy_blob"),
    ],
)
def test_the_method_follows_from_the_accounts(wanted: CopyMethod, source: str, target: str, method: str) -> None:
    """Inside an account storage copies the whole blob, between accounts piece by piece, unless the user says so."""
    assert choose_method(wanted, source, target) == method


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"method": "azcopy"}, "method is 'azcopy'"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"concurrency": 2.5}, "concurrency is 2.5"),
        ({"concurrency": "8"}, "concurrency is '8'"),
        ({"retain_for": timedelta()}, "retain_for is"),
        ({"retain_for": 400}, "retain_for is 400; it must be a timedelta"),
        ({"lock_retention": True}, "lock_retention"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(wrong: dict[str, Any], named: str) -> None:
    """A wrong option is found where the DAG file is read, and not after hours of copying."""
    with pytest.raises(ValueError, match=named):
        CopyOptions(**wrong)


def test_options_travel_as_json() -> None:
    """A trigger stores them, and one of another version reads them."""
    options = CopyOptions(
        overwrite=True,
        method="pages",
        concurrency=3,
        retain_for=timedelta(days=30),
        lock_retention=True,
        legal_hold=True,
    )

    assert CopyOptions.from_json({**json.loads(json.dumps(options.to_json())), "new": 1}) == options
    assert CopyOptions.from_json({}) == CopyOptions()
