"""Addresses of blobs in this emulator."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def account_and_blob(uri: str, public_url: str) -> tuple[str, str, str] | None:
    """Return account, container and blob that `uri` names, or None when it lies elsewhere."""
    parts, ours = urlsplit(uri), urlsplit(public_url)
    if not uri or (parts.port, parts.hostname) not in {(ours.port, ours.hostname), (ours.port, "localhost")}:
        return None
    account, _, rest = unquote(parts.path).strip("/").partition("/")
    container, _, blob = rest.partition("/")
    return (account, container, blob) if account and container and blob else None
