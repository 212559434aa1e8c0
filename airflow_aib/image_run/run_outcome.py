"""Whether a run that did not simply succeed is good enough, and what its outcome is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from airflow_aib.image_run.choices import EVERY_OTHER, PARTIAL_POLICIES, OnPartialSuccess, PartialPolicy

if TYPE_CHECKING:
    from collections.abc import Collection

RunOutcome = Literal["succeeded", "partly_succeeded", "late_success", "failed"]


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
