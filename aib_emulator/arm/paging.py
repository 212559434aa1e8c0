"""Lists in pages, each naming the next."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aib_emulator.arm.call import Call

SKIP_TOKEN = "$skiptoken"  # noqa: S105 - the name of a query parameter


def page(
    call: Call,
    values: Sequence[Any],
    page_size: int,
    show: Callable[[Any], dict[str, Any]] = lambda value: value,
    *,
    id_of: Callable[[Any], str] = lambda value: str(value["id"]),
    is_link_relative: bool = False,
) -> dict[str, Any]:
    """Return the page that the call asks for, in the order of ids: what goes meanwhile makes none be left out.

    :param show: makes of a value what the page shows of it
    :param id_of: returns the resource id of a value
    :param is_link_relative: whether the next page is named by its path alone
    """
    after = _last_shown(call.query.get(SKIP_TOKEN))

    def key(value: Any) -> str:
        return id_of(value).lower()

    # No pairs of key and value: thousands of them for each page would have the garbage collected all the time.
    left = sorted((value for value in values if key(value) > after), key=key)
    body: dict[str, Any] = {"value": [show(value) for value in left[:page_size]]}
    if page_size < len(left):
        query = {**call.query, SKIP_TOKEN: _token(key(left[page_size - 1]))}
        body["nextLink"] = f"{'' if is_link_relative else call.base_url}{quote(call.path)}?{urlencode(query, safe='$')}"
    return body


def _token(resource_id: str) -> str:
    return base64.urlsafe_b64encode(resource_id.encode()).decode()


def _last_shown(token: str | None) -> str:
    """Return the id of the last resource that was shown, which may be gone; an empty text before the first page."""
    if token is None:
        return ""
    try:
        resource_id = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        resource_id = ""
    if not resource_id.startswith("/"):
        raise ArmError(400, "InvalidSkipToken", f"The value '{token}' of '{SKIP_TOKEN}' comes from no list.")
    return resource_id
