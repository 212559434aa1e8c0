from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import UserDelegationKey

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.storage_access import DELEGATION_LIFE, SIGNATURE_LIFE, StorageAccess
from airflow_aib.hooks.storage_address import BlobAddress
from tests.fakes import FakeClock

ACCOUNT = "https://imagestore.blob.core.windows.net"
BLOB = BlobAddress(ACCOUNT, "images", "disk.vhd")


@dataclass
class FakeClients:
    """Be the way to an account that gives keys to sign with.

    :param asked: when those it was asked for begin and end
    """

    account_keys: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def blob_service(self, account_url: str, **_: Any) -> FakeClients:
        """Be the client for the account as well."""
        assert account_url == ACCOUNT
        return self

    async def get_user_delegation_key(self, start: datetime, end: datetime) -> UserDelegationKey:
        """Give a key for that time."""
        self.asked.append((start, end))
        key = UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK's own
        key.signed_oid = key.signed_tid = "6d9a1c2e-0000-4000-8000-000000000009"
        key.signed_start, key.signed_expiry = start.isoformat(), end.isoformat()
        key.signed_service, key.signed_version = "b", "2021-12-02"
        key.value = b64encode(b"secret").decode()
        return key


def access(clients: FakeClients, clock: FakeClock) -> StorageAccess:
    """Reach the account."""
    return StorageAccess(cast("Any", clients), ACCOUNT, clock=clock)


async def test_the_key_to_sign_with_serves_until_it_would_end_before_a_signature() -> None:
    """A copy of three hours asks for two keys, and no signature outlives the key that it was made with."""
    clients, clock = FakeClients(), FakeClock()
    account = access(clients, clock)
    for _ in range(18):
        address = await account.signed_url(BLOB)
        (expiry,) = parse_qs(urlsplit(address).query)["se"]
        assert clock.now() + SIGNATURE_LIFE == datetime.fromisoformat(expiry) <= clients.asked[-1][1]
        clock.time += timedelta(minutes=10)

    assert len(clients.asked) == 2
    assert clients.asked[0][1] - clients.asked[0][0] > DELEGATION_LIFE


def answer(status: int, code: str = "CannotVerifyCopySource") -> ArmRequestError:
    """Make the destination's answer to a copy whose source has answered so."""
    return ArmRequestError("No", status=status, code=code, trouble="answer")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_source_that_refuses_the_token_is_given_a_signature(status: int) -> None:
    """Once is enough: a source that refuses a signature too is not asked again."""
    account = access(FakeClients(), FakeClock())

    assert account.sign_instead(answer(status))
    assert not account.sign_instead(answer(status))


@pytest.mark.parametrize(
    "error", [answer(503), answer(404), answer(500), answer(409), answer(403, "AuthorizationFailure")]
)
async def test_other_answers_are_no_refusal_of_the_token(error: ArmRequestError) -> None:
    """A source that is busy or gone, and a destination that refuses, are not helped by a signature."""
    account = access(FakeClients(), FakeClock())

    assert not account.sign_instead(error)
    assert account.sign_instead(answer(403))
