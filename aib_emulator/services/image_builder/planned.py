"""What a planned failure means for one run: the fault in its course, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.messages import distribution_failure
from aib_emulator.services.image_builder.words import Words

if TYPE_CHECKING:
    from aib_emulator.failures import PlannedFailure
    from aib_emulator.services.image_builder.rights import Denial

PLATFORM_IMAGE_GONE = (
    "The platform image '{image}' is not available. Verify that all fields in the storage profile are correct. "
    'Code="PlatformImageNotFound"'
)
SOURCE_GONE = {
    "ManagedImage": (
        "Build (Managed Image) step failed: Error getting Managed Image '{image}': "
        'StatusCode=404 -- Original Error: Code="ResourceNotFound"'
    ),
    "SharedImageVersion": (
        "Build (Shared Image Version) step failed for Image Version '{image}': Error getting Image Version: "
        'StatusCode=404 -- Original Error: Code="ResourceNotFound"'
    ),
}


@dataclass(frozen=True)
class RunPlan:
    """Say how one run is going to go.

    :param fault: what goes wrong in its course; None goes well
    :param words: what it says then
    """

    fault: PlannedFault | None
    words: Words


def plan_of(failure: PlannedFailure | None, properties: dict[str, Any], log_form: str) -> RunPlan:
    """Return how the next run goes.

    :param properties: of the image template
    :param log_form: of its log, unless the failure says otherwise
    """
    if failure is None:
        return RunPlan(None, Words(log_form=log_form))
    form = failure.log_form or log_form
    if failure.kind == "withdrawn_source":
        return withdrawn_source(properties, form)
    index, *more = failure.indexes or [failure.index]
    fault = PlannedFault(failure.kind, index, tuple(more), failure.seconds)
    words = Words(
        failure.exit_code,
        output=tuple(map(str, failure.output)),
        code=failure.code,
        message=failure.message,
        log_form=form,
    )
    return RunPlan(fault, words)


def denied(denial: Denial, properties: dict[str, Any], log_form: str) -> RunPlan:
    """Return the run of an image template whose identity lacks a right."""
    if not denial.distributors:
        return RunPlan(PlannedFault("refused"), Words(message=denial.message, log_form=log_form))
    first, *more = denial.distributors
    message = distribution_failure(len(denial.distributors), len(properties["distribute"]), denial.message)
    return RunPlan(PlannedFault("partial", first, tuple(more)), Words(message=message, log_form=log_form))


def withdrawn_source(properties: dict[str, Any], log_form: str) -> RunPlan:
    """Return the run of an image template whose source is there no more."""
    source = properties["source"]
    if source["type"] == "PlatformImage":
        names = (source[name] for name in ("publisher", "offer", "sku", "exactVersion"))
        ending = PLATFORM_IMAGE_GONE.format(image=":".join(names))
        return RunPlan(PlannedFault("deploy"), Words(ending=ending, log_form=log_form))
    image = source.get("imageId") or source.get("exactVersion") or source["imageVersionId"]
    message = SOURCE_GONE[source["type"]].format(image=image)
    return RunPlan(PlannedFault("refused"), Words(message=message, log_form=log_form))


def lost_staging_group(log_form: str, message: str) -> RunPlan:
    """Return the run of an image template whose staging group somebody has deleted."""
    return RunPlan(PlannedFault("refused"), Words(message=message, log_form=log_form))
