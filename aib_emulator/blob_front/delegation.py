"""User delegation keys: what a bearer signs shared access signatures with, in place of the account key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from aib_emulator.blob_front.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.blob_front.target import Target

KEY_VERSION = "2026-06-06"
SERVICE = "b"
START = re.compile(rb"<Start>([^<]+)</Start>")
EXPIRY = re.compile(rb"<Expiry>([^<]+)</Expiry>")


def asks_for_delegation_key(method: str, target: Target) -> bool:
    """Whether this is Get User Delegation Key."""
    return method == "POST" and target.query.get("comp") == "userdelegationkey"


def delegation_key(body: bytes, claims: Mapping[str, Any], seed: str) -> bytes:
    """Answer Get User Delegation Key for the bearer of `claims`; Azurite works the key out anew to check with it."""
    expiry = EXPIRY.search(body)
    if expiry is None:
        raise StorageError(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    start = START.search(body)
    fields = {
        "SignedOid": str(claims["oid"]),
        "SignedTid": str(claims["tid"]),
        "SignedStart": start[1].decode() if start else "",
        "SignedExpiry": expiry[1].decode(),
        "SignedService": SERVICE,
        "SignedVersion": KEY_VERSION,
    }
    signed = "\n".join(fields.values())
    digest = hmac.digest(seed.encode(), signed.encode(), hashlib.sha256)
    fields["Value"] = base64.b64encode(digest).decode()
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{members}</UserDelegationKey>'.encode()
