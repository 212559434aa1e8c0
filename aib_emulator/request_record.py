"""What was asked of the emulator, for tests and benchmarks that count calls, connections and sign-ins."""

from __future__ import annotations

import re
import weakref
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.expressions import check_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = 20_000
"""How many calls are remembered; of older ones only their number is."""
COUNTED_BY = ("call", "client", "endpoint", "method", "path", "status")


class RequestFilterError(ValueError):
    """What was asked of the record makes no sense."""


@dataclass(frozen=True)
class RecordedRequest:
    """Remember one call.

    :param method: HTTP method
    :param path: path, without the query: that may hold signatures
    :param client: the user agent
    :param status: what was answered; 0 when the connection was dropped
    :param time: the emulated instant, ISO 8601
    :param call: method and path with its names in braces, alike for all calls of a kind
    :param application_id: the application that called, as far as the call told
    :param endpoint: `arm` or `blob`
    :param fault_id: the planned fault that struck it, if any
    :param volume: bytes that a call to the blob endpoint sent, had copied, or asked for by a range
    """

    method: str
    path: str
    client: str
    status: int
    time: str
    call: str = ""
    application_id: str = ""
    endpoint: str = "arm"
    fault_id: str | None = None
    volume: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as the control door shows it."""
        return asdict(self)


@dataclass(frozen=True)
class RequestFilter:
    """Say which calls are wanted; what is empty does not matter.

    :param client: an application id, or an expression that is searched for in the user agent
    :param method: HTTP method
    :param path: an expression that is searched for in the path
    :param status: `404`, or `4xx` for a hundred of them
    :param endpoint: `arm` or `blob`
    """

    client: str = ""
    method: str = ""
    path: str = ""
    status: str = ""
    endpoint: str = ""

    def __post_init__(self) -> None:
        """Refuse what could fit nothing."""
        for name in ("client", "path"):
            try:
                check_expression(name, getattr(self, name))
            except ValueError as error:
                raise RequestFilterError(str(error)) from error
        if self.status and not re.fullmatch(r"\d{3}|[1-5]xx|0", self.status):
            raise RequestFilterError(f"status={self.status!r}: write 404, 4xx, or 0 for dropped connections.")

    def fits(self, request: RecordedRequest) -> bool:
        """Whether a call is wanted."""
        return (
            self._fits_client(request)
            and self.method.upper() in {"", request.method}
            and re.search(self.path, request.path, re.IGNORECASE) is not None
            and self.status in {"", str(request.status), f"{request.status // 100}xx"}
            and self.endpoint in {"", request.endpoint}
        )

    def _fits_client(self, request: RecordedRequest) -> bool:
        is_named = bool(self.client) and self.client.lower() == request.application_id.lower()
        return is_named or re.search(self.client, request.client, re.IGNORECASE) is not None


EVERY = RequestFilter()


@dataclass
class ConnectionCount:
    """Count the connections to one endpoint that carried a call.

    :param connections: how many
    :param resumed: how many of them resumed a TLS session; the others made a full handshake
    """

    connections: int = 0
    resumed: int = 0

    def to_json(self) -> dict[str, int]:
        """Return it as the control door shows it."""
        full = self.connections - self.resumed
        return {"connections": self.connections, "full_handshakes": full, "resumed_handshakes": self.resumed}


class RequestRecord:
    """Keep the last calls, and count what carried them.

    :param kept: how many are remembered
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=kept)
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()
        self.clear()

    def add(self, request: RecordedRequest, connection: Any = None, *, is_sign_in: bool = False) -> None:
        """Remember a call.

        :param connection: the TLS connection that it came by
        :param is_sign_in: whether it asked for a token
        """
        self._requests.append(request)
        self._total += 1
        self._token_requests += is_sign_in
        if connection is not None and connection not in self._known:
            self._known.add(connection)
            count = self._connections.setdefault(request.endpoint, ConnectionCount())
            count.connections += 1
            count.resumed += bool(connection.session_reused)

    def all(self) -> list[RecordedRequest]:
        """Return the calls, oldest first."""
        return list(self._requests)

    def fitting(self, wanted: RequestFilter = EVERY) -> list[RecordedRequest]:
        """Return the calls that are wanted, oldest first."""
        return [request for request in self._requests if wanted.fits(request)]

    def forgotten(self) -> int:
        """Return how many calls are remembered no more."""
        return self._total - len(self._requests)

    def connections(self) -> dict[str, Any]:
        """Return how many connections carried calls, and how many tokens were asked for."""
        counts = {name: self._connections.get(name, ConnectionCount()).to_json() for name in ("arm", "blob")}
        return {**counts, "token_requests": self._token_requests}

    def clear(self) -> None:
        """Forget all; connections that are open already are not counted again."""
        self._requests.clear()
        self._connections: dict[str, ConnectionCount] = {}
        self._total = self._token_requests = 0


def counted(requests: Iterable[RecordedRequest], by: str) -> dict[str, int]:
    """Return how many calls there are of each kind, the most frequent first.

    :param by: one of `COUNTED_BY`
    """
    if by not in COUNTED_BY:
        raise RequestFilterError(f"count by {by!r}: use one of {', '.join(COUNTED_BY)}.")
    return dict(Counter(str(getattr(request, by)) for request in requests).most_common())
