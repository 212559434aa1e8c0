"""What is found wrong with a deployment's resources before any of them is put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import LOCATIONS, is_known
from aib_emulator.services.resources.resources import knows_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aib_emulator.services.resources.deployments.plan import PlannedResource

Finding = dict[str, Any]


def check_resources(deployment_name: str, resources: Iterable[PlannedResource], tracking_id: str) -> None:
    """Refuse resources whose type or location this Azure does not have."""
    details = [finding for resource in resources for finding in _findings(resource)]
    if details:
        raise ArmError(
            400,
            "InvalidTemplateDeployment",
            f"The template deployment '{deployment_name}' is not valid according to the validation procedure. The "
            f"tracking id is '{tracking_id}'. See inner errors for details.",
            details=details,
        )


def _findings(resource: PlannedResource) -> list[Finding]:
    namespace, _, rest = resource.resource_type.partition("/")
    _, is_extension, on_it = rest.partition("/providers/")
    if is_extension:  # its namespace is the first of its names
        namespace, rest = resource.name.split("/")[-2], on_it
    if not knows_type(namespace, rest):
        return [_finding(resource, "InvalidResourceType", _unknown_type(namespace, rest, resource.api_version))]
    location = resource.location()
    if location is not None and not is_known(location):
        return [_finding(resource, "LocationNotAvailableForResourceType", _unknown_location(resource, location))]
    return []


def _finding(resource: PlannedResource, code: str, message: str) -> Finding:
    return {"code": code, "target": resource.resource_id, "message": message}


def _unknown_type(namespace: str, resource_type: str, api_version: str) -> str:
    return (
        f"The resource type '{resource_type}' could not be found in the namespace '{namespace}' for api version "
        f"'{api_version}'."
    )


def _unknown_location(resource: PlannedResource, location: str) -> str:
    return (
        f"The provided location '{location}' is not available for resource type '{resource.resource_type}'. List of "
        f"available regions for the resource type is '{','.join(LOCATIONS)}'."
    )
