"""Joins the parts of the control door into one list of routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.arm.route import Route
from aib_emulator.control import applications, blobs, choices, door, plans, record, throttling, tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from aib_emulator.world import World

DOOR = "/_emulator"
PARTS = (applications, blobs, choices, door, plans, record, throttling, tokens)
"""Each answers `table(world)`: method, path below the door, and what answers."""


def routes(world: World, reset: Callable[[], Awaitable[None]], describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """Return the routes of the control door.

    :param reset: puts the whole emulator back to its start
    :param describe: returns the OpenAPI document of every call
    """
    tables = [door.reset_table(reset), door.description_table(describe), *(part.table(world) for part in PARTS)]
    return [
        Route(method, DOOR + path, handle, needs_token=False, needs_api_version=False)
        for table in tables
        for method, path, handle in table
    ]
