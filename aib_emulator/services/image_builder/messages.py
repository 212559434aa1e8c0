"""What the service says about runs and creations that ended badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.log_lines import CUSTOMIZATION_LOG, VALIDATION_LOG

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.timeline import Timeline

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


def failure_of(
    image_template: ImageTemplate, timeline: Timeline, log_folder: str, log_prefix: str, denied: str = ""
) -> dict[str, str]:
    """Return code and message for a run that ended badly.

    :param denied: what the service says of the right that was lacking, if that was the reason
    """
    if timeline.reason == "packer":
        is_validation = any(phase.fails and phase.kind == "validate" for phase in timeline.phases)
        log_name = VALIDATION_LOG if is_validation else CUSTOMIZATION_LOG
        message = packer_failure(image_template, f"{log_folder}/{log_name}", log_prefix)
        return {"code": "PackerBuildFailed", "message": message}
    failed = sum(phase.fails for phase in timeline.phases if phase.kind == "distribute")
    total = len(image_template.properties["distribute"])
    cause = f"{{[Error 0] [InternalOperationError: {denied or GENERIC}]}}"
    distribute = f"Failed in distributing {failed} images out of total {total}: {cause}"
    code, message = {
        "timeout": ("InternalOperationError", TIMEOUT),
        "distribute": ("InternalOperationError", distribute),
        "denied": ("InternalOperationError", denied),
        "cancel": ("Canceled", "The build was canceled"),
        "internal": ("InternalOperationError", GENERIC),
    }[timeline.reason]
    return {"code": code, "message": message}


def packer_failure(image_template: ImageTemplate, log_path: str, log_prefix: str) -> str:
    """Return the sentence of 2024 about a script that failed."""
    group = image_template.staging_group_id
    account = f"providers/Microsoft.Storage/storageAccounts/{image_template.staging_account}"
    return (
        f"During the image build a failure has occurred. Packer build logs are at location {group}/{account}"
        f"/blobServices/default/containers/packerlogs/{log_path}. Please navigate to this location using portal or "
        "other tools to download logs for identifying which build/customization step failed. Use this operationId "
        f"{log_prefix} to search packer logs. For more troubleshooting steps go to {MORE}."
    )


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
