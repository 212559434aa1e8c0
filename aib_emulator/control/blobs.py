"""Blobs at the control door: how fast copies go, and how much storage bears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from aib_emulator.control.reading import Table
    from aib_emulator.world import World


def table(world: World) -> Table:
    """Return what is answered about blobs."""
    door = BlobDoor(world)
    return [
        ("PUT", "/copy-pace", door.put_copy_pace),
        ("DELETE", "/copy-pace", door.delete_copy_pace),
        ("PUT", "/blob-limits", door.put_blob_limits),
        ("DELETE", "/blob-limits", door.delete_blob_limits),
    ]


class BlobDoor:
    """Answer the calls about blobs.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._blobs = world.blobs

    async def put_copy_pace(self, call: Call) -> Answer:
        """Let Copy Blob take its time."""
        sent = call.json()
        speed, failing = positive(sent, "bytes_per_second"), optional_count(sent, "fail_at_bytes")
        self._blobs.set_copy_pace(speed, failing)
        return Answer(200, {"bytes_per_second": speed, "fail_at_bytes": failing})

    async def delete_copy_pace(self, _: Call) -> Answer:
        """Let Copy Blob be done when it is answered again; copies that go on keep their pace."""
        self._blobs.set_copy_pace(None)
        return Answer(204)

    async def put_blob_limits(self, call: Call) -> Answer:
        """Let blobs bear only so much."""
        sent = call.json()
        names = [name for name in ("requests_per_second", "bytes_per_second") if sent.get(name) is not None]
        limits = {name: positive(sent, name) for name in names}
        if not limits:
            message = "Name requests_per_second or bytes_per_second; DELETE lifts both."
            raise ArmError(400, "InvalidNumber", message)
        retry_after = optional_count(sent, "retry_after")
        retry_after = 1 if retry_after is None else retry_after
        requests, volume = limits.get("requests_per_second"), limits.get("bytes_per_second")
        self._blobs.set_blob_limits(requests, volume, retry_after=retry_after)
        return Answer(200, {**limits, "retry_after": retry_after})

    async def delete_blob_limits(self, _: Call) -> Answer:
        """Let blobs bear anything again."""
        self._blobs.set_blob_limits(None, None)
        return Answer(204)


def positive(sent: dict[str, Any], name: str) -> float:
    """Return a number above 0."""
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ArmError(400, "InvalidNumber", f"{name}={value!r} must be a number above 0.")
    return float(value)


def optional_count(sent: dict[str, Any], name: str) -> int | None:
    """Return a whole number from 0, or None where there is none."""
    value = sent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ArmError(400, "InvalidNumber", f"{name}={value!r} must be a whole number from 0, or null.")
    return value
