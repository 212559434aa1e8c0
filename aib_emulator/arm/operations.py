"""Long operations: what was started, when it ends, and how each service words the answer to a poll."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.time_format import offset_text, ticks_text
from aib_emulator.keeping.codec import NOT_KEPT
from aib_emulator.keeping.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

CERTIFICATE_BYTES = 1900
SIGNATURE_BYTES = 256
FAMILY = "operation"
KEPT = 10_000
"""How many operations are remembered; beyond that the oldest that are over are forgotten."""


@dataclass
class Operation:
    """Remember one long operation.

    :param operation_id: in lower case
    :param started: when it began
    :param ended: when it ends or ended; may lie a little ahead; None while that is open
    :param outcome: `Succeeded`, `Failed` or `Canceled`, once `ended` is known
    :param error: code and message of a bad outcome
    :param listeners: told once its end is fixed
    """

    operation_id: str
    started: datetime
    ended: datetime | None = None
    outcome: str = "Succeeded"
    error: Mapping[str, Any] | None = None
    listeners: list[Callable[[], None]] = field(default_factory=list, repr=False, compare=False, metadata=NOT_KEPT)

    def end(self, at: datetime, outcome: str = "Succeeded", error: Mapping[str, Any] | None = None) -> None:
        """Fix its end, which pollers see from `at` on."""
        self.ended, self.outcome, self.error = at, outcome, error
        for listener in self.listeners:
            listener()

    def is_over(self, now: datetime) -> bool:
        """Whether pollers see the end."""
        return self.ended is not None and self.ended <= now


class Operations:
    """Keep every operation of one emulator.

    :param new_id: makes operation ids
    :param kept: how many are remembered
    :param keeper: told of every change
    """

    def __init__(
        self,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        *,
        kept: int = KEPT,
        keeper: Keeper | None = None,
    ) -> None:
        self._new_id = new_id
        self._kept = kept
        self._operations: dict[str, Operation] = {}
        self._keeper = keeper or Keeper()
        self._keeper.add(FAMILY, self._operations)

    def start(self, now: datetime) -> Operation:
        """Begin an operation."""
        operation = self.adopt(Operation(self._new_id(), now))
        if len(self._operations) > self._kept:
            self._forget_oldest(now)
        return operation

    def adopt(self, operation: Operation) -> Operation:
        """Keep an operation; one of that id that is known already stays."""
        known = self._operations.setdefault(operation.operation_id, operation)
        if known is operation:
            known.listeners.append(partial(self._touch, known))
            self._touch(known)
        return known

    def _touch(self, operation: Operation) -> None:
        self._keeper.touch(FAMILY, operation.operation_id)

    def _forget_oldest(self, now: datetime) -> None:
        oldest = next((known for known in self._operations.values() if known.is_over(now)), None)
        if oldest is not None:
            del self._operations[oldest.operation_id]
            self._touch(oldest)

    def find(self, operation_id: str) -> Operation | None:
        """Return the operation of that id, in any casing."""
        return self._operations.get(operation_id.lower())

    def clear(self) -> None:
        """Forget all."""
        for operation in list(self._operations.values()):
            del self._operations[operation.operation_id]
            self._touch(operation)


def image_builder_body(operation: Operation, now: datetime) -> dict[str, Any]:
    """Word a poll's answer as Image Builder does: upper-case name, seven digits, Z."""
    body: dict[str, Any] = {"name": operation.operation_id.upper(), "status": "InProgress"}
    body["startTime"] = ticks_text(operation.started)
    return _with_end(body, operation, now, ticks_text)


def compute_body(operation: Operation, now: datetime) -> dict[str, Any]:
    """Word a poll's answer as Compute does: times with an offset first, lower-case name last."""
    body: dict[str, Any] = {"startTime": offset_text(operation.started)}
    if operation.is_over(now) and operation.ended is not None:
        body["endTime"] = offset_text(operation.ended)
    body["status"] = operation.outcome if operation.is_over(now) else "InProgress"
    if operation.is_over(now) and operation.error is not None:
        body["error"] = dict(operation.error)
    body["name"] = operation.operation_id
    return body


def _with_end(
    body: dict[str, Any], operation: Operation, now: datetime, write: Callable[[datetime], str]
) -> dict[str, Any]:
    if operation.ended is None or not operation.is_over(now):
        return body
    body["status"] = operation.outcome
    body["endTime"] = write(operation.ended)
    if operation.error is not None:
        body["error"] = dict(operation.error)
    return body


def operation_url(base_url: str, path: str, api_version: str, now: datetime, *, header: str) -> str:
    """Return a poll address with the long signature that Resource Manager appends.

    :param base_url: scheme, host and port as the client wrote them
    :param path: the path of the operation
    :param header: the header that it is for; two headers of one answer have different signatures
    """
    # As recorded, the two addresses of one answer were signed one after the other.
    ticks = int((now.timestamp() + 62_135_596_800) * 10_000_000) + (header == "Location")
    seed = f"{path} {ticks} {header}"
    certificate = _base64url("certificate", CERTIFICATE_BYTES)
    signature = _signature(path, str(ticks), header)
    digest = _base64url(f"h {seed}", 32)
    return f"{base_url}{path}?api-version={api_version}&t={ticks}&c={certificate}&s={signature}&h={digest}"


def is_location(path: str, query: Mapping[str, str]) -> bool:
    """Whether a poll's address is the one that was sent as `Location`."""
    return query.get("s") == _signature(path, query.get("t", ""), "Location")


def _signature(path: str, ticks: str, header: str) -> str:
    return _base64url(f"s {path} {ticks} {header}", SIGNATURE_BYTES)


def _base64url(seed: str, size: int) -> str:
    made = hashlib.shake_256(seed.encode()).digest(size)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
