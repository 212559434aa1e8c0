"""What a planned fault says: which calls it strikes, how often, when, and what becomes of them."""

from __future__ import annotations

import random
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aib_emulator.expressions import check_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.caller import Caller

LOWEST_STATUS, HIGHEST_STATUS = 200, 599
LONGEST_DELAY = 3600.0
BEFORE, AFTER = "before", "after"
ACTIONS = {
    "status": BEFORE,
    "reset": BEFORE,
    "delay": BEFORE,
    "drip": AFTER,
    "malformed": AFTER,
    "truncated": AFTER,
    "content-type": AFTER,
}
"""What a fault may do, and at which moment unless it says so."""


HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
FRAMING = ("content-length", "transfer-encoding")
"""Headers that say where an answer ends: a wrong one would spoil the next answers of the connection as well."""


class FaultError(ValueError):
    """The description of a fault makes no sense."""


@dataclass
class Fault:
    """Plan that some calls go wrong.

    :param method: HTTP method, or `*` for any
    :param path: expression searched for in the path, in any casing
    :param client: the application id of the caller, or an expression searched for in its user agent, in any casing
    :param count: how many calls it strikes; None strikes until it is removed
    :param skip: how many fitting calls pass before it begins to strike
    :param probability: how likely each fitting call is struck
    :param seed: of the dice; the same seed and the same calls have the same strikes
    :param action: one of `ACTIONS`
    :param moment: `before` the call is carried out, or `after`: its effect has happened; empty takes the action's own
    :param status: the HTTP status to answer when the true answer is not used
    :param headers: headers to send with it
    :param body: what to send with it, JSON or a text; None sends a usual error body
    :param retry_after: seconds for `Retry-After`
    :param retry_after_ms: milliseconds for `x-ms-retry-after-ms`
    :param seconds: real seconds that a `delay` takes
    :param bytes_per_second: how fast a `drip` comes, in real time

    `struck` counts the calls that it has struck so far.
    """

    method: str = "*"
    path: str = ""
    client: str = ""
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    action: str = "status"
    moment: str = ""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    retry_after: int | None = None
    retry_after_ms: int | None = None
    seconds: float = 1.0
    bytes_per_second: int = 1024
    fault_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse what would never strike as meant."""
        if self.action not in ACTIONS:
            raise FaultError(f"action={self.action!r}: use one of {', '.join(ACTIONS)}.")
        self.moment = self.moment or ACTIONS[self.action]
        if self.moment not in {BEFORE, AFTER}:
            raise FaultError(f"moment={self.moment!r}: use 'before' or 'after'.")
        _check_headers(self.headers)
        _check_numbers(self)
        for name in ("path", "client"):
            try:
                check_expression(name, getattr(self, name))
            except ValueError as error:
                raise FaultError(str(error)) from error
        self._dice = random.Random(self.seed)  # noqa: S311 - strikes are to be repeatable, not secret

    @property
    def has_strikes_left(self) -> bool:
        """Whether it may still strike."""
        return self.count is None or self.count > 0

    def strikes(self, method: str, path: str, caller: Caller) -> bool:
        """Whether it strikes this call, and count what that uses up; ask once per call."""
        if not self._fits(method, path, caller):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self._dice.random() >= self.probability:
            return False
        self.count = None if self.count is None else self.count - 1
        self.struck += 1
        return True

    def answer_headers(self) -> dict[str, str]:
        """Return the headers to answer with, those about the next try among them."""
        about_retries = {"Retry-After": self.retry_after, "x-ms-retry-after-ms": self.retry_after_ms}
        return {**{name: str(value) for name, value in about_retries.items() if value is not None}, **self.headers}

    def _fits(self, method: str, path: str, caller: Caller) -> bool:
        fits_method = self.method == "*" or self.method.upper() == method
        fits_path = re.search(self.path, path, re.IGNORECASE) is not None
        return self.has_strikes_left and fits_method and fits_path and caller.is_called(self.client)


def _check_headers(headers: Mapping[str, Any]) -> None:
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise FaultError(f"headers: {name!r} is no name of a header.")
        if name.lower() in FRAMING:
            raise FaultError(f"headers: {name} is the emulator's own; for half an answer use action='truncated'.")
        if not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
            raise FaultError(f"headers: write the value of {name} as a text in one line.")


def _check_numbers(fault: Fault) -> None:
    ranges: dict[str, tuple[float | None, float, float]] = {
        "status": (fault.status, LOWEST_STATUS, HIGHEST_STATUS),
        "count": (fault.count, 0, float("inf")),
        "skip": (fault.skip, 0, float("inf")),
        "probability": (fault.probability, 0, 1),
        "retry_after": (fault.retry_after, 0, float("inf")),
        "retry_after_ms": (fault.retry_after_ms, 0, float("inf")),
        "seconds": (fault.seconds, 0, LONGEST_DELAY),
        "bytes_per_second": (fault.bytes_per_second, 1, float("inf")),
    }
    for name, (value, least, most) in ranges.items():
        if value is not None and not least <= value <= most:
            raise FaultError(f"{name}={value!r} must lie between {least:g} and {most:g}.")
