"""A growing log read in pieces of bytes, given back in whole lines of text."""

from __future__ import annotations

# A progress bar may go on for megabytes without a line's end; longer lines are broken, never held back.
LONGEST_LINE = 64 * 1024


class LogSplitter:
    """Turn pieces of bytes, cut anywhere, into whole lines.

    A line that has no end yet is held back, and with it every character that a cut has split. `consumed` says how many
    bytes the lines given so far had: to go on later, read from there with a new splitter.

    :param consumed: bytes of the log that earlier splitters have given
    :param longest_line: bytes after which a line without an end is broken
    """

    def __init__(self, consumed: int = 0, *, longest_line: int = LONGEST_LINE) -> None:
        self.consumed = consumed
        self._longest_line = longest_line
        self._rest = b""

    @property
    def received(self) -> int:
        """Bytes of the log that were handed in, given back or not: where to read on."""
        return self.consumed + len(self._rest)

    def feed(self, piece: bytes) -> list[str]:
        """Take the next bytes of the log; give the lines that are now whole."""
        *whole, rest = (self._rest + piece).split(b"\n")
        lines = [self._give(line, ending=1) for line in whole]
        while len(rest) > self._longest_line:
            cut = _before_split_character(rest, self._longest_line)
            lines.append(self._give(rest[:cut], ending=0))
            rest = rest[cut:]
        self._rest = rest
        return lines

    def finish(self) -> list[str]:
        """Give the last line, which never got an end."""
        rest, self._rest = self._rest, b""
        return [self._give(rest, ending=0)] if rest else []

    def _give(self, line: bytes, *, ending: int) -> str:
        self.consumed += len(line) + ending
        # A build's output is whatever its programs wrote: what is no UTF-8 must not end the relay.
        return line.removesuffix(b"\r").decode("utf-8", errors="replace")


def _before_split_character(line: bytes, at: int) -> int:
    """Move a cut back to where a character begins; UTF-8's later bytes all begin with the bits 10."""
    for cut in range(at, max(at - 4, 0), -1):
        if line[cut] & 0xC0 != 0x80:  # noqa: PLR2004 - UTF-8's own masks
            return cut
    return at
