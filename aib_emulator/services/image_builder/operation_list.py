"""The operations of Image Builder that may be permitted to somebody: those that its routes demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.route import Route
from aib_emulator.services.image_builder.answers import pretty
from aib_emulator.services.image_builder.resources import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aib_emulator.arm.call import Answer, Call

READ = f"{NAMESPACE}/operations/read"


def operation_list_route(routes: Iterable[Route]) -> Route:
    """Return the route that lists the operations of these routes and its own."""
    listed = [operation_body(action) for action in sorted({READ, *(route.action for route in routes)})]

    async def answer(_: Call) -> Answer:
        return pretty(200, {"value": listed})

    return Route("GET", f"/providers/{NAMESPACE}/operations", answer, READ, is_for_anywhere=True)


def operation_body(action: str) -> dict[str, Any]:
    """Return one operation as the list shows it; how the service describes it to people is not known."""
    parts = action.split("/")
    words = 2 if parts[-1] == "action" else 1
    display = {
        "provider": parts[0],
        "resource": "/".join(parts[1:-words]),
        "operation": "/".join(parts[-words:]),
    }
    return {"name": action, "isDataAction": False, "display": display}
