"""Planned faults of the transport: which calls are answered badly, late, or not at all."""

from __future__ import annotations

from aib_emulator.faults.fault import ACTIONS, Fault, FaultError
from aib_emulator.faults.plans import Faults
from aib_emulator.faults.spoil import answer_under

__all__ = ["ACTIONS", "Fault", "FaultError", "Faults", "answer_under"]
