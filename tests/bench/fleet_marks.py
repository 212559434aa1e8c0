"""What is looked for in a triggerer's log."""

from __future__ import annotations

# Airflow's warning.
BLOCKED = "async thread was blocked"
# Ours, where the measured time begins.
BEGINS = "The measured time begins here."
# Where it is over, and what comes is no figure of the waits.
ENDS = "The measured time ends here."
