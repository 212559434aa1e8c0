"""Heredocs of shell scripts: text that a script writes somewhere, and that is no command of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Neither a here-string (`<<<`) nor a number that is shifted.
_OPENS = re.compile(r"(?<![<\d(])<<(?P<tabs>-?)\s*\\?(?P<quote>[\"']?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
_SHELL = re.compile(r"(?:^|[\s|;&(])(?:/\S*/)?(?:(?:ba|da|k|z)?sh|su|sudo\s+-[is])(?=[\s<]|$)")


def without_heredocs(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out the bodies of heredocs, unless a shell executes them.

    :param texts: of one script, each with its JSON pointer; a heredoc may go over several of them
    """
    lines = [(path, line) for path, text in texts for line in text.split("\n")]
    kept: dict[str, list[str]] = {}
    at = 0
    while at < len(lines):
        path, line = lines[at]
        kept.setdefault(path, []).append(line)
        at = _behind(lines, at)
    return [(path, "\n".join(parts)) for path, parts in kept.items()]


def _behind(lines: list[tuple[str, str]], at: int) -> int:
    """Give the next line that is a command: the one behind the body, if the line opens one that is closed."""
    line = lines[at][1]
    opened = _OPENS.search(line)
    if opened is None or line.lstrip().startswith("#") or _SHELL.search(line):
        return at + 1
    for number in range(at + 1, len(lines)):
        text = lines[number][1].rstrip("\r")
        if (text.lstrip("\t") if opened["tabs"] else text) == opened["word"]:
            return number + 1
    return at + 1
