"""What the tests of facts have in common: every call to Image Builder, and an image template to call about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.image_builder.calls import ONE, document

if TYPE_CHECKING:
    from requests import Response

    from tests.contract.raw_arm import RawArm

TRIGGER = f"{ONE}/triggers/t"
SOURCE_IMAGE = {"properties": {"kind": "SourceImage"}}
BOTH = ("Azure-AsyncOperation", "Location")
CALLS: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "put": ("PUT", ONE, 201, BOTH[:1]),
    "put trigger": ("PUT", TRIGGER, 201, BOTH[:1]),
    "patch": ("PATCH", ONE, 200, ()),
    "run": ("POST", f"{ONE}/run", 202, BOTH),
    "cancel": ("POST", f"{ONE}/cancel", 204, ()),
    "delete trigger": ("DELETE", TRIGGER, 202, BOTH),
    "delete": ("DELETE", ONE, 202, BOTH),
}
"""By name: method, path, status, and which headers lead to an operation; in an order that works."""
SECONDS_BETWEEN = 60


def answers(raw: RawArm) -> dict[str, Response]:
    """Make every call, and return the answers."""
    bodies: dict[str, Any] = {
        "put": document(raw.settings.subscription_id),
        "put trigger": SOURCE_IMAGE,
        "patch": {"tags": {"a": "b"}},
    }
    found = {}
    for name, (method, path, _, _) in CALLS.items():
        found[name] = raw.send(method, path, bodies.get(name))
        # A cancel must meet a run, and a deletion must not.
        raw.thread.control.advance(SECONDS_BETWEEN * (1 if name != "cancel" else 2))
    return found
