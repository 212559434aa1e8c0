"""Decides who may do what with an account's blobs: bearer tokens, account keys, shared access signatures, nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.shared_key import SCHEME
from aib_emulator.tokens import TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aib_emulator.blob_front.target import Target
    from aib_emulator.tokens import TokenAuthority

STORAGE_AUDIENCES = ("https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1")
BEARER = "bearer "
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EVERYBODY = "*"
EVERY_ACCOUNT = "*"


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


class Gate:
    """Let requests in, or answer them with the service's refusal.

    :param accounts: the accounts there are
    :param tokens: checks bearer tokens
    :param roles: which principal may do what
    :param authorization_uri: where the challenge sends clients for a token
    """

    def __init__(self, accounts: Accounts, tokens: TokenAuthority, roles: DataRoles, authorization_uri: str) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._roles = roles
        self._authorization_uri = authorization_uri

    def admit(self, method: str, target: Target, authorization: str | None) -> Access:
        """Return the right that a request comes with, or raise StorageError.

        Account keys and signatures are not checked here: Azurite does, with the very same keys.
        """
        account = self._account(target)
        write = method not in READING_METHODS
        if authorization is not None and authorization.lower().startswith(BEARER):
            return self._admit_bearer(account, authorization[len(BEARER) :].strip(), write=write)
        if authorization is not None and authorization.startswith(SCHEME.strip()):
            return self._admit_key(account, Credential.SHARED_KEY)
        if target.has_sas:
            return self._admit_sas(account, target, write=write)
        return self._admit_anybody(account)

    def _account(self, target: Target) -> BlobAccount:
        account = self._accounts.account(target.account)
        if account is None:
            raise StorageError(404, "ResourceNotFound", "The specified resource does not exist.")
        return account

    def _admit_bearer(self, account: BlobAccount, token: str, *, write: bool) -> Access:
        audiences = (*STORAGE_AUDIENCES, f"https://{account.name}.blob.core.windows.net")
        try:
            claims = self._tokens.verify(token, audiences)
        except TokenError as error:
            message = f"Server failed to authenticate the request. {error}"
            raise StorageError(401, "InvalidAuthenticationInfo", message, headers=self._challenge()) from error
        self._demand_role(account, str(claims.get("oid", "")), write=write)
        return Access(Credential.BEARER, account, claims)

    def _admit_key(self, account: BlobAccount, credential: Credential) -> Access:
        if not account.allows_shared_key:
            message = "Key based authentication is not permitted on this storage account."
            raise StorageError(403, "KeyBasedAuthenticationNotPermitted", message)
        return Access(credential, account)

    def _admit_sas(self, account: BlobAccount, target: Target, *, write: bool) -> Access:
        delegator = target.query.get("skoid")
        if delegator is None:
            return self._admit_key(account, Credential.SAS)
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

    def _challenge(self) -> dict[str, str]:
        parts = f"authorization_uri={self._authorization_uri} resource_id={STORAGE_AUDIENCES[0]}"
        return {"WWW-Authenticate": f"Bearer {parts}"}
