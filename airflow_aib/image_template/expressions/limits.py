"""What an expression may cost: bounds on lengths, depth and work, so that no document makes rendering endless."""

from __future__ import annotations

from typing import Any


class ExpressionError(Exception):
    """Report an expression that cannot be evaluated; the text never quotes a value, which may be secret."""


class UnsupportedFunctionError(ExpressionError):
    """Report a function that is not evaluated here."""


# ARM's own bounds.
LONGEST_EXPRESSION = 24_576
LONGEST_RANGE = 10_000
MOST_COPIES = 800

# Ours. Each level costs up to six frames of Python's stack, of which there are a thousand.
DEEPEST = 100
DEEPEST_DOCUMENT = 60
LARGEST_VALUE = 1_000_000
MOST_WORK = 20_000_000

# What a value adds to the length of the JSON text that holds it, besides its characters.
_EACH = 8


class Budget:
    """Count what one document costs, over all its expressions."""

    def __init__(self) -> None:
        self._work = 0
        self._depth = 0

    def enter(self) -> None:
        """Go one level deeper: into an argument, a variable, or an object inside it."""
        self.spend(1)
        if self._depth >= DEEPEST:
            raise ExpressionError(f"it goes more than {DEEPEST} levels deep, through calls and variables")
        self._depth += 1

    def leave(self) -> None:
        """Come one level back."""
        self._depth -= 1

    def spend(self, work: int) -> None:
        """Add to the work that was done: characters and values that were made."""
        self._work += work
        if self._work > MOST_WORK:
            raise ExpressionError("the expressions of this document make too much; something in them doubles itself")


def size_of(value: Any) -> int:
    """Give about the length of the value's JSON text; a value too long or too deep is an `ExpressionError`.

    It walks without recursion and stops at the bound, since a value may hold one object in many places.
    """
    size = 0
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        size += _own_size(item)
        require_size(size)
        if depth > DEEPEST:
            raise ExpressionError(f"a value is more than {DEEPEST} levels deep")
        if isinstance(item, dict):
            waiting.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            waiting.extend((inner, depth + 1) for inner in item)
    return size


def is_too_deep(value: Any) -> bool:
    """Whether a document, or a value from outside, is too deep to be walked recursively."""
    level = [value]
    for _ in range(DEEPEST_DOCUMENT):
        level = [inner for item in level for inner in _inside(item) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def require_size(size: int) -> None:
    """Refuse what would become too large, before it is made."""
    if size > LARGEST_VALUE:
        raise ExpressionError(f"a value becomes larger than {LARGEST_VALUE:,} characters")


def _own_size(item: Any) -> int:
    if isinstance(item, str):
        return _EACH + len(item)
    if isinstance(item, dict):
        return _EACH + sum(_EACH + len(key) for key in item)
    return _EACH + (_EACH * len(item) if isinstance(item, list) else 0)


def _inside(item: Any) -> Any:
    return item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
