"""Lists in pages, each naming the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aib_emulator.arm.call import Call

SKIP_TOKEN = "$skiptoken"  # noqa: S105 - the name of a query parameter
LONGEST_TOKEN = 9


def page(
    call: Call,
    values: Sequence[Any],
    page_size: int,
    show: Callable[[Any], Any] = lambda value: value,
    *,
    is_link_relative: bool = False,
) -> dict[str, Any]:
    """Return the page that the call asks for.

    :param show: makes of a value what the page shows of it
    :param is_link_relative: whether the next page is named by its path alone
    """
    text = call.query.get(SKIP_TOKEN, "0")
    start = int(text) if text.isdecimal() and len(text) <= LONGEST_TOKEN else 0
    body: dict[str, Any] = {"value": [show(value) for value in values[start : start + page_size]]}
    if start + page_size < len(values):
        query = {**call.query, SKIP_TOKEN: str(start + page_size)}
        body["nextLink"] = f"{'' if is_link_relative else call.base_url}{quote(call.path)}?{urlencode(query, safe='$')}"
    return body
