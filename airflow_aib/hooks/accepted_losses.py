"""What a user lets go with an image template; a module of its own, since DAG files load it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AcceptedLosses:
    """Say what may be lost when an image template goes away.

    :param cancel_running: a run that goes on is cancelled, and its log given up
    :param discard_vhds: VHDs that have not been copied
    :param discard_logs: a customization log that has not been archived
    """

    cancel_running: bool = False
    discard_vhds: bool = False
    discard_logs: bool = False
