"""Secrets taken out of text before a person sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.secret_patterns import MASK, pattern_of, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Masker", "mask"]


class Masker:
    """Take secrets out of text.

    :param secrets: texts that must never be shown, as they are, quoted or encoded in an address
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = pattern_of(secrets)

    def mask(self, text: str) -> str:
        """Give the text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return without_secrets(text)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Give a text without signatures, keys, tokens and the given secrets."""
    return Masker(secrets).mask(text)
