"""Whether a run that did not simply succeed is good enough, and what its outcome is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

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


def describe_unknown_names(choice: OnPartialSuccess, body: Mapping[str, Any]) -> str:
    """Say which run output names are spoken of that the image template does not have; empty where there are none.

    :param choice: one word for all, or a word for each run output name
    :param body: of the image template
    """
    if not isinstance(choice, Mapping):
        return ""
    distribute = (body.get("properties") or {}).get("distribute") or []
    names = [str(distributor.get("runOutputName", "")) for distributor in distribute]
    known = {EVERY_OTHER, *(name.casefold() for name in names)}
    unknown = [name for name in choice if name.casefold() not in known]
    if not unknown or not names:
        return ""
    return (
        f"on_partial_success speaks of {', '.join(map(repr, unknown))}, and the image template has no such "
        f"runOutputName; it has {', '.join(map(repr, names))}."
    )
