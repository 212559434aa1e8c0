from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from airflow_aib.hooks.polling.accounts import SharedAccounts
from tests.fakes import FakeClock

STAGING = "/subscriptions/s/resourceGroups/IT_images_{}"


class AlarmError(BaseException):
    """Be what a signal handler raises wherever the process just is, as Airflow's execution timeout."""


@pytest.mark.parametrize("struck", [AlarmError, AttributeError])
async def test_what_ends_the_search_is_told_to_all_who_wait(struck: type[BaseException]) -> None:
    """Neither an alarm nor a mistake of ours is lost, and nobody waits until the patience is over."""

    async def admit(_: str) -> None:
        raise struck

    accounts = SharedAccounts(cast("Any", None), admit, FakeClock())
    found = await asyncio.gather(
        *(accounts.find(STAGING.format(number)) for number in range(2)), return_exceptions=True
    )

    assert [type(error) for error in found] == [struck, struck]
