"""Secrets taken out of text before a person sees it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_aib.secret_patterns import MASK, SHORTEST_SECRET, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Masker", "mask"]


class Masker:
    """Take secrets out of text.

    :param secrets: texts that must never be shown, as they are, quoted or encoded in an address
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
    forms = {form for part in {secret, *secret.splitlines()} for form in (part, *_quoted(part))}
    return {form for form in forms if len(form.strip()) >= SHORTEST_SECRET}


def _quoted(text: str) -> tuple[str, ...]:
    """Give a text as it stands in JSON, in an address, in a JSON pointer, and in what Python quotes."""
    # Python escapes the single quotes only where the whole of what it quotes has double ones too.
    in_python = repr(f'"{text}')[2:-1]
    pointer = text.replace("~", "~0").replace("/", "~1")
    address = quote(text, safe="", errors="replace")
    return json.dumps(text)[1:-1], address, pointer, in_python, in_python.replace("\\'", "'")
