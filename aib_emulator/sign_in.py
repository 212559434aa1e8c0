"""Planned refusals of sign-ins: how many, with which of Entra's errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

LOWEST_REFUSAL, HIGHEST_REFUSAL = 400, 599


class SignInRefusalError(ValueError):
    """The description of a refusal makes no sense."""


@dataclass(frozen=True)
class EntraError:
    """Describe one of Entra's errors.

    :param status: the HTTP status
    :param error: OAuth's word
    :param message: what it means, in our own words
    """

    status: int
    error: str
    message: str


ENTRA_ERRORS = {
    700016: EntraError(400, "unauthorized_client", "The application was not found in the directory."),
    7000215: EntraError(401, "invalid_client", "Invalid client secret provided."),
    7000222: EntraError(401, "invalid_client", "The provided client secret keys are expired."),
    700027: EntraError(401, "invalid_client", "The signature of the client assertion could not be verified."),
    7000112: EntraError(400, "unauthorized_client", "The application is disabled."),
    90002: EntraError(400, "invalid_request", "The tenant was not found."),
    53003: EntraError(400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    50196: EntraError(400, "invalid_grant", "A client request loop has been detected."),
    90033: EntraError(503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    90024: EntraError(429, "temporarily_unavailable", "The request budget is exceeded. Please try again later."),
    90099: EntraError(500, "server_error", "The service met an error of its own."),
}
"""Those that a client with a secret or a certificate meets, by number; status and OAuth's word are inferred."""
USUAL = 7000215
TRANSIENT = 90033


@dataclass
class SignInRefusal:
    """Plan that sign-ins are refused.

    :param count: how many
    :param code: Entra's number; 0 takes that of a wrong secret, or of a passing error when the status is 500 or more
    :param status: the HTTP status; 0 takes that of the code
    :param error: OAuth's word; empty takes that of the code
    :param message: what follows the number; empty takes that of the code
    :param retry_after: seconds to send as `Retry-After`; None sends none
    """

    count: int = 1
    code: int = 0
    status: int = 0
    error: str = ""
    message: str = ""
    retry_after: int | None = None
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Fill in what the code says, and refuse what is no refusal."""
        is_servers_fault = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        self.code = self.code or (TRANSIENT if is_servers_fault else USUAL)
        known = ENTRA_ERRORS.get(self.code, EntraError(400, "invalid_request", "The sign-in was refused as planned."))
        self.status = self.status or known.status
        self.error = self.error or known.error
        self.message = self.message or known.message
        if not LOWEST_REFUSAL <= self.status <= HIGHEST_REFUSAL:
            raise SignInRefusalError(f"status={self.status!r} refuses nothing: use 400 to 599.")
        if self.count < 1:
            raise SignInRefusalError(f"count={self.count!r}: refuse one sign-in at least.")

    def headers(self) -> dict[str, str]:
        """Return the headers to answer with."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class SignInRefusals:
    """Keep the planned refusals, and hand them out in the order of their planning."""

    def __init__(self) -> None:
        self._refusals: list[SignInRefusal] = []

    def plan(self, refusal: SignInRefusal) -> SignInRefusal:
        """Add refusals after those that are planned."""
        self._refusals.append(refusal)
        return refusal

    def strike(self) -> SignInRefusal | None:
        """Return how to refuse this sign-in, or None; ask once per sign-in."""
        if not self._refusals:
            return None
        refusal = self._refusals[0]
        refusal.count -= 1
        refusal.struck += 1
        if refusal.count == 0:
            del self._refusals[0]
        return refusal

    def pending(self) -> list[SignInRefusal]:
        """Return the refusals that are to come."""
        return list(self._refusals)

    def clear(self) -> None:
        """Forget all."""
        self._refusals.clear()
