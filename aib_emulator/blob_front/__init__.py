"""The emulated blob endpoint: checks who asks, does what Azurite cannot, and passes on the rest byte for byte."""

from __future__ import annotations

from aib_emulator.blob_front.access import BlobAccount, DataRoles, GateSettings
from aib_emulator.blob_front.app import FrontParts, blob_front
from aib_emulator.blob_front.backend import EMULATED_TIME, Backend
from aib_emulator.blob_front.pending_copies import CopyPace, PendingCopies, PendingCopy
from aib_emulator.blob_front.rate_limits import BlobLimits, RateLimiter
from aib_emulator.blob_front.source import SourceState
from aib_emulator.blob_front.target import Target
from aib_emulator.blob_front.traffic import traffic_middleware

__all__ = [
    "EMULATED_TIME",
    "Backend",
    "BlobAccount",
    "BlobLimits",
    "CopyPace",
    "DataRoles",
    "FrontParts",
    "GateSettings",
    "PendingCopies",
    "PendingCopy",
    "RateLimiter",
    "SourceState",
    "Target",
    "blob_front",
    "traffic_middleware",
]
