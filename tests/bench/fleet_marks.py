"""What is looked for in a triggerer's log."""

from __future__ import annotations

# Airflow's warning.
BLOCKED = "async thread was blocked"
# Ours, where the measured time begins.
BEGINS = "The measured time begins here."
