"""Secrets taken out of text before a person sees it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_aib.secret_patterns import MASK, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Masker", "mask"]

# Shorter texts stand everywhere: masking them would only garble the log.
SHORTEST_SECRET = 4


class Masker:
    """Take secrets out of text.

    :param secrets: texts that must never be shown, as they are, quoted in JSON or encoded in an address
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first, so that one secret inside another leaves nothing of the other.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def mask(self, text: str) -> str:
        """Give the text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return without_secrets(text)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Give a text without signatures, keys, tokens and the given secrets."""
    return Masker(secrets).mask(text)


def _forms(secret: str) -> set[str]:
    """Give the ways in which a secret may be written; each line of a longer one is a secret too."""
    parts = {secret, *secret.splitlines()}
    forms = {form for part in parts for form in (part, json.dumps(part)[1:-1], quote(part, safe="", errors="replace"))}
    return {form for form in forms if len(form.strip()) >= SHORTEST_SECRET}
