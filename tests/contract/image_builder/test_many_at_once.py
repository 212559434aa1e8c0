from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, TO_VHD, document, to_gallery
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    import pytest

    from aib_emulator.server import EmulatorThread

CLIENTS = 6
CALLS_OF_EACH = 60
SERVER_ERROR = 500


def someone(emulator: EmulatorThread, seed: int) -> list[int]:
    """Call whatever comes to mind, and return the statuses of the answers."""
    chance, raw = random.Random(seed), RawArm(emulator)  # noqa: S311 - a choice of calls, not a secret
    body = document(raw.settings.subscription_id, distribute=[TO_VHD, to_gallery(raw.settings.subscription_id)])
    statuses = []
    for _ in range(CALLS_OF_EACH):
        one = f"{IMAGE_TEMPLATES}/t{chance.randint(1, 3)}"
        calls: dict[str, tuple[str, str, Any]] = {
            "put": ("PUT", one, body),
            "patch": ("PATCH", one, {"tags": {"a": str(seed)}}),
            "run": ("POST", f"{one}/run", None),
            "cancel": ("POST", f"{one}/cancel", None),
            "delete": ("DELETE", one, None),
            "get": ("GET", f"{one}/runOutputs", None),
            "delete group": ("DELETE", "/resourceGroups/images", None),
        }
        wanted = chance.choices([*calls, "advance", "reset"], weights=[8, 4, 8, 4, 4, 4, 1, 8, 1])[0]
        if wanted == "advance":
            emulator.control.advance(chance.choice([10, 100, 500]))
        elif wanted == "reset":
            emulator.control.reset()
        else:
            statuses.append(raw.send(*calls[wanted]).status_code)
    return statuses


def test_whatever_happens_at_once_ends_in_order(emulator: EmulatorThread, caplog: pytest.LogCaptureFixture) -> None:
    """Clients that get in each other's way are answered, nothing breaks, and nothing stays behind in the end."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = pool.map(lambda seed: someone(emulator, seed), range(CLIENTS))
        assert max(status for statuses in answered for status in statuses) < SERVER_ERROR
    raw = RawArm(emulator)
    raw.send("DELETE", "/resourceGroups/images")
    emulator.control.advance(10_000)
    assert raw.send("GET", "/resourceGroups").json()["value"] == []
    assert raw.send("GET", "/resources").json()["value"] == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aib_emulator")] == []
