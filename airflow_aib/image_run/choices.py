"""What users may decide about runs; it loads nothing else, since DAG files load it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

# Seconds between two looks, where nobody has chosen otherwise.
DEFAULT_POLL_INTERVAL = 30.0

# About a run that goes on and is not the task's own.
IfRunning = Literal["wait", "adopt", "cancel", "fail"]
IF_RUNNING: tuple[IfRunning, ...] = get_args(IfRunning)

# All lines of the customization log, those that say how the build goes on, or none.
RelayLevel = Literal["full", "summary", "off"]
RELAY_LEVELS: tuple[RelayLevel, ...] = get_args(RelayLevel)

# How a run may end.
FinalState = Literal["Succeeded", "PartiallySucceeded", "Failed", "Canceled"]
FINAL_STATES: tuple[FinalState, ...] = get_args(FinalState)

PartialPolicy = Literal["fail", "warn", "succeed"]
# From the mildest to the strictest.
PARTIAL_POLICIES: tuple[PartialPolicy, ...] = ("succeed", "warn", "fail")
# What is said of the distributors that are not named, and of a run that lacks something else than an image.
EVERY_OTHER = "*"

OnPartialSuccess = PartialPolicy | Mapping[str, PartialPolicy]


def require_policy(choice: Any) -> OnPartialSuccess:
    """Give the choice back, or say what is wrong with it."""
    policies = list(choice.values()) if isinstance(choice, Mapping) else [choice]
    names = list(choice) if isinstance(choice, Mapping) else []
    wrong = [policy for policy in policies if policy not in PARTIAL_POLICIES]
    wrong += [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ValueError(
            f"on_partial_success has {', '.join(map(repr, wrong))}; it must be 'fail', 'warn' or 'succeed', or such a "
            f"word for each runOutputName, with '{EVERY_OTHER}' for all others"
        )
    policy: OnPartialSuccess = choice
    return policy
