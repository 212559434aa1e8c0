"""What was asked of the emulator, for tests that count calls."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000


@dataclass(frozen=True)
class RecordedRequest:
    """Remember one call.

    :param method: HTTP method
    :param path: path, without the query: that may hold signatures
    :param client: the user agent
    :param status: what was answered; 0 when the connection was dropped
    :param time: the emulated instant, ISO 8601
    :param endpoint: `arm` or `blob`
    :param fault_id: the planned fault that struck it, if any
    """

    method: str
    path: str
    client: str
    status: int
    time: str
    endpoint: str = "arm"
    fault_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the control door shows it."""
        return asdict(self)


class RequestRecord:
    """Keep the last calls."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=KEPT)

    def add(self, request: RecordedRequest) -> None:
        """Remember a call."""
        self._requests.append(request)

    def all(self) -> list[RecordedRequest]:
        """Return the calls, oldest first."""
        return list(self._requests)

    def clear(self) -> None:
        """Forget all."""
        self._requests.clear()
