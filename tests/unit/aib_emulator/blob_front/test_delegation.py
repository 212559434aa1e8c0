from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from aib_emulator.blob_front.delegation import asks_for_delegation_key, delegation_key
from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.target import Target

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
ASKED = b"<KeyInfo><Start>2026-11-22T10:00:00Z</Start><Expiry>2026-11-22T12:00:00Z</Expiry></KeyInfo>"


def test_key_is_signed_with_the_seed_for_its_bearer_and_time() -> None:
    """The key's value follows from principal, tenant, times and version, in this order."""
    answer = delegation_key(ASKED, {"oid": "o", "tid": "t"}, "seed", NOW).decode()
    signed = "o\nt\n2026-11-22T10:00:00Z\n2026-11-22T12:00:00Z\nb\n2026-06-06"
    value = base64.b64encode(hmac.digest(b"seed", signed.encode(), hashlib.sha256)).decode()
    assert f"<Value>{value}</Value>" in answer
    assert "<SignedOid>o</SignedOid><SignedTid>t</SignedTid>" in answer


def test_request_without_an_end_is_refused() -> None:
    """A key for ever is not to be had."""
    with pytest.raises(StorageError, match="InvalidXmlDocument"):
        delegation_key(b"<KeyInfo/>", {"oid": "o", "tid": "t"}, "seed", NOW)


@pytest.mark.parametrize(
    ("start", "expiry"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:59:59Z"),
        ("2026-11-22T10:00:00Z", "2026-11-29T11:00:01Z"),
        ("2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z"),
        ("2026-11-22T10:00:00Z", "tomorrow"),
        ("2026-11-22T10:00:00", "2026-11-22T12:00:00Z"),
    ],
)
def test_key_of_an_impossible_period_is_refused(start: str, expiry: str) -> None:
    """A key that is over, that lasts longer than 7 days, or whose times are none is refused."""
    asked = f"<KeyInfo><Start>{start}</Start><Expiry>{expiry}</Expiry></KeyInfo>".encode()
    with pytest.raises(StorageError, match="InvalidXmlNodeValue"):
        delegation_key(asked, {"oid": "o", "tid": "t"}, "seed", NOW)


def test_only_the_very_call_asks_for_a_key() -> None:
    """Get User Delegation Key is a POST with its own comp."""
    target = Target("/acct/?restype=service&comp=userdelegationkey")
    assert asks_for_delegation_key("POST", target)
    assert not asks_for_delegation_key("GET", target)
    assert not asks_for_delegation_key("POST", Target("/acct/?comp=batch"))
