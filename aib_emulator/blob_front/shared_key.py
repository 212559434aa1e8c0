"""The SharedKey scheme: what is signed, the signature, and whether one is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aib_emulator.blob_front.target import SECONDARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aib_emulator.blob_front.target import Target

SCHEME = "SharedKey "
SIGNED_HEADERS = (
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Type",
    "Date",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Unmodified-Since",
    "Range",
)
# The service sorts header names as a dictionary does: an underscore comes before a hyphen, both before the rest.
NAME_ORDER = str.maketrans({"_": "\x01", "-": "\x02"})


def authorization(method: str, target: Target, headers: Mapping[str, str], key: str) -> str:
    """Return the `Authorization` header that signs the request with a base64 account key.

    :param headers: what is sent, looked up in any casing.
    """
    text = string_to_sign(method, target, headers)
    return f"{SCHEME}{target.account}:{signature(text, key)}"


def is_signed(method: str, target: Target, headers: Mapping[str, str], keys: Iterable[str]) -> bool:
    """Whether the request's `Authorization` header was made with one of `keys`."""
    given = headers.get("Authorization", "")
    expected = [authorization(method, target, headers, key) for key in keys]
    return any(hmac.compare_digest(given.encode(), candidate.encode()) for candidate in expected)


def signature(text: str, key: str) -> str:
    """Return the base64 HMAC-SHA256 of `text` with a base64 key."""
    return base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()


def string_to_sign(method: str, target: Target, headers: Mapping[str, str]) -> str:
    """Return the text that a SharedKey signature covers, for service versions since 2015-02-21."""
    standard = [_header(headers, name) for name in SIGNED_HEADERS]
    return "\n".join([method, *standard, *_canonical_headers(headers), _canonical_resource(target)])


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    return "" if name == "Content-Length" and value == "0" else value


def _canonical_headers(headers: Mapping[str, str]) -> list[str]:
    named = [(name.lower(), value) for name, value in headers.items() if name.lower().startswith("x-ms-")]
    return [f"{name}:{value.lstrip()}" for name, value in sorted(named, key=lambda item: item[0].translate(NAME_ORDER))]


def _canonical_resource(target: Target) -> str:
    # The secondary endpoint of an account signs as the primary one does.
    path = f"/{target.account}{target.raw_path.removeprefix(f'/{target.account}').removeprefix(SECONDARY)}"
    lines = [f"/{target.account}{path}"]
    pairs = (piece.split("=") for piece in target.raw_query.split("&"))
    query = {pair[0].lower(): unquote(pair[1].replace("+", "%20")) for pair in pairs if _is_pair(pair)}
    return "\n".join([*lines, *(f"{name}:{query[name]}" for name in sorted(query))])


def _is_pair(pieces: list[str]) -> bool:
    return len(pieces) == 2 and pieces[0] != ""  # noqa: PLR2004 - a name and a value
