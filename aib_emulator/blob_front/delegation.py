"""User delegation keys: what a bearer signs shared access signatures with, in place of the account key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.sas import KEY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aib_emulator.blob_front.target import Target

KEY_VERSION = "2026-06-06"
SERVICE = "b"
LONGEST = timedelta(days=7)
START = re.compile(rb"<Start>([^<]+)</Start>")
EXPIRY = re.compile(rb"<Expiry>([^<]+)</Expiry>")


def asks_for_delegation_key(method: str, target: Target) -> bool:
    """Whether this is Get User Delegation Key."""
    return method == "POST" and target.query.get("comp") == "userdelegationkey"


def delegation_key(body: bytes, claims: Mapping[str, Any], seed: str, now: datetime) -> bytes:
    """Answer Get User Delegation Key for the bearer of `claims`; what it signs is checked with the key worked out anew.

    :param now: the real instant: keys live by it.
    """
    start, expiry = START.search(body), EXPIRY.search(body)
    if expiry is None:
        raise StorageError(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    fields = {
        "SignedOid": str(claims["oid"]),
        "SignedTid": str(claims["tid"]),
        "SignedStart": start[1].decode() if start else "",
        "SignedExpiry": expiry[1].decode(),
        "SignedService": SERVICE,
        "SignedVersion": KEY_VERSION,
    }
    _check_period(fields["SignedStart"], fields["SignedExpiry"], now)
    fields["Value"] = key_value(list(fields.values()), seed)
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{members}</UserDelegationKey>'.encode()


def key_value(fields: Sequence[str], seed: str) -> str:
    """Return the key, base64, that is given out for object, tenant, start, expiry, service and version."""
    digest = hmac.digest(seed.encode(), "\n".join(fields).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def key_of_signature(query: Mapping[str, str], seed: str) -> str:
    """Return the key that a user delegation signature names."""
    return key_value([query.get(name, "") for name in KEY_FIELDS], seed)


def _check_period(start: str, expiry: str, now: datetime) -> None:
    try:
        begins = datetime.fromisoformat(start) if start else now
        ends = datetime.fromisoformat(expiry)
        is_good = max(begins, now) < ends <= max(begins, now) + LONGEST
    except (TypeError, ValueError):  # no date, or one without a time zone
        is_good = False
    if not is_good:
        message = "The value for one of the XML nodes is not in the correct format: a key is good for 7 days at most."
        raise StorageError(400, "InvalidXmlNodeValue", message)
