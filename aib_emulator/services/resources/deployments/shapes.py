"""What deployments, their operations and their validation look like."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.time_format import ticks_text
from aib_emulator.services.resources.deployments.inputs import shown_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.resources.deployments.deployment import Deployment
    from aib_emulator.services.resources.deployments.plan import PlannedResource
    from aib_emulator.services.resources.deployments.step import Step

TYPE = "Microsoft.Resources/deployments"


def deployment_body(deployment: Deployment, now: datetime) -> dict[str, Any]:
    """Return a deployment as it stands."""
    until = deployment.operation.ended or now
    properties = {
        **_common(deployment),
        "provisioningState": deployment.state,
        "timestamp": ticks_text(until),
        "duration": duration_text(until - deployment.operation.started),
    }
    if deployment.state == "Succeeded":
        resources = [{"id": step.resource.resource_id} for step in deployment.steps]
        properties |= {"outputs": deployment.outputs, "outputResources": resources}
    if deployment.error is not None:
        properties["error"] = deployment.error
    return _envelope(deployment, properties)


def validated_body(deployment: Deployment, now: datetime) -> dict[str, Any]:
    """Return what a good validation answers."""
    resources = [{"id": step.resource.resource_id} for step in deployment.steps]
    properties = {
        **_common(deployment),
        "provisioningState": "Succeeded",
        "timestamp": ticks_text(now),
        "duration": "PT0S",
        "validatedResources": resources,
    }
    return _envelope(deployment, properties)


def operation_bodies(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the operations of a deployment: one for each resource that was begun, and one for the outputs."""
    found = [_operation(deployment, step) for step in deployment.steps if step.started is not None]
    if deployment.state == "Succeeded":
        found.append(_outputs_operation(deployment))
    return found


def status_body(operation: Operation, now: datetime) -> dict[str, Any]:
    """Return what a poll of a deployment's operation answers."""
    if not operation.is_over(now):
        return {"status": "Running"}
    body: dict[str, Any] = {"status": operation.outcome}
    if operation.error is not None:
        body["error"] = dict(operation.error)
    return body


def duration_text(span: timedelta) -> str:
    """Write a duration as ISO 8601 does."""
    seconds = span.total_seconds()
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.7f}".rstrip("0").rstrip(".")
    return f"PT{int(minutes)}M{text}S" if minutes else f"PT{text}S"


def _common(deployment: Deployment) -> dict[str, Any]:
    resources = [step.resource for step in deployment.steps]
    written = json.dumps(deployment.request.document, sort_keys=True).encode()
    return {
        "templateHash": str(int.from_bytes(hashlib.sha256(written).digest()[:8])),
        "parameters": shown_parameters(deployment.request, deployment.scope),
        "mode": deployment.request.mode,
        "correlationId": deployment.operation.operation_id,
        "providers": _providers(resources),
        "dependencies": _dependencies(resources),
    }


def _envelope(deployment: Deployment, properties: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"id": deployment.path, "name": deployment.name, "type": TYPE}
    if deployment.request.location:
        body["location"] = deployment.request.location
    if deployment.request.tags:
        body["tags"] = dict(deployment.request.tags)
    return {**body, "properties": properties}


def _providers(resources: Iterable[PlannedResource]) -> list[dict[str, Any]]:
    types: dict[str, dict[str, Any]] = {}
    for resource in resources:
        namespace, _, resource_type = resource.resource_type.partition("/")
        entry = {"resourceType": resource_type, "locations": [resource.location()]}
        types.setdefault(namespace, {}).setdefault(resource_type.lower(), entry)
    return [{"namespace": namespace, "resourceTypes": list(entries.values())} for namespace, entries in types.items()]


def _dependencies(resources: list[PlannedResource]) -> list[dict[str, Any]]:
    by_key: Mapping[str, PlannedResource] = {resource.key: resource for resource in resources}
    return [
        {"dependsOn": [_named(by_key[key]) for key in sorted(resource.depends_on & by_key.keys())], **_named(resource)}
        for resource in resources
        if resource.depends_on & by_key.keys()
    ]


def _named(resource: PlannedResource) -> dict[str, Any]:
    return {"id": resource.resource_id, "resourceType": resource.resource_type, "resourceName": resource.name}


def _operation(deployment: Deployment, step: Step) -> dict[str, Any]:
    operation_id = hashlib.sha256(f"{deployment.operation.operation_id} {step.resource.key}".encode()).hexdigest()
    name = operation_id[:16].upper()
    until = step.ended or step.started or deployment.operation.started
    properties: dict[str, Any] = {
        "provisioningOperation": "Create",
        "provisioningState": step.state,
        "timestamp": ticks_text(until),
        "duration": duration_text(until - (step.started or until)),
        "trackingId": deployment.operation.operation_id,
        "statusCode": step.status,
        "targetResource": _named(step.resource),
    }
    if step.error is not None:
        properties["statusMessage"] = {"error": step.error}
    return {"id": f"{deployment.path}/operations/{name}", "operationId": name, "properties": properties}


def _outputs_operation(deployment: Deployment) -> dict[str, Any]:
    name = str(int.from_bytes(hashlib.sha256(deployment.operation.operation_id.encode()).digest()[:8]))
    properties = {
        "provisioningOperation": "EvaluateDeploymentOutput",
        "provisioningState": "Succeeded",
        "timestamp": ticks_text(deployment.operation.ended or deployment.operation.started),
        "duration": "PT0S",
        "trackingId": deployment.operation.operation_id,
        "statusCode": "OK",
    }
    return {"id": f"{deployment.path}/operations/{name}", "operationId": name, "properties": properties}
