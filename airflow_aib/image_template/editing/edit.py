"""What is to be done to a document's text, by the places of its data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Action = Literal["rename", "replace", "wrap", "remove", "add"]


@dataclass(frozen=True)
class Edit:
    """Say one thing to be done.

    :param action: `rename` a key, `replace` a value, `wrap` it into a list, `remove` a member, `add` one behind another
    :param pointer: JSON pointer to the member or item, as it stands before any edit
    :param name: the new key
    :param value: the new value
    """

    action: Action
    pointer: str
    name: str = ""
    value: Any = field(default=None, repr=False)

    def below(self, pointer: str) -> Edit:
        """Give the same edit in a document that holds this one at a pointer."""
        return replace(self, pointer=pointer + self.pointer)
