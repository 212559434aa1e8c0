"""Wait for a condition with a deadline: the only place of this package that sleeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class DemoError(Exception):
    """Something that the demo needs did not happen; the text says what, and where to look."""


def wait_for(look: Callable[[], T | None], *, seconds: float, what: str, interval: float = 0.25) -> T:
    """Call `look` until it gives something other than None; after the deadline a DemoError names `what`."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() >= deadline:
            msg = f"waited {seconds:.0f} s in vain for {what}"
            raise DemoError(msg)
        time.sleep(interval)  # noqa: TID251  # the one sleep that all waits share
    return found
