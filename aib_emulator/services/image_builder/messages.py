"""What the service says about runs and creations that ended badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.log_lines import CUSTOMIZATION_LOG, VALIDATION_LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.timeline import Timeline
    from aib_emulator.services.image_builder.words import Words

MORE = "https://aka.ms/azvmimagebuilderts"
GENERIC = f"Internal error occurred. This is a generic error. To identify possible causes, go to {MORE}."
TIMEOUT = (
    "Failed in building/customizing image: Failed while waiting for packerizer: "
    "Timeout waiting for microservice to complete: 'context deadline exceeded'"
)
UNUSABLE_IDENTITY = (
    "The assigned managed identity cannot be used. Please remove the existing one and re-assign a new identity. "
    f"For more troubleshooting steps go to {MORE}."
)


STAGING_GONE = (
    "Failed while waiting for packerizer: the staging resources cannot be reached. Original Error: Status=404 "
    'Code="ResourceGroupNotFound" Message="Resource group \'{group}\' could not be found."'
)
STAGING_TAGS = (
    "The staging resource group '{group}' cannot be used: its tags imageTemplateName and "
    "imageTemplateResourceGroupName do not match the image template."
)
USUAL_CODES = {"packer": "PackerBuildFailed", "cancel": "Canceled"}


@dataclass(frozen=True)
class LogPlace:
    """Say where a run writes its logs.

    :param container_url: address of the container
    :param folder: in the container
    :param prefix: the operation id that begins each line
    """

    container_url: str
    folder: str
    prefix: str


def failure_of(image_template: ImageTemplate, timeline: Timeline, words: Words, log_place: LogPlace) -> dict[str, str]:
    """Return code and message for a run that ended badly."""
    usual_code = USUAL_CODES.get(timeline.reason, "InternalOperationError")
    if timeline.is_planned and words.message is not None:
        return {"code": words.code or usual_code, "message": words.message}
    writers: dict[str, Callable[[], str]] = {
        "packer": lambda: _of_packer(image_template, timeline, words, log_place),
        "timeout": lambda: TIMEOUT,
        "distribute": lambda: _of_distribution(image_template, timeline),
        "staging": lambda: STAGING_GONE.format(group=_group_name(image_template)),
        "cancel": lambda: "The build was canceled",
    }
    message = writers[timeline.reason]() if timeline.reason in writers else GENERIC
    if not timeline.is_planned:
        return {"code": usual_code, "message": message}
    opening = "" if words.opening.rstrip(". ") in message else words.opening
    return {"code": words.code or usual_code, "message": f"{opening}{message}"}


def _of_packer(image_template: ImageTemplate, timeline: Timeline, words: Words, log_place: LogPlace) -> str:
    is_validation = any(phase.fails and phase.kind == "validate" for phase in timeline.phases)
    log_name = VALIDATION_LOG if is_validation else CUSTOMIZATION_LOG
    return PACKER_FAILURES[words.log_form](image_template, log_place, log_name)


def _of_distribution(image_template: ImageTemplate, timeline: Timeline) -> str:
    failed = sum(phase.fails for phase in timeline.phases if phase.kind == "distribute")
    return distribution_failure(failed, len(image_template.properties["distribute"]))


def _group_name(image_template: ImageTemplate) -> str:
    return "" if image_template.staging_group_id is None else image_template.staging_group_id.name


def distribution_failure(failed: int, total: int, cause: str = GENERIC) -> str:
    """Return the sentence about distributors that failed."""
    first = f"{{[Error 0] [InternalOperationError: {cause}]}}"
    return f"Failed in distributing {failed} images out of total {total}: {first}"


def packer_failure(image_template: ImageTemplate, log_place: LogPlace, log_name: str) -> str:
    """Return the sentence of 2024 about a script that failed."""
    group = image_template.staging_group_id
    account = f"providers/Microsoft.Storage/storageAccounts/{image_template.staging_account}"
    return (
        f"During the image build a failure has occurred. Packer build logs are at location {group}/{account}"
        f"/blobServices/default/containers/packerlogs/{log_place.folder}/{log_name}. Please navigate to this location "
        "using portal or other tools to download logs for identifying which build/customization step failed. Use this "
        f"operationId {log_place.prefix} to search packer logs. For more troubleshooting steps go to {MORE}."
    )


def old_packer_failure(_: ImageTemplate, log_place: LogPlace, log_name: str) -> str:
    """Return the sentence of the years before, which names the log by its address."""
    return (
        "Failed while waiting for packerizer: Microservice has failed: Failed while processing request: Error when "
        "executing packerizer: Packer build command has failed: exit status 1. During the image build, a failure has "
        "occurred, please review the build log to identify which build/customization step failed. For more "
        f"troubleshooting steps go to {MORE}. Image Build log location: {log_place.container_url}/{log_place.folder}"
        f"/{log_name}. OperationId: {log_place.prefix}. Use this operationId to search packer logs."
    )


PACKER_FAILURES = {"new": packer_failure, "old": old_packer_failure}
"""By the form of the log that the sentence names."""


def not_authorized(resource_id: str) -> str:
    """Return what the service says of a resource that the identity must not use, or that is not there."""
    return (
        f"Not authorized to access the resource: {resource_id}. Please check the user assigned identity has the "
        f"correct permissions. For more details, go to {MORE}."
    )


def managed_image_denied(image_id: str) -> str:
    """Return what the service says of a source image that the identity must not read."""
    return (
        f"Build (Managed Image) step failed: Error getting Managed Image '{image_id}': Error getting managed image: "
        "compute.ImagesClient#Get: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: "
        'Service returned an error. Status=403 Code="AuthorizationFailed" Message="The client does not have '
        f"authorization to perform action 'Microsoft.Compute/images/read' over scope '{image_id}'.\""
    )


def network_denied(image_template: ImageTemplate) -> str:
    """Return what a run says of a virtual network that the identity must not join."""
    group = image_template.staging_group_id
    return (
        "Failed in building/customizing image: network.InterfacesClient#UpdateTags: Failure responding to request: "
        "StatusCode=404 -- Original Error: autorest/azure: Service returned an error. Status=404 "
        'Code="ResourceNotFound" Message="The Resource \'Microsoft.Network/networkInterfaces/aibNic\' under resource '
        f"group '{group.name if group is not None else ''}' was not found.\""
    )
