"""How much one blob bears: requests and bytes per second, beyond which storage is busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.page_ranges import read_range

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aib_emulator.blob_front.target import Target


@dataclass(frozen=True)
class BlobLimits:
    """What one blob bears in a second of emulated time; None is without limit.

    :param requests_per_second: of any kind
    :param bytes_per_second: of bodies, either way, and of what is copied
    :param retry_after: seconds to name in `Retry-After`
    """

    requests_per_second: float | None = None
    bytes_per_second: float | None = None
    retry_after: int = 1


@dataclass
class _Allowance:
    """What is left of a second's worth, at an instant."""

    requests: float
    volume: float
    at: datetime


class RateLimiter:
    """Refuse what is too much for a blob; at first nothing is."""

    def __init__(self) -> None:
        self._limits = BlobLimits()
        self._allowances: dict[str, _Allowance] = {}

    def set(self, limits: BlobLimits) -> None:
        """Begin anew with other limits."""
        self._limits = limits
        self._allowances.clear()

    def admit(self, target: Target, volume: int, now: datetime) -> None:
        """Count a request to a blob, or refuse it.

        A request passes while anything is left of the second's worth, however large it is; what it takes too much is
        missing afterwards.
        """
        limits = self._limits
        if not target.blob or (limits.requests_per_second is None and limits.bytes_per_second is None):
            return
        left = self._allowance(target.raw_path, now)
        if (limits.requests_per_second is not None and left.requests < 1) or (
            limits.bytes_per_second is not None and left.volume <= 0
        ):
            message = "The server is currently unable to receive requests. Please retry your request."
            raise StorageError(503, "ServerBusy", message, headers={"Retry-After": str(limits.retry_after)})
        left.requests -= 1
        left.volume -= volume

    def _allowance(self, path: str, now: datetime) -> _Allowance:
        """Return what is left for a blob, filled up with what has passed since the last request."""
        requests = self._limits.requests_per_second or 0.0
        volume = self._limits.bytes_per_second or 0.0
        left = self._allowances.setdefault(path, _Allowance(max(requests, 1.0), volume, now))
        elapsed = max((now - left.at).total_seconds(), 0.0)
        left.requests = min(left.requests + elapsed * requests, max(requests, 1.0))
        left.volume = min(left.volume + elapsed * volume, volume)
        left.at = now
        return left


def request_volume(headers: Mapping[str, str]) -> int:
    """Return how many bytes a request sends, copies, or asks for by a range."""
    length = headers.get("Content-Length", "")
    sent = int(length) if length.isascii() and length.isdigit() else 0
    ranges = (headers.get(name) for name in ("x-ms-source-range", "x-ms-range", "Range"))
    named = next((pages for pages in map(read_range, ranges) if pages is not None), None)
    return max(sent, named.length if named else 0)
