"""Hold the first looks of waits back for a moment, so that those that begin together are looked at together.

No input, no output, no clock of its own. Moments are seconds since the epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_aib.hooks.polling.plan import WantedLook

# After a restart of the triggerer all waits begin within seconds, and each of them alone would cost a request: a first
# look waits until so many seconds have brought no other one, but not longer than that.
QUIET = 1.0
LONGEST_GATHERING = 10.0


@dataclass
class Gathering:
    """Gather first looks; they are due together.

    :param ends_at: when; infinite while there are none
    """

    ends_at: float = math.inf
    _begun_at: float = 0.0
    _looks: list[WantedLook] = field(default_factory=list)

    def take(self, look: WantedLook, now: float) -> None:
        """Take in one more."""
        if not self._looks:
            self._begun_at = now
        self._looks.append(look)
        self.ends_at = min(now + QUIET, self._begun_at + LONGEST_GATHERING)

    def release(self, now: float) -> None:
        """Let them be due, when it is time."""
        if now < self.ends_at:
            return
        for look in self._looks:
            look.due = min(look.due, now)
        self._looks, self.ends_at = [], math.inf
