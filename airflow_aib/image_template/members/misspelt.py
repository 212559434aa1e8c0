"""Which word is meant by one that is nearly it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What is longer is no misspelt word, and comparing takes the square of its length.
_LONGEST_WORD = 64
# Likeness of what is hardly anything but a slip of the pen.
SURELY = 0.8
_LIKELY = 0.6


def meant_by(word: str, choices: Iterable[str], *, likeness: float = _LIKELY) -> str | None:
    """Give the choice that is nearest to a word; None where none is near.

    :param likeness: from 0 to 1, which it must have at least
    """
    by_letters = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(word.casefold(), by_letters, n=1, cutoff=likeness) if len(word) <= _LONGEST_WORD else []
    return by_letters[near[0]] if near else None
