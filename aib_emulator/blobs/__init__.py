"""Storage accounts of the emulator: one Azurite, the address in front of it, and what builds write into them."""

from __future__ import annotations

from aib_emulator.blobs.azurite import AzuriteError
from aib_emulator.blobs.store import AzuriteBlobStore

__all__ = ["AzuriteBlobStore", "AzuriteError"]
