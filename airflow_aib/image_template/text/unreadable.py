"""What no request could carry, and how a document that cannot be read is reported."""

from __future__ import annotations

import math
import re
from typing import Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.expressions.limits import DEEPEST_DOCUMENT
from airflow_aib.masking import mask

# What can be read can be rendered, too.
MOST_LEVELS = DEEPEST_DOCUMENT
_TOO_DEEP = "An image template is a dozen levels deep at most."
_LONGEST_QUOTE = 120
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def refuse_unfit(content: Any, source: str) -> None:
    """Refuse what no request could carry, and what is nested so deeply that nothing can walk it."""
    left = [(content, 0)]
    while left:
        value, level = left.pop()
        if isinstance(value, dict | list):
            if level == MOST_LEVELS:
                raise too_deep(source)
            items = [*value, *value.values()] if isinstance(value, dict) else value
            left.extend((item, level + 1) for item in items)
        elif isinstance(value, str) and _HALF_CHARACTER.search(value):
            raise ImageTemplateReadError(
                f"{source} holds half a character, as \\ud83d without its other half",
                hint="Write the character itself, or both halves.",
                source=source,
            )
        elif isinstance(value, float) and not math.isfinite(value):
            raise ImageTemplateReadError(
                f"{source} holds a number that is too great", hint="Write a smaller number.", source=source
            )


def too_deep(source: str) -> ImageTemplateReadError:
    """Report a document that is nested too deeply."""
    return ImageTemplateReadError(f"{source} is nested too deeply", hint=_TOO_DEEP, source=source)


def broken(text: str, source: str, problem: str, line: int, column: int) -> ImageTemplateReadError:
    """Report what is wrong in a line, and show the line unless it may hold a secure parameter's value."""
    shown = "" if may_hold_secrets(text) else _line_around(text, line, column)
    return ImageTemplateReadError(
        f"{source}, line {line}, column {column}: {problem}" + (f", in: {shown}" if shown else ""),
        hint="Correct it there, or just before.",
        source=source,
        line=line,
        column=column,
        problem=problem,
    )


def may_hold_secrets(text: str) -> bool:
    """Whether somewhere in a text that nobody can read a secure parameter may have its default."""
    return "secure" in text.casefold()


def _line_around(text: str, line: int, column: int) -> str:
    """Give what stands in a line around a column, without secrets."""
    lines = text.split("\n")
    if line > len(lines):
        return ""
    start = max(len(mask(lines[line - 1][: column - 1])) - _LONGEST_QUOTE // 2, 0)
    return mask(lines[line - 1])[start : start + _LONGEST_QUOTE].strip()
