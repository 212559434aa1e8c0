"""What a planned failure means for one run or creation: the fault in its course, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.failure_catalogue import CATALOGUE
from aib_emulator.services.image_builder.messages import GENERIC, STAGING_GONE, STAGING_TAGS, distribution_failure
from aib_emulator.services.image_builder.pending import CreationError
from aib_emulator.services.image_builder.words import Words

if TYPE_CHECKING:
    from aib_emulator.failures import PlannedFailure
    from aib_emulator.services.image_builder.failure_catalogue import CataloguedFailure
    from aib_emulator.services.image_builder.resources import ImageTemplate
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


def plan_of(failure: PlannedFailure | None, image_template: ImageTemplate, log_form: str) -> RunPlan:
    """Return how the next run goes.

    :param log_form: of its log, unless the failure says otherwise
    """
    if failure is None:
        return RunPlan(None, Words(log_form=log_form))
    form = failure.log_form or log_form
    if failure.kind == "withdrawn_source":
        return withdrawn_source(image_template, form)
    if failure.kind == "catalogue":
        return _catalogued(CATALOGUE[failure.name], failure, image_template, form)
    index, *more = failure.indexes or [failure.index]
    fault = PlannedFault(failure.kind, index, tuple(more), failure.seconds)
    output = tuple(map(str, failure.output))
    words = Words(failure.exit_code, output, code=failure.code, message=failure.message, log_form=form)
    return RunPlan(fault, words)


def denied(denial: Denial, image_template: ImageTemplate, log_form: str) -> RunPlan:
    """Return the run of an image template whose identity lacks a right."""
    if not denial.distributors:
        return RunPlan(PlannedFault("refused"), Words(message=denial.message, log_form=log_form))
    first, *more = denial.distributors
    total = len(image_template.properties["distribute"])
    message = distribution_failure(len(denial.distributors), total, denial.message)
    return RunPlan(PlannedFault("partial", first, tuple(more)), Words(message=message, log_form=log_form))


def withdrawn_source(image_template: ImageTemplate, log_form: str) -> RunPlan:
    """Return the run of an image template whose source is there no more."""
    kind, image = image_template.properties["source"]["type"], image_template.source_name
    if kind == "PlatformImage":
        words = Words(ending=PLATFORM_IMAGE_GONE.format(image=image), log_form=log_form)
        return RunPlan(PlannedFault("deploy"), words)
    return RunPlan(PlannedFault("refused"), Words(message=SOURCE_GONE[kind].format(image=image), log_form=log_form))


def lost_staging_group(image_template: ImageTemplate, log_form: str) -> RunPlan:
    """Return the run of an image template whose staging group somebody has deleted."""
    group_id = image_template.staging_group_id
    message = STAGING_GONE.format(group="" if group_id is None else group_id.name)
    return RunPlan(PlannedFault("refused"), Words(message=message, log_form=log_form))


def foreign_staging_group(image_template: ImageTemplate, log_form: str) -> RunPlan:
    """Return the run of an image template whose staging group has lost the tags that name the image template."""
    group_id = image_template.staging_group_id
    message = STAGING_TAGS.format(group="" if group_id is None else group_id.name)
    return RunPlan(PlannedFault("refused"), Words(message=message, log_form=log_form))


def creation_error(failure: PlannedFailure, image_template: ImageTemplate) -> CreationError:
    """Return how a creation fails."""
    if failure.kind != "catalogue":
        return CreationError(failure.code or "ServerError", failure.message or GENERIC)
    entry = CATALOGUE[failure.name]
    message = failure.message or _worded(entry.message or GENERIC, image_template)
    return CreationError(failure.code or entry.code or "ServerError", message, operation_code=entry.operation_code)


def _catalogued(
    entry: CataloguedFailure, failure: PlannedFailure, image_template: ImageTemplate, log_form: str
) -> RunPlan:
    message = None if entry.message is None else _worded(entry.message, image_template)
    words = Words(
        failure.exit_code,
        output=tuple(map(str, failure.output)) or entry.output,
        is_endless=entry.is_endless,
        notes=entry.notes,
        ending=entry.ending,
        clean_up=entry.clean_up,
        code=failure.code or entry.code,
        message=failure.message or message,
        opening=entry.opening,
        log_form=log_form,
    )
    index = _customizer(entry, image_template.properties) if entry.customizer else None
    fault = PlannedFault(entry.course, failure.index if index is None else index, seconds=failure.seconds)
    return RunPlan(fault, words)


def _customizer(entry: CataloguedFailure, properties: dict[str, Any]) -> int | None:
    types = [customizer["type"] for customizer in properties.get("customize") or []]
    return types.index(entry.customizer) if entry.customizer in types else None


def _worded(text: str, image_template: ImageTemplate) -> str:
    own, properties = image_template.image_template_id, image_template.properties
    steps = properties.get("customize") or []
    distributor = properties["distribute"][0]
    scripts = [step.get("scriptUri") or step.get("sourceUri") for step in steps]
    return text.format(
        source=image_template.source_name,
        resource=distributor.get("galleryImageId") or distributor.get("imageId") or own,
        script=str(next(filter(None, scripts), "https://example.com/script.sh")).partition("?")[0],
        identity=next(iter(image_template.identity.get("userAssignedIdentities") or {}), ""),
        principal="the service principal of Image Builder",
        group=image_template.staging_group_id or own.group,
        subscription=own.subscription_id,
        location=image_template.location,
    )
