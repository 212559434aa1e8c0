"""A local Azure in your own tests: pytest finds the fixtures by itself, and starts nothing until one is asked for."""

from __future__ import annotations

from aib_emulator.testing.azure import Azure

__all__ = ["Azure"]
