"""One change of spelling, as people read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Record one change of spelling.

    :param path: JSON pointer to the place as it is now
    :param former_path: JSON pointer to the place as it was, before any change
    :param old: the old spelling in quotes, or what was there in a few words; never a long or secret value
    :param new: the new spelling in quotes, or what is there now in a few words; empty for what is left out
    :param why: the reason
    :param since: the api-version since which the new form holds
    :param meant: the member that is likely meant by one that is left out
    """

    path: str
    former_path: str
    old: str
    new: str
    why: str
    since: str
    meant: str | None = None

    def __str__(self) -> str:
        """Give the change as one line."""
        return f"{self.path}: {self.what} ({self.why})"

    @property
    def what(self) -> str:
        """What was changed, as half a sentence."""
        if not self.new:
            return f"{self.old} is left out"
        return f"{self.old} {'is now called' if self.new.startswith(_QUOTES) else 'becomes'} {self.new}"


# `repr` takes the second where the first stands in the text.
_QUOTES = ("'", '"')
