"""Access tokens: signed by the emulator's key, checked by everything that is asked."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from aib_emulator.clock import real_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from jwt.types import Options

LIFETIME = 3599
"""Seconds that a token is good for, unless another time is set."""
LONGEST_LIFETIME = 86_400
ISSUED = "emulator_issued"
"""The claim that tells tokens of one second apart."""
NOT_BEFORE_SLACK = 300
ISSUER = "https://sts.windows.net/{}/"
KEPT_TOKENS = 1000
"""Verified tokens that are remembered: checking a signature takes longer than most answers."""
CHECKED: Options = {
    "require": ["exp", "iat", "nbf", "iss", "aud", "tid"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}
"""PyJWT would look at the real clock, which this authority may differ from."""


class TokenError(Exception):
    """A bearer token is not good here.

    :param is_foreign: whether another key signed it, so that a new token would help
    """

    def __init__(self, message: str, *, is_foreign: bool = False) -> None:
        super().__init__(message)
        self.is_foreign = is_foreign


class WrongTenantError(TokenError):
    """A good token was issued in another tenant than the one that is asked.

    :param issuer: who says to have issued it
    """

    def __init__(self, issuer: str) -> None:
        super().__init__(f"The access token is from the wrong issuer '{issuer}'.")
        self.issuer = issuer


class TokenAuthority:
    """Sign tokens and check them.

    Tokens live by the real clock: so do the clients that keep them.

    :param key: the RSA key to sign with
    :param skew: returns by how much the service's clocks are ahead of those of its clients
    """

    def __init__(self, key: rsa.RSAPrivateKey, skew: Callable[[], timedelta] = timedelta) -> None:
        self._first_key = key
        self._skew = skew
        self.reset()

    def reset(self) -> None:
        """Go back to the first key and the usual lifetime; every token of that key is good again."""
        self._use(self._first_key)
        self.lifetime = LIFETIME
        self._good_from = 0.0

    def expire_all(self) -> None:
        """Let every token that was issued so far be over."""
        self._good_from = self._now().timestamp()

    def rotate(self) -> None:
        """Sign with a new key from now on; tokens of the old one are good no more."""
        self._use(_new_key())

    def _use(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self._signed_tokens: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id = hashlib.sha256(public).hexdigest()[:27]

    def _now(self) -> datetime:
        return real_now() + self._skew()

    @classmethod
    def from_folder(cls, folder: Path, skew: Callable[[], timedelta] = timedelta) -> TokenAuthority:
        """Use the key in `folder`, made at the first time, so that clients' tokens outlive a restart."""
        file = folder / "token-signing.key"
        if file.exists():
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
            if not isinstance(key, rsa.RSAPrivateKey):
                raise TypeError(f"{file} holds no RSA key. Delete it to have a new one made.")
            return cls(key, skew)
        key = _new_key()
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cls(key, skew)

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as Entra publishes its keys."""
        key: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**key, "kid": self.key_id, "use": "sig"}

    def issue(self, *, tenant_id: str, audience: str, client_id: str, object_id: str) -> str:
        """Sign a token for an application, shaped as Entra's version 1.0 is."""
        issued = self._now().timestamp()
        now = int(issued)
        claims = {
            "aud": audience,
            "iss": ISSUER.format(tenant_id),
            "iat": now,
            "nbf": now - NOT_BEFORE_SLACK,
            "exp": now + self.lifetime,
            "appid": client_id,
            "appidacr": "1",
            "idp": ISSUER.format(tenant_id),
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": tenant_id,
            "ver": "1.0",
            ISSUED: issued,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def verify(self, token: str, audiences: Iterable[str], tenant_id: str) -> dict[str, Any]:
        """Return the claims of a good token, or raise TokenError.

        :param audiences: those that it may be for, which count with and without a final slash
        :param tenant_id: the tenant that it must have been issued in
        """
        claims = self._signed(token, tuple(audiences))
        self._check_times(claims)
        if (claims["tid"], claims["iss"]) != (tenant_id, ISSUER.format(tenant_id)):
            raise WrongTenantError(claims["iss"])
        return claims

    def _signed(self, token: str, audiences: tuple[str, ...]) -> dict[str, Any]:
        """Return the claims of a token that our key has signed; the same one is shown again and again."""
        known = self._signed_tokens.get((token, audiences))
        if known is None:
            if len(self._signed_tokens) >= KEPT_TOKENS:
                self._signed_tokens.clear()
            known = self._signed_tokens[token, audiences] = self._decoded(token, audiences)
        return known

    def _decoded(self, token: str, audiences: tuple[str, ...]) -> dict[str, Any]:
        accepted = {form for audience in audiences for form in (audience.rstrip("/"), audience.rstrip("/") + "/")}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=accepted,
                options=CHECKED,
            )
        except jwt.InvalidSignatureError as error:
            raise TokenError("The access token was signed by another key.", is_foreign=True) from error
        except jwt.InvalidAudienceError as error:
            raise TokenError("The access token has been obtained for another audience.") from error
        except jwt.InvalidTokenError as error:
            raise TokenError(f"The access token is invalid: {error}.") from error
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now().timestamp()
        if claims["exp"] <= now or claims.get(ISSUED, claims["iat"]) < self._good_from:
            raise TokenError("The access token has expired.", is_foreign=True)
        if claims["nbf"] > now:
            raise TokenError("The access token is not valid yet.")


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
