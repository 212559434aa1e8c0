"""Shared access signatures: what each kind signs, and whether one is right, not over, and used from where it may be."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aib_emulator.blob_front.errors import NOT_AUTHENTICATED, StorageError
from aib_emulator.blob_front.shared_key import signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aib_emulator.blob_front.target import Target

OLDEST = "2015-04-05"
"""Signatures of older versions are Azurite's business alone."""
KEY_FIELDS = ("skoid", "sktid", "skt", "ske", "sks", "skv")
BASE = ("sp", "st", "se", "@")
AGENTS = ("saoid", "suoid", "scid")
DELEGATED = ("skdutid", "sduoid")
USE = ("sip", "spr", "sv")
PLACE = ("sr", "snapshot")
ANSWER_HEADERS = ("rscc", "rscd", "rsce", "rscl", "rsct")
ACCOUNT = ("@", "sp", "ss", "srt", "st", "se", *USE)
Forms = tuple[tuple[str, tuple[str, ...]], ...]
# What is signed, since which version; the newest first. `@` is the resource.
SERVICE_FORMS: Forms = (
    ("2020-12-06", (*BASE, "si", *USE, *PLACE, "ses", *ANSWER_HEADERS)),
    ("2018-11-09", (*BASE, "si", *USE, *PLACE, *ANSWER_HEADERS)),
    (OLDEST, (*BASE, "si", *USE, *ANSWER_HEADERS)),
)
DELEGATION_FORMS: Forms = (
    ("2026-04-06", (*BASE, *KEY_FIELDS, *AGENTS, *DELEGATED, *USE, *PLACE, "ses", "srh", "srq", *ANSWER_HEADERS)),
    ("2025-07-05", (*BASE, *KEY_FIELDS, *AGENTS, *DELEGATED, *USE, *PLACE, "ses", *ANSWER_HEADERS)),
    ("2020-12-06", (*BASE, *KEY_FIELDS, *AGENTS, *USE, *PLACE, "ses", *ANSWER_HEADERS)),
    ("2020-02-10", (*BASE, *KEY_FIELDS, *AGENTS, *USE, *PLACE, *ANSWER_HEADERS)),
    ("2018-11-09", (*BASE, *KEY_FIELDS, *USE, *PLACE, *ANSWER_HEADERS)),
)
ACCOUNT_FORMS: Forms = (("2020-12-06", (*ACCOUNT, "ses", "")), (OLDEST, (*ACCOUNT, "")))
BLOB_RESOURCES = frozenset({"b", "bs", "bv"})


@dataclass(frozen=True)
class SasUse:
    """Say how a signature is used.

    :param target: the address that it comes with
    :param address: where the request comes from; None when that does not count, as for the source of a copy
    :param now: the real instant: signatures live by it, as the clients that hold them do
    """

    target: Target
    address: str | None
    now: datetime


def check_sas(use: SasUse, keys: Iterable[str]) -> None:
    """Refuse a signature as the service does; what it permits to do is checked by Azurite.

    :param keys: base64 keys, one of which must have signed.
    """
    query = use.target.query
    text = string_to_sign(use.target)
    if text is None:
        return
    given = query["sig"].replace(" ", "+")  # a plus sign that nobody encoded
    if not any(hmac.compare_digest(given.encode(), signature(text, key).encode()) for key in keys):
        raise _unauthenticated("Signature did not match.")
    _check_times(query, "st", "se", use.now)
    _check_times(query, "skt", "ske", use.now)
    if use.address is not None and not is_address_within(use.address, query.get("sip")):
        message = f"This request is not authorized to perform this operation using this source IP {use.address}."
        raise StorageError(403, "AuthorizationSourceIPMismatch", message)
    if query.get("spr", "https").lower() == "http":
        message = "This request is not authorized to perform this operation using this protocol."
        raise StorageError(403, "AuthorizationProtocolMismatch", message)


def string_to_sign(target: Target) -> str | None:
    """Return the text that the target's signature covers, or None for a version or a kind that is not known here."""
    query = target.query
    fields = _fields(query)
    resource = _resource(target)
    if fields is None or resource is None:
        return None
    values = {**query, "@": resource, "": ""}
    if query.get("sr") != "bs":
        values["snapshot"] = ""  # it is signed only where the signature is one for a snapshot
    return "\n".join(values.get(name, "") for name in fields)


def is_address_within(address: str, allowed: str | None) -> bool:
    """Whether an address is the one that is allowed, or lies in the allowed range `<first>-<last>`."""
    if allowed is None:
        return True
    first, _, last = allowed.partition("-")
    try:
        # Tuples of kind and number: addresses of different kinds cannot be compared.
        low, present, high = ((ip.version, int(ip)) for ip in map(ip_address, (first, address, last or first)))
    except ValueError:
        return False
    return low <= present <= high


def _fields(query: Mapping[str, str]) -> tuple[str, ...] | None:
    version = query.get("sv", "")
    forms = DELEGATION_FORMS if "skoid" in query else SERVICE_FORMS if "sr" in query else ACCOUNT_FORMS
    return next((fields for since, fields in forms if version >= since), None)


def _resource(target: Target) -> str | None:
    kind = target.query.get("sr")
    if kind is None:
        return target.account
    if kind == "c":
        return f"/blob/{target.account}/{target.container}"
    if kind in BLOB_RESOURCES:
        return f"/blob/{target.account}/{target.container}/{target.blob}"
    return None


def _check_times(query: Mapping[str, str], start: str, end: str, now: datetime) -> None:
    begins, ends = query.get(start), query.get(end)
    if (begins and now < _instant(begins)) or (ends and now >= _instant(ends)):
        current = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        raise _unauthenticated(
            f"Signature not valid in the specified time frame: Start [{begins}] - Expiry [{ends}] - Current [{current}]"
        )


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _unauthenticated(f"Signature fields not well formed: {text}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unauthenticated(detail: str) -> StorageError:
    return StorageError(403, "AuthenticationFailed", NOT_AUTHENTICATED, detail=detail)
