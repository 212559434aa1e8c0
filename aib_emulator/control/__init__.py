"""The control door: start anew, turn the clock, plan what goes wrong, and ask what was asked."""

from __future__ import annotations

from aib_emulator.control.joined import DOOR, routes

__all__ = ["DOOR", "routes"]
