from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from azure.storage.blob import UserDelegationKey, generate_account_sas, generate_blob_sas, generate_container_sas

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.sas import SasUse, check_sas, is_address_within, string_to_sign
from aib_emulator.blob_front.shared_key import signature
from aib_emulator.blob_front.target import Target

KEY, OTHER = (base64.b64encode(name.encode()).decode() for name in ("key1", "key2"))
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "folder/disk 1+ü.vhd"
PATH = f"/acct/vhds/{quote(NAME)}"


def delegation_key() -> UserDelegationKey:
    """Return a key as the service gives it out."""
    key = UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK leaves it without types
    key.signed_oid, key.signed_tid, key.signed_service, key.signed_version = "oid", "tid", "b", "2026-06-06"
    key.signed_start, key.signed_expiry = "2026-01-02T11:00:00Z", "2026-01-02T13:00:00Z"
    key.value = KEY
    return key


def blob_sas(**options: Any) -> str:
    """Return a signature for a blob, made by the SDK."""
    given = {"account_key": KEY, "permission": "r", "expiry": NOW + HOUR, **options}
    return generate_blob_sas("acct", "vhds", NAME, **given)


def refusal(sas: str, *, address: str | None = "127.0.0.1", at: datetime = NOW) -> StorageError:
    """Return how a signature for the blob is refused."""
    with pytest.raises(StorageError) as caught:
        check_sas(SasUse(Target(f"{PATH}?{sas}"), address, at), [OTHER, KEY])
    return caught.value


@pytest.mark.parametrize(
    "sas",
    [
        blob_sas(),
        blob_sas(start=NOW - HOUR, protocol="https", ip="127.0.0.1", content_type="text/plain"),
        blob_sas(policy_id="stored"),
        blob_sas(account_key=None, user_delegation_key=delegation_key(), start=NOW - HOUR),
        blob_sas(
            cache_control="no-cache", content_disposition="inline", content_encoding="gzip", content_language="de"
        ),
        generate_container_sas("acct", "vhds", account_key=KEY, permission="rl", expiry=NOW + HOUR),
        generate_container_sas(
            "acct", "vhds", user_delegation_key=delegation_key(), permission="rl", expiry=NOW + HOUR, protocol="https"
        ),
        generate_account_sas("acct", KEY, resource_types="sco", permission="rl", expiry=NOW + HOUR),
        generate_account_sas(
            "acct", KEY, resource_types="o", permission="r", expiry=NOW + HOUR, start=NOW - HOUR, ip="127.0.0.1"
        ),
    ],
)
def test_signature_of_the_sdk_is_good(sas: str) -> None:
    """Every kind of signature that the SDK makes passes, whatever it says besides."""
    check_sas(SasUse(Target(f"{PATH}?{sas}"), "127.0.0.1", NOW), [OTHER, KEY])


@pytest.mark.parametrize("version", ["2015-04-05", "2018-11-09", "2020-12-06"])
@pytest.mark.parametrize("kind", ["sr=b", "ss=b&srt=o"])
def test_signature_of_an_older_version_is_good(version: str, kind: str) -> None:
    """A signature says which version it is of, and is checked by what that version signs."""
    unsigned = f"{PATH}?sv={version}&{kind}&sp=r&se=2026-01-02T13:00:00Z"
    text = string_to_sign(Target(unsigned))
    assert text is not None
    sig = quote(signature(text, KEY), safe="")
    check_sas(SasUse(Target(f"{unsigned}&sig={sig}"), None, NOW), [KEY])


def test_newer_versions_sign_more() -> None:
    """What is signed grows from version to version."""
    texts = [
        string_to_sign(Target(f"{PATH}?sv={version}&skoid=o&sr=b&sig=x")) or ""
        for version in ("2018-11-09", "2020-02-10", "2020-12-06", "2025-07-05", "2026-04-06")
    ]
    assert [text.count("\n") + 1 for text in texts] == [20, 23, 24, 26, 28]


@pytest.mark.parametrize(
    "sas",
    [
        blob_sas(account_key=base64.b64encode(b"foreign").decode()),
        blob_sas().replace("sp=r", "sp=rw"),
        blob_sas().replace("sp=r", "sp=r&sip=127.0.0.1"),
        generate_blob_sas("acct", "vhds", "other.vhd", account_key=KEY, permission="r", expiry=NOW + HOUR),
    ],
)
def test_signature_that_does_not_fit_is_refused(sas: str) -> None:
    """A foreign key, more rights than were signed, and another blob are the same to the service."""
    error = refusal(sas)
    assert (error.status, error.code) == (403, "AuthenticationFailed")
    assert "did not match" in error.detail


@pytest.mark.parametrize(
    ("sas", "at"),
    [
        (blob_sas(), NOW + HOUR),
        (blob_sas(start=NOW), NOW - HOUR),
        (blob_sas(account_key=None, user_delegation_key=delegation_key(), expiry=NOW + 5 * HOUR), NOW + 2 * HOUR),
    ],
)
def test_signature_counts_in_its_time_only(sas: str, at: datetime) -> None:
    """Before its start and from its end on a signature is refused, and so is one whose delegation key is over."""
    error = refusal(sas, at=at)
    assert (error.status, error.code) == (403, "AuthenticationFailed")
    assert "time frame" in error.detail


def test_time_that_is_none_is_refused() -> None:
    """A signature whose times cannot be read is refused, although it is right."""
    assert "well formed" in refusal(blob_sas(expiry="whenever")).detail


def test_signature_counts_from_its_addresses_only() -> None:
    """A request from elsewhere is refused with its address; the source of a copy is asked by the service itself."""
    sas = blob_sas(ip="10.0.0.1-10.0.0.9")
    error = refusal(sas)
    assert (error.status, error.code) == (403, "AuthorizationSourceIPMismatch")
    assert "127.0.0.1" in error.message
    check_sas(SasUse(Target(f"{PATH}?{sas}"), None, NOW), [KEY])


def test_signature_for_plain_http_is_refused() -> None:
    """There is no plain HTTP here."""
    assert refusal(blob_sas(protocol="http")).code == "AuthorizationProtocolMismatch"


@pytest.mark.parametrize("query", ["sv=2014-02-14&sr=b&sig=x", "sig=x", "sv=2026-10-06&sr=d&sdd=1&sig=x"])
def test_unknown_forms_are_left_to_azurite(query: str) -> None:
    """Versions before 2015-04-05 and signatures for folders are not judged here."""
    check_sas(SasUse(Target(f"{PATH}?{query}"), None, NOW), [KEY])


@pytest.mark.parametrize(
    ("address", "allowed", "is_within"),
    [
        ("127.0.0.1", None, True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.0-127.0.0.255", True),
        ("127.0.1.0", "127.0.0.0-127.0.0.255", False),
        ("::1", "127.0.0.1", False),
        ("127.0.0.1", "nonsense", False),
    ],
)
def test_addresses_are_compared_as_numbers(address: str, allowed: str | None, *, is_within: bool) -> None:
    """An address is allowed by itself or by a range."""
    assert is_address_within(address, allowed) is is_within
