"""Say what is going on: one line that is rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Show one step at a time with the seconds since the start.

    :param stream: where to write; a terminal gets one line that is rewritten, anything else a line per step.
    :param now: seconds of a clock that only moves forward.
    :param width: columns of the terminal.
    """

    def __init__(self, stream: TextIO, *, now: Callable[[], float] = time.monotonic, width: int = 80) -> None:
        self._stream = stream
        self._now = now
        self._width = width
        self._start = now()
        self._shown = ""
        self._rewrites = stream.isatty()

    def show(self, step: str) -> None:
        """Show what is being done now."""
        if step == self._shown and not self._rewrites:
            return
        self._shown = step
        line = f"[{self._now() - self._start:4.0f} s] {step}"
        if self._rewrites:
            self._stream.write(CLEAR_LINE + line[: self._width - 1])
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def end(self) -> None:
        """Clear the line, so that what follows starts on an empty one."""
        if self._rewrites and self._shown:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
        self._shown = ""
