"""Where a command reads and writes, and in which colours."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from airflow_aib.cli.arguments import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

_STYLES = {"error": "1;31", "warning": "1;33", "quiet": "2", "strong": "1", "place": "32"}


@dataclass(frozen=True)
class Console:
    """Hold the three streams.

    :param stdin: bytes
    :param stdout: for what was asked for, and nothing else
    :param stderr: for remarks
    :param is_coloured: whether colours are wanted on stdout
    """

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    is_coloured: bool = False

    def say(self, text: str) -> None:
        """Write what was asked for."""
        self.stdout.write(f"{_encodable(text, self.stdout)}\n")

    def say_json(self, value: Any) -> None:
        """Write data, in characters that the stream has."""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        self.say(text if _encodable(text, self.stdout) == text else json.dumps(value, indent=2))

    def remark(self, text: str) -> None:
        """Write something beside it."""
        self.stderr.write(f"{PROGRAM}: {_encodable(text, self.stderr)}\n")

    def styled(self, text: str, style: str) -> str:
        """Give a text in a style's colours, where colours are wanted."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.is_coloured else text


def process_console(stdin: BinaryIO | None = None) -> Console:
    """Make the console of this process.

    :param stdin: what to read instead of its own standard input
    """
    return Console(
        stdin=stdin or sys.stdin.buffer,
        stdout=sys.stdout,
        stderr=sys.stderr,
        is_coloured=wants_colour(current_environment(), is_terminal=sys.stdout.isatty()),
    )


def current_environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ  # noqa: TID251 - this module is the command line's reader of the environment


def wants_colour(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to write in colours: NO_COLOR says no, then FORCE_COLOR says yes, else a terminal that can has them."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return environment["FORCE_COLOR"] != "0"
    return is_terminal and environment.get("TERM") != "dumb"


def _encodable(text: str, stream: TextIO) -> str:
    """Give a text in which escapes stand for what a stream's encoding has no character for."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, errors="backslashreplace").decode(encoding)
