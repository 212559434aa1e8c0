"""Ask again with a new token where the one in use is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import UNAUTHORIZED, translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_aib.hooks.clients import AzureClients

T = TypeVar("T")


async def with_new_token(clients: AzureClients, ask: Callable[[], Awaitable[T]], doing: str, target: str) -> T:
    """Ask Resource Manager; a token that is refused is renewed once, and what is said then counts.

    :param clients: how Azure is reached
    :param ask: asks
    :param doing: what is tried, as in "read image template"
    :param target: resource id or address that it concerns
    """
    try:
        return await ask()
    except ArmRequestError as error:
        if error.status != UNAUTHORIZED or error.data.get("trouble") != "answer":
            raise
    # The token was taken back, or this machine's clock is slow: a new one tells whether the connection is good.
    with translated(f"sign in to {doing}", target):
        await clients.renew_token()
    return await ask()
