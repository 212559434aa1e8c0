"""Planned faults of the transport: which calls answer with an error, or not at all, and how often."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

LOWEST_STATUS, HIGHEST_STATUS = 200, 599
Moment = Literal["before", "after"]


class FaultError(ValueError):
    """The description of a fault makes no sense."""


@dataclass
class Fault:
    """Plan that some calls go wrong.

    :param method: HTTP method, or `*` for any
    :param path: expression searched for in the path, in any casing
    :param count: how many calls it strikes
    :param skip: how many fitting calls pass before it begins to strike
    :param action: `status` answers, `reset` drops the connection
    :param moment: `before` the call is carried out, or `after`: its effect has happened, the answer is lost
    :param status: the HTTP status to answer
    :param headers: headers to send with it
    :param body: JSON to send with it; None sends a usual error body

    `struck` counts the calls that it has struck so far.
    """

    method: str = "*"
    path: str = ""
    count: int = 1
    skip: int = 0
    action: Literal["status", "reset"] = "status"
    moment: Moment = "before"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    fault_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse what would never strike as meant."""
        if not LOWEST_STATUS <= self.status <= HIGHEST_STATUS:
            raise FaultError(f"status={self.status} is not one of HTTP.")
        if not all(isinstance(value, str) for value in self.headers.values()):
            raise FaultError(f"headers={self.headers!r}: write every value as a text.")
        if self.action not in {"status", "reset"}:
            raise FaultError(f"action={self.action!r}: use 'status' or 'reset'.")
        if self.moment not in {"before", "after"}:
            raise FaultError(f"moment={self.moment!r}: use 'before' or 'after'.")
        try:
            re.compile(self.path)
        except re.error as error:
            raise FaultError(f"path={self.path!r} is not an expression: {error}.") from error

    def fits(self, method: str, path: str) -> bool:
        """Whether it is about such calls and has strikes left."""
        fits_method = self.method == "*" or self.method.upper() == method
        return self.count > 0 and fits_method and re.search(self.path, path, re.IGNORECASE) is not None


class Faults:
    """Keep the planned faults and hand out their strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def plan(self, fault: Fault) -> Fault:
        """Add a fault, and forget those that have no strikes left."""
        self._faults = [*self.pending(), fault]
        return fault

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes this call, and count the strike; ask once per call."""
        for fault in self._faults:
            if not fault.fits(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.count -= 1
            fault.struck += 1
            return fault
        return None

    def pending(self) -> list[Fault]:
        """Return the faults that have strikes left."""
        return [fault for fault in self._faults if fault.count > 0]

    def clear(self) -> None:
        """Forget all."""
        self._faults.clear()
