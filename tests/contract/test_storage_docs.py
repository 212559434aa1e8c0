from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aib_emulator.arm.route import GROUP, SUBSCRIPTION
from aib_emulator.services.compute import routes as compute
from aib_emulator.services.storage import routes as storage

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

PAGE = Path(__file__).parents[2] / "docs" / "emulator_storage.md"
CALL = re.compile(r"^\| `([A-Z]+) (\S+)` \|", re.MULTILINE)


def test_page_lists_exactly_the_calls_that_are_served(emulator_thread: EmulatorThread) -> None:
    """The tables of the page and the routes of storage and compute are the same."""
    world = emulator_thread.emulator.world
    served = {(route.method, route.path) for service in (storage, compute) for route in service.routes(world)}
    written = {
        (method, path.replace("{group}", GROUP).replace("{sub}", SUBSCRIPTION))
        for method, path in CALL.findall(PAGE.read_text(encoding="utf-8"))
    }
    assert written == served
