"""Keeps the planned faults, and says which of them strikes a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.caller import NOBODY

if TYPE_CHECKING:
    from aib_emulator.caller import Caller
    from aib_emulator.faults.fault import Fault

KEPT = 1000
"""How many faults are remembered; beyond that the oldest that are used up are forgotten."""


class Faults:
    """Keep the planned faults and hand out their strikes."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def plan(self, fault: Fault) -> Fault:
        """Add a fault."""
        self._faults[fault.fault_id] = fault
        if len(self._faults) > KEPT:
            used_up = next((known for known in self._faults.values() if not known.has_strikes_left), None)
            if used_up is not None:
                del self._faults[used_up.fault_id]
        return fault

    def strike(self, method: str, path: str, caller: Caller = NOBODY) -> Fault | None:
        """Return the fault that strikes this call, and count the strike; ask once per call."""
        return next((fault for fault in self._faults.values() if fault.strikes(method, path, caller)), None)

    def all(self) -> list[Fault]:
        """Return the faults, the oldest first, those that are used up among them."""
        return list(self._faults.values())

    def pending(self) -> list[Fault]:
        """Return the faults that have strikes left."""
        return [fault for fault in self.all() if fault.has_strikes_left]

    def find(self, fault_id: str) -> Fault | None:
        """Return the fault of that id."""
        return self._faults.get(fault_id)

    def remove(self, fault_id: str) -> bool:
        """Forget one fault, and say whether there was such a one."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Forget all."""
        self._faults.clear()
