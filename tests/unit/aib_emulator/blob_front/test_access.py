from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from aib_emulator.blob_front.access import (
    BlobAccount,
    Credential,
    DataRole,
    DataRoles,
    Gate,
    GateSettings,
    raise_refusal,
)
from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.target import Target
from aib_emulator.tokens import TokenAuthority

if TYPE_CHECKING:
    from collections.abc import Mapping

TENANT = "11111111-1111-4111-8111-111111111111"
STORAGE = "https://storage.azure.com"
BLOB = Target("/acct/c/b")
TOKENS = TokenAuthority(rsa.generate_private_key(public_exponent=65537, key_size=2048))


class AccountTable(dict[str, BlobAccount]):
    """Storage accounts by name."""

    def account(self, name: str) -> BlobAccount | None:
        """Return the account of that name."""
        return self.get(name)


def granted(_: str, object_id: str) -> str:
    """Grant a guest nothing, and everybody else everything."""
    return "none" if object_id == "guest" else "contributor"


def gate(roles: Mapping[str, str] | None = None, **policy: bool) -> Gate:
    """Return a gate before one account `acct`."""
    data_roles = DataRoles(granted)
    for object_id, role in (roles or {}).items():
        data_roles.assign(role, object_id=object_id)
    accounts = AccountTable(acct=BlobAccount("acct", ("a2V5", "a2V5"), **policy))
    settings = GateSettings(TENANT, "https://login.example/t/oauth2/authorize", "seed")
    return Gate(accounts, TOKENS, data_roles, settings)


def bearer(audience: str = STORAGE, object_id: str = "me") -> str:
    """Return an Authorization header with a token."""
    return "Bearer " + TOKENS.issue(tenant_id=TENANT, audience=audience, client_id="app", object_id=object_id)


def refusal(method: str, target: Target, authorization: str | None, at: Gate) -> StorageError:
    """Return how the gate refuses."""
    with pytest.raises(StorageError) as caught:
        at.admit(method, target, authorization)
    return caught.value


@pytest.mark.parametrize("audience", [STORAGE, STORAGE + "/", "https://acct.blob.core.windows.net"])
def test_token_for_storage_is_let_in(audience: str) -> None:
    """Tokens for storage as such and for this very account are good."""
    access = gate().admit("PUT", BLOB, bearer(audience))
    assert access.credential is Credential.BEARER
    assert access.claims["oid"] == "me"


@pytest.mark.parametrize("audience", ["https://management.azure.com", "https://other.blob.core.windows.net"])
def test_token_for_something_else_is_refused_with_a_challenge(audience: str) -> None:
    """Tokens for Resource Manager or another account are answered with where to get a better one."""
    error = refusal("GET", BLOB, bearer(audience), gate())
    assert (error.status, error.code) == (401, "InvalidAuthenticationInfo")
    assert f"resource_id={STORAGE}" in error.headers["WWW-Authenticate"]


def test_token_signed_by_somebody_else_is_refused() -> None:
    """The signature of a token is checked."""
    other = TokenAuthority(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    token = other.issue(tenant_id=TENANT, audience=STORAGE, client_id="app", object_id="me")
    assert refusal("GET", BLOB, f"Bearer {token}", gate()).status == 401


def test_token_of_another_tenant_is_refused() -> None:
    """A token that is good elsewhere opens nothing here, although the same authority has signed it."""
    token = TOKENS.issue(tenant_id="22222222", audience=STORAGE, client_id="app", object_id="me")
    error = refusal("GET", BLOB, f"Bearer {token}", gate())
    assert (error.status, error.code) == (401, "InvalidAuthenticationInfo")
    assert "Issuer" in error.detail


def test_signature_of_another_tenant_is_refused() -> None:
    """A user delegation signature names the tenant of its signer, which must be ours."""
    target = Target("/acct/c/b?sig=x&skoid=me&sks=b&sktid=22222222")
    assert refusal("GET", target, None, gate()).code == "AuthenticationFailed"


@pytest.mark.parametrize(
    ("credential", "version", "status", "code"),
    [
        (Credential.SHARED_KEY, "2026-10-06", 403, "AuthenticationFailed"),
        (Credential.NOTHING, "2019-12-12", 401, "NoAuthenticationInformation"),
        (Credential.NOTHING, "2019-07-07", 404, "ResourceNotFound"),
        (Credential.NOTHING, "", 404, "ResourceNotFound"),
    ],
)
def test_refusals_have_the_services_words(credential: Credential, version: str, status: int, code: str) -> None:
    """What Azurite calls AuthorizationFailure the service calls otherwise, by what the caller came with."""
    with pytest.raises(StorageError) as caught:
        raise_refusal(credential, version, {})
    assert (caught.value.status, caught.value.code) == (status, code)


def test_other_refusals_stay_as_they_are() -> None:
    """Of a signature the service says AuthorizationFailure too: it is of no use for such a call."""
    raise_refusal(Credential.SAS, "2026-10-06", {})


def test_principal_without_data_role_is_refused() -> None:
    """Without a data role a good token is not enough, for reading or writing."""
    error = refusal("GET", BLOB, bearer(), gate({"me": "none"}))
    assert (error.status, error.code) == (403, "AuthorizationPermissionMismatch")


def test_what_is_granted_counts_unless_something_else_is_set() -> None:
    """A principal has the role that is granted to it, and another one as long as that is set."""
    guest = bearer(object_id="guest")
    assert refusal("GET", BLOB, guest, gate()).code == "AuthorizationPermissionMismatch"
    assert gate({"guest": "reader"}).admit("GET", BLOB, guest).claims["oid"] == "guest"


def test_reader_reads_but_does_not_write() -> None:
    """The reader's role lets GET and HEAD in, not PUT."""
    at = gate({"me": "reader"})
    assert at.admit("HEAD", BLOB, bearer()).credential is Credential.BEARER
    assert refusal("PUT", BLOB, bearer(), at).code == "AuthorizationPermissionMismatch"


def test_account_key_is_let_in_for_azurite_to_check() -> None:
    """Account keys and signatures pass the gate."""
    assert gate().admit("GET", BLOB, "SharedKey acct:sig").credential is Credential.SHARED_KEY
    assert gate().admit("GET", Target("/acct/c/b?sig=x"), None).credential is Credential.SAS


@pytest.mark.parametrize(("target", "authorization"), [(BLOB, "SharedKey acct:x"), (Target("/acct/c/b?sig=x"), None)])
def test_account_without_shared_key_refuses_keys_and_what_they_sign(target: Target, authorization: str | None) -> None:
    """Where account keys are switched off, their signatures are as well."""
    error = refusal("GET", target, authorization, gate(allows_shared_key=False))
    assert (error.status, error.code) == (403, "KeyBasedAuthenticationNotPermitted")


def test_signature_of_a_principal_needs_its_role() -> None:
    """A user delegation signature is worth what its signer may do."""
    target = Target(f"/acct/c/b?sig=x&skoid=me&sks=b&sktid={TENANT}")
    assert gate(allows_shared_key=False).admit("GET", target, None).credential is Credential.SAS
    assert refusal("GET", target, None, gate({"me": "none"})).code == "AuthorizationPermissionMismatch"


def test_anonymous_request_is_refused() -> None:
    """Nobody gets in without a credential unless the account permits it."""
    error = refusal("GET", BLOB, None, gate())
    assert (error.status, error.code) == (409, "PublicAccessNotPermitted")
    assert gate(allows_public_access=True).admit("GET", BLOB, None).credential is Credential.NOTHING


def test_unknown_account_does_not_exist() -> None:
    """An account that was never made, or is deleted, is not found."""
    assert refusal("GET", Target("/other/c/b"), bearer(), gate()).code == "ResourceNotFound"


def test_more_exact_role_counts_before_a_general_one() -> None:
    """A role on one account, or of one principal, counts before one for all."""
    roles = DataRoles(granted)
    roles.assign("none")
    roles.assign("reader", account="acct")
    roles.assign("contributor", account="acct", object_id="me")
    assert roles.role("acct", "me") is DataRole.CONTRIBUTOR
    assert roles.role("acct", "you") is DataRole.READER
    assert roles.role("other", "me") is DataRole.NONE
    roles.clear()
    assert roles.may("other", "you", write=True)


def test_token_is_checked_for_each_account_by_itself() -> None:
    """A token that was good for one account is still refused by another one."""
    accounts = AccountTable(acct=BlobAccount("acct", ("a2V5", "a2V5")), other=BlobAccount("other", ("a2V5", "a2V5")))
    at = Gate(accounts, TOKENS, DataRoles(granted), GateSettings(TENANT, "https://login.example/t", "seed"))
    authorization = bearer("https://acct.blob.core.windows.net")
    for _ in range(2):
        assert at.admit("GET", BLOB, authorization).credential is Credential.BEARER
        assert refusal("GET", Target("/other/c/b"), authorization, at).status == 401
