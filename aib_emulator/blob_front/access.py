"""Decides who may do what with an account's blobs: bearer tokens, account keys, shared access signatures, nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from aib_emulator.blob_front.delegation import SERVICE, key_of_signature
from aib_emulator.blob_front.errors import NOT_AUTHENTICATED, StorageError
from aib_emulator.blob_front.sas import SasUse, check_sas
from aib_emulator.blob_front.shared_key import SCHEME
from aib_emulator.clock import real_now
from aib_emulator.tokens import TokenError, WrongTenantError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aib_emulator.blob_front.target import Target
    from aib_emulator.tokens import TokenAuthority

STORAGE_AUDIENCES = ("https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1")
BEARER = "bearer "
NO_GOOD_CREDENTIAL = (
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
)
CHALLENGING = "2019-12-12"
"""The service version from which on who comes without any right is asked for a token."""
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EVERY_ACCOUNT = "*"
EVERYBODY = "*"


class DataRole(StrEnum):
    """What a principal may do with blobs; each role includes those before it."""

    NONE = "none"
    READER = "reader"
    CONTRIBUTOR = "contributor"


class Credential(StrEnum):
    """What a request proves its right with."""

    BEARER = "bearer"
    SHARED_KEY = "shared key"
    SAS = "sas"
    NOTHING = "nothing"


@dataclass(frozen=True)
class BlobAccount:
    """A storage account as its blob endpoint sees it.

    :param name: globally unique, 3 to 24 lower-case letters and digits.
    :param keys: key1 and key2, base64.
    :param allows_shared_key: whether account keys, and what they sign, are accepted.
    :param allows_public_access: whether a container may be opened to everybody.
    """

    name: str
    keys: tuple[str, str] = field(repr=False)
    allows_shared_key: bool = True
    allows_public_access: bool = False


class Accounts(Protocol):
    """Where the front looks accounts up."""

    def account(self, name: str) -> BlobAccount | None:
        """Return the account of that name, if there is one."""
        ...


class DataRoles:
    """Know which principal has which role on an account's blobs: the one that was set here, else the one granted.

    :param granted: account name and object id -> the role that is granted
    """

    def __init__(self, granted: Callable[[str, str], str]) -> None:
        self._granted = granted
        self._roles: dict[tuple[str, str], DataRole] = {}

    def assign(self, role: DataRole | str, *, account: str = EVERY_ACCOUNT, object_id: str = EVERYBODY) -> None:
        """Set a principal's role on an account; a more exact setting counts before a general one."""
        self._roles[account, object_id] = DataRole(role)

    def clear(self) -> None:
        """Forget what was set: what is granted counts."""
        self._roles.clear()

    def role(self, account: str, object_id: str) -> DataRole:
        """Return what the principal may do with the account's blobs."""
        for place in (account, EVERY_ACCOUNT):
            for principal in (object_id, EVERYBODY):
                if (place, principal) in self._roles:
                    return self._roles[place, principal]
        return DataRole(self._granted(account, object_id))

    def may(self, account: str, object_id: str, *, write: bool) -> bool:
        """Whether the principal may read the account's blobs, or write them."""
        role = self.role(account, object_id)
        return role is DataRole.CONTRIBUTOR or (role is DataRole.READER and not write)


@dataclass(frozen=True)
class Access:
    """Say with what right a request comes.

    :param credential: what it proved its right with
    :param account: the account that it is about
    :param claims: what the verified token says, for a bearer
    """

    credential: Credential
    account: BlobAccount
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GateSettings:
    """Fix what a gate judges by.

    :param tenant_id: the tenant whose principals the accounts know
    :param authorization_uri: where the challenge sends clients for a token
    :param delegation_seed: what user delegation keys are derived from
    """

    tenant_id: str
    authorization_uri: str
    delegation_seed: str = field(repr=False)


class Gate:
    """Let requests in, or answer them with the service's refusal.

    :param accounts: the accounts there are
    :param tokens: checks bearer tokens
    :param roles: which principal may do what
    :param settings: what else it judges by
    """

    def __init__(self, accounts: Accounts, tokens: TokenAuthority, roles: DataRoles, settings: GateSettings) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._roles = roles
        self._settings = settings

    def admit(self, method: str, target: Target, authorization: str | None, *, address: str | None = None) -> Access:
        """Return the right that a request comes with, or raise StorageError.

        Account keys are not checked here, nor what a signature permits: Azurite does both, with the very same keys.

        :param address: where the request comes from; None for what the service itself asks, the source of a copy
        """
        account = self._account(target)
        write = method not in READING_METHODS
        if authorization is not None and authorization.lower().startswith(BEARER):
            return self._admit_bearer(account, authorization[len(BEARER) :].strip(), write=write)
        if authorization is not None and authorization.startswith(SCHEME.strip()):
            return self._admit_key(account, Credential.SHARED_KEY)
        if target.has_sas:
            return self._admit_sas(account, SasUse(target, address, real_now()), write=write)
        return self._admit_anybody(account)

    def challenge(self) -> dict[str, str]:
        """Return the header that tells a client where to get a token."""
        parts = f"authorization_uri={self._settings.authorization_uri} resource_id={STORAGE_AUDIENCES[0]}"
        return {"WWW-Authenticate": f"Bearer {parts}"}

    def _account(self, target: Target) -> BlobAccount:
        account = self._accounts.account(target.account)
        if account is None:
            raise StorageError(404, "ResourceNotFound", "The specified resource does not exist.")
        return account

    def _admit_bearer(self, account: BlobAccount, token: str, *, write: bool) -> Access:
        audiences = (*STORAGE_AUDIENCES, f"https://{account.name}.blob.core.windows.net")
        try:
            claims = self._tokens.verify(token, audiences, self._settings.tenant_id)
        except WrongTenantError as error:
            raise self._bad_token("Issuer validation failed. Issuer did not match.") from error
        except TokenError as error:
            raise self._bad_token(str(error)) from error
        self._demand_role(account, str(claims.get("oid", "")), write=write)
        return Access(Credential.BEARER, account, claims)

    def _admit_key(self, account: BlobAccount, credential: Credential) -> Access:
        if not account.allows_shared_key:
            message = "Key based authentication is not permitted on this storage account."
            raise StorageError(403, "KeyBasedAuthenticationNotPermitted", message)
        return Access(credential, account)

    def _admit_sas(self, account: BlobAccount, use: SasUse, *, write: bool) -> Access:
        query = use.target.query
        delegator = query.get("skoid")
        if delegator is None:
            access = self._admit_key(account, Credential.SAS)
            check_sas(use, account.keys)
            return access
        if query.get("sktid") != self._settings.tenant_id or query.get("sks") != SERVICE:
            raise StorageError(
                403, "AuthenticationFailed", NOT_AUTHENTICATED, detail="Signature fields not well formed."
            )
        check_sas(use, [key_of_signature(query, self._settings.delegation_seed)])
        self._demand_role(account, delegator, write=write)
        return Access(Credential.SAS, account)

    def _admit_anybody(self, account: BlobAccount) -> Access:
        if not account.allows_public_access:
            message = "Public access is not permitted on this storage account."
            raise StorageError(409, "PublicAccessNotPermitted", message)
        return Access(Credential.NOTHING, account)

    def _demand_role(self, account: BlobAccount, object_id: str, *, write: bool) -> None:
        if not self._roles.may(account.name, object_id, write=write):
            message = "This request is not authorized to perform this operation using this permission."
            raise StorageError(403, "AuthorizationPermissionMismatch", message)

    def _bad_token(self, detail: str) -> StorageError:
        return StorageError(
            401, "InvalidAuthenticationInfo", NO_GOOD_CREDENTIAL, headers=self.challenge(), detail=detail
        )


def raise_refusal(credential: Credential, version: str, challenge: Mapping[str, str]) -> None:
    """Say in the service's words what Azurite calls AuthorizationFailure, where the service calls it otherwise.

    :param version: the service version that the caller speaks
    :param challenge: the header that tells a client where to get a token
    """
    if credential is Credential.SHARED_KEY:
        raise StorageError(403, "AuthenticationFailed", NOT_AUTHENTICATED)
    if credential is Credential.NOTHING and version >= CHALLENGING:
        raise StorageError(401, "NoAuthenticationInformation", NO_GOOD_CREDENTIAL, headers=challenge)
    if credential is Credential.NOTHING:
        raise StorageError(404, "ResourceNotFound", "The specified resource does not exist.")
