from __future__ import annotations

from airflow_aib.hooks.clock import SYSTEM_CLOCK
from airflow_aib.hooks.many_pieces import patiently


async def answer() -> bytes:
    """Give what storage would."""
    return b"content"


async def test_a_lambda_is_awaited_too() -> None:
    """What a lambda calls is awaited, so that its caller gets the answer and not a coroutine."""
    assert await patiently(lambda: answer(), SYSTEM_CLOCK) == b"content"  # noqa: PLW0108 - the lambda is what is tested
