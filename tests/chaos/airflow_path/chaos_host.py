"""Gives each of Airflow's processes a host name of its own, as on machines of their own."""

from __future__ import annotations

import os


def host_name() -> str:
    """Return the name that this process was started under."""
    return os.environ["CHAOS_PROGRAM"]
