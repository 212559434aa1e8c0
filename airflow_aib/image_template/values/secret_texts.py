"""What of a document must never be shown: the texts inside secure parameters, and what expressions make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.limits import ExpressionError
from airflow_aib.secret_patterns import SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Whoever needs more takes a secret to pieces.
MOST_DERIVED = 1000


class SecretTexts:
    """Remember secrets while a document is filled in.

    :param texts: those inside all secure parameters
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._given = frozenset(texts)
        self._derived: set[str] = set()

    @property
    def all(self) -> frozenset[str]:
        """Every text that must not be shown."""
        return self._given | self._derived

    def note(self, arguments: list[Any], result: Any) -> None:
        """Take for secret what a function has made of a secret; what it has made of the rest is none.

        :param arguments: what the function was given
        :param result: what it gave
        """
        if not self._given or not isinstance(result, str | list | dict):
            return
        known = self.all
        given = [text for argument in arguments for text in texts_in(argument)]
        if not any(_holds(text, known) for text in given):
            return
        public = [rest for text in given for rest in _without(text, known)]
        for text in texts_in(result):
            if len(text) >= SHORTEST_SECRET and not _holds(text, known) and not any(text in one for one in public):
                self._derived.add(text)
        if len(self._derived) > MOST_DERIVED:
            raise ExpressionError(f"it makes more than {MOST_DERIVED} texts of a secret")


def texts_in(value: Any) -> Iterator[str]:
    """Give every text and number inside a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _holds(text: str, secrets: frozenset[str]) -> bool:
    return any(secret in text for secret in secrets)


def _without(text: str, secrets: frozenset[str]) -> list[str]:
    """Give what is left of a text where the secrets are cut out."""
    parts = [text]
    for secret in sorted(secrets, key=len, reverse=True):
        parts = [rest for part in parts for rest in part.split(secret)]
    return parts
