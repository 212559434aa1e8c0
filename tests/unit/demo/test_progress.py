from __future__ import annotations

import io

from demo.progress import CLEAR_LINE, Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds that were set."""
        return self.seconds


def test_a_file_gets_one_line_per_step() -> None:
    """Where lines cannot be rewritten, a step that goes on is written once."""
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, now=clock)

    progress.show("one")
    clock.seconds = 2
    progress.show("one")
    progress.show("two")
    progress.end()

    assert stream.getvalue() == "[   0 s] one\n[   2 s] two\n"


def test_a_terminal_gets_one_line_that_is_rewritten() -> None:
    """On a terminal the line is rewritten, the seconds too, and cleared at the end."""
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, now=clock)

    progress.show("one")
    clock.seconds = 2
    progress.show("one")
    progress.end()

    assert stream.getvalue() == f"{CLEAR_LINE}[   0 s] one{CLEAR_LINE}[   2 s] one{CLEAR_LINE}"


def test_a_long_step_is_cut_to_the_terminal() -> None:
    """A line that wrapped could not be rewritten."""
    stream = Terminal()
    Progress(stream, now=Clock(), width=20).show("x" * 50)

    assert len(stream.getvalue().removeprefix(CLEAR_LINE)) < 20
