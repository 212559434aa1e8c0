"""Whether a run that did not simply succeed is good enough, and what its outcome is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection

PartialPolicy = Literal["fail", "warn", "succeed"]
# From the mildest to the strictest.
PARTIAL_POLICIES: tuple[PartialPolicy, ...] = ("succeed", "warn", "fail")
# What is said of the distributors that are not named, and of a run that lacks something else than an image.
EVERY_OTHER = "*"

OnPartialSuccess = PartialPolicy | Mapping[str, PartialPolicy]

RunOutcome = Literal["succeeded", "partly_succeeded", "late_success", "failed"]
RUN_OUTCOMES: tuple[RunOutcome, ...] = get_args(RunOutcome)


def require_policy(choice: Any) -> OnPartialSuccess:
    """Give the choice back, or say what is wrong with it."""
    policies = list(choice.values()) if isinstance(choice, Mapping) else [choice]
    wrong = [policy for policy in policies if policy not in PARTIAL_POLICIES]
    if wrong:
        raise ValueError(
            f"on_partial_success has {', '.join(map(repr, wrong))}; it must be 'fail', 'warn' or 'succeed', or such a "
            f"word for each runOutputName, with '{EVERY_OTHER}' for all others"
        )
    policy: OnPartialSuccess = choice
    return policy


def judge_partial_success(choice: OnPartialSuccess, missing: Collection[str]) -> PartialPolicy:
    """Give the strictest of what is said about what is missing.

    :param choice: one word for all, or a word for each run output name; who is named nowhere must not be missing
    :param missing: names of the distributors that have given no image; a run that succeeded only partly although it
        lacks none has another reason, which no distributor's word accepts
    """
    if not isinstance(choice, Mapping):
        return choice
    words = {name.casefold(): policy for name, policy in choice.items()}
    rest = words.get(EVERY_OTHER, "fail")
    return max((words.get(name.casefold(), rest) for name in missing), key=PARTIAL_POLICIES.index, default=rest)
