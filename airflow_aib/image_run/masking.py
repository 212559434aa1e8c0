"""Secrets taken out of text before a person sees it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"

# Shorter texts stand everywhere: masking them would only garble the log.
SHORTEST_SECRET = 4

_SIGNED = re.compile(
    # The signature of a shared access signature, also inside an address that is encoded, once or more, or quoted in
    # HTML (`&amp;`) or in JSON as .NET writes it (`\u0026`).
    r"(?P<signature>(?:\b|%(?:25)*(?:26|3B|3F)|u0026)sig(?:=|%(?:25)*3D))(?:[^&\s\"'<>;,)\\]|\\/)+"
    r"|(?P<key>\b(?:AccountKey|SharedAccessKey)=)[A-Za-z0-9+/=]+"
    # A password or token before the host of an address, as tools that fetch from private places print it.
    r"|(?P<login>://[^/\s:@?#]*:)[^/\s@?#]+(?=@)"
    r"|(?P<bearer>\bBearer\s+)[A-Za-z0-9._~+/-]{16,}=*",
    re.IGNORECASE,
)

# One of these stands in everything that _SIGNED finds: most lines need no more than this look.
_SIGNS = ("sig=", "sig%", "key=", "bearer", "@")


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
        lower = text.lower()
        if not any(sign in lower for sign in _SIGNS):
            return text
        return _SIGNED.sub(lambda match: f"{match[match.lastgroup or 0]}{MASK}", text)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Give a text without signatures, keys, tokens and the given secrets."""
    return Masker(secrets).mask(text)


def _forms(secret: str) -> set[str]:
    """Give the ways in which a secret may be written; each line of a longer one is a secret too."""
    parts = {secret, *secret.splitlines()}
    forms = {form for part in parts for form in (part, json.dumps(part)[1:-1], quote(part, safe="", errors="replace"))}
    return {form for form in forms if len(form.strip()) >= SHORTEST_SECRET}
