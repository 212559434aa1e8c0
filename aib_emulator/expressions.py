"""Expressions that users write, to say which paths and programs they mean."""

from __future__ import annotations

import re
import warnings


def check_expression(name: str, expression: str) -> None:
    """Refuse with ValueError what is no expression, or is going to mean something else in a later Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            re.compile(expression)
        except (re.error, FutureWarning) as error:
            raise ValueError(f"{name}={expression!r} is not an expression: {error}.") from error
