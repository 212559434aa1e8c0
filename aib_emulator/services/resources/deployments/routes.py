"""Deployments over HTTP, to a resource group and to the subscription."""

from __future__ import annotations

import uuid
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.operations import Operation
from aib_emulator.arm.paging import page
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.services.resources.deployments.context import context_functions
from aib_emulator.services.resources.deployments.deployment import Deployment
from aib_emulator.services.resources.deployments.inputs import first_scope
from aib_emulator.services.resources.deployments.place import Place
from aib_emulator.services.resources.deployments.plan import plan
from aib_emulator.services.resources.deployments.preflight import check_resources
from aib_emulator.services.resources.deployments.request import read_request
from aib_emulator.services.resources.deployments.resume import KeptDeployment
from aib_emulator.services.resources.deployments.shapes import (
    TYPE,
    deployment_body,
    operation_bodies,
    status_body,
    validated_body,
)
from aib_emulator.services.resources.deployments.what_if import changes
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.services.resources.deployments.request import DeploymentRequest
    from aib_emulator.world import World

    Handler = Callable[[Call], Awaitable[Answer]]

KEPT_AS = "deployment"
LONGEST_NAME = 64
EVERY = f"/providers/{TYPE}"
ONE = f"{EVERY}/{{deployment_name}}"


def deployment_routes(world: World) -> list[Route]:
    """Return the routes of deployments."""
    deployments = DeploymentRoutes(world)
    world.delete_hooks[TYPE.lower()] = deployments.forget
    world.resume.append(deployments.resume)
    table: list[tuple[str, str, Handler, str]] = [
        ("PUT", ONE, deployments.put, "write"),
        ("GET", ONE, deployments.get, "read"),
        ("HEAD", ONE, deployments.head, "read"),
        ("DELETE", ONE, deployments.delete, "delete"),
        ("GET", EVERY, deployments.list, "read"),
        ("POST", f"{ONE}/validate", deployments.validate, "validate/action"),
        ("POST", f"{ONE}/whatIf", deployments.what_if, "whatIf/action"),
        ("POST", f"{ONE}/cancel", deployments.cancel, "cancel/action"),
        ("POST", f"{ONE}/exportTemplate", deployments.export, "exportTemplate/action"),
        ("GET", f"{ONE}/operations", deployments.list_operations, "operations/read"),
        ("GET", f"{ONE}/operations/{{operation_id}}", deployments.get_operation, "operations/read"),
        ("GET", f"{ONE}/operationStatuses/{{operation_id}}", deployments.poll, "operationstatuses/read"),
    ]
    found = [
        Route(method, scope + path, handle, f"{TYPE}/{action}")
        for scope in (GROUP, SUBSCRIPTION)
        for method, path, handle, action in table
    ]
    operations = f"{GROUP}/deployments/{{deployment_name}}/operations"  # as clients ask, without the provider
    found += [
        Route("GET", operations, deployments.list_operations, f"{TYPE}/operations/read"),
        Route("GET", f"{operations}/{{operation_id}}", deployments.get_operation, f"{TYPE}/operations/read"),
    ]
    return found


class DeploymentRoutes:
    """Answer the calls about deployments.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def put(self, call: Call) -> Answer:
        """Begin a deployment."""
        known = self._known(call)
        if known is not None and known.is_active:
            raise ArmError(
                409,
                "DeploymentActive",
                f"Unable to edit or replace deployment '{known.name}': previous deployment is still active. "
                "Please see https://aka.ms/arm-deploy for usage details.",
            )
        deployment = self._read(call)
        deployment.operation = self._world.operations.start(self._world.clock.now())
        self._keep(call, deployment)
        self._world.schedule.add(deployment)
        path = f"{deployment.path}/operationStatuses/{deployment.operation.operation_id}"
        url = f"{call.base_url}{path}?api-version={call.api_version}"
        headers = {"Azure-AsyncOperation": url, **self._world.settings.retry_headers}
        body = deployment_body(deployment, self._world.clock.now())
        return Answer(200 if known else 201, body, headers, operation_id=deployment.operation.operation_id)

    async def get(self, call: Call) -> Answer:
        """Show a deployment."""
        return Answer(200, deployment_body(self._find(call), self._world.clock.now()))

    async def head(self, call: Call) -> Answer:
        """Say whether there is such a deployment."""
        return Answer(204 if self._known(call) else 404)

    async def delete(self, call: Call) -> Answer:
        """Forget a deployment, not what it has put; done when answered."""
        known = self._known(call)
        if known is not None and known.is_active:
            message = f"Unable to delete deployment '{known.name}': it is still active."
            raise ArmError(409, "DeploymentActive", message)
        self._world.store.delete(_deployment_id(call))
        return Answer(204)

    async def list(self, call: Call) -> Answer:
        """List the deployments to a group, or to the subscription itself."""
        found = self._world.store.list(
            subscription_id=call.parameters["subscription_id"],
            resource_group_name=call.parameters.get("resource_group_name", ""),
            resource_type=TYPE,
        )
        now = self._world.clock.now()
        bodies = [deployment_body(_kept(resource), now) for resource in found]
        return Answer(200, page(call, bodies, self._world.settings.list_page_size))

    async def validate(self, call: Call) -> Answer:
        """Say whether a deployment could begin."""
        deployment = self._read(call)
        return Answer(200, validated_body(deployment, self._world.clock.now()))

    async def what_if(self, call: Call) -> Answer:
        """Say what a deployment would change; done when answered."""
        deployment = self._read(call)
        found = await changes(self._world, call, deployment)
        return Answer(200, {"status": "Succeeded", "properties": {"changes": found}})

    async def cancel(self, call: Call) -> Answer:
        """Put nothing any more."""
        deployment = self._find(call)
        if not deployment.is_active:
            raise ArmError(
                409,
                "DeploymentCannotBeCancelled",
                f"The deployment '{deployment.name}' cannot be cancelled: its provisioning state is "
                f"'{deployment.state}'.",
            )
        deployment.cancel()
        self._world.schedule.drop(deployment)
        return Answer(204)

    async def export(self, call: Call) -> Answer:
        """Show the document of a deployment."""
        return Answer(200, {"template": self._find(call).request.document})

    async def list_operations(self, call: Call) -> Answer:
        """List what was done for each resource."""
        numbered = [(f"/{number:06}", body) for number, body in enumerate(operation_bodies(self._find(call)))]
        size = self._world.settings.list_page_size
        return Answer(200, page(call, numbered, size, itemgetter(1), id_of=itemgetter(0)))

    async def get_operation(self, call: Call) -> Answer:
        """Show what was done for one resource."""
        wanted = call.parameters["operation_id"]
        for body in operation_bodies(self._find(call)):
            if body["operationId"].lower() == wanted.lower():
                return Answer(200, body)
        raise ArmError(404, "DeploymentOperationNotFound", f"Deployment operation '{wanted}' could not be found.")

    async def poll(self, call: Call) -> Answer:
        """Say how a deployment stands, or stood: a later one of the same name has an operation of its own."""
        operation, now = self._world.operations.find(call.parameters["operation_id"]), self._world.clock.now()
        if operation is None:
            message = f"The operation '{call.parameters['operation_id']}' could not be found."
            raise ArmError(404, "OperationNotFound", message)
        headers = {} if operation.is_over(now) else self._world.settings.retry_headers
        return Answer(200, status_body(operation, now), headers)

    async def forget(self, resource: Resource) -> None:
        """Stop a deployment whose group is deleted."""
        await self._world.schedule.end(_kept(resource))

    async def resume(self) -> None:
        """Go on with the deployments that an earlier emulator kept."""
        for resource in self._world.store.list(resource_type=TYPE):
            kept = resource.private[KEPT_AS]
            if not isinstance(kept, KeptDeployment):
                continue
            try:
                resource.private[KEPT_AS] = deployment = self._read(kept.call())
            except ArmError:  # what its document names is not there any more
                self._world.store.delete(resource.id)
            else:
                deployment.go_on(kept.record)

    def _read(self, call: Call) -> Deployment:
        """Return the deployment that a call asks for, with an operation that nobody can poll; or refuse it."""
        name, request = call.parameters["deployment_name"], read_request(call.body)
        if len(name) > LONGEST_NAME:
            raise ArmError(400, "InvalidDeploymentName", f"The deployment name '{name}' is longer than 64 characters.")
        place = Place(call.parameters["subscription_id"], call.parameters.get("resource_group_name"))
        _check_location(name, place, request)
        operation = Operation(str(uuid.uuid4()), self._world.clock.now())
        scope = first_scope(request, context_functions(self._world, call, place, name, request))
        found = plan(request.document, scope, place)
        check_resources(name, found.resources, operation.operation_id)
        return Deployment(
            self._world, call, name=name, place=place, request=request, scope=scope, plan=found, operation=operation
        )

    def _keep(self, call: Call, deployment: Deployment) -> None:
        now = self._world.clock.now()
        resource = Resource(_deployment_id(call), {}, created=now, changed=now)
        resource.private[KEPT_AS] = deployment
        self._world.store.put(resource)

    def _known(self, call: Call) -> Deployment | None:
        resource = self._world.store.get(_deployment_id(call))
        return None if resource is None else _kept(resource)

    def _find(self, call: Call) -> Deployment:
        found = self._known(call)
        if found is None:
            name = call.parameters["deployment_name"]
            raise ArmError(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
        return found


def _kept(resource: Resource) -> Deployment:
    deployment: Any = resource.private[KEPT_AS]
    if not isinstance(deployment, Deployment):
        raise TypeError(f"{resource.id} is kept without its deployment.")
    return deployment


def _check_location(name: str, place: Place, request: DeploymentRequest) -> None:
    """Demand a location of a deployment to the subscription, and of no other."""
    see = "Please see https://aka.ms/deploy-to-subscription for usage details."
    if place.resource_group_name is None and not request.location:
        raise ArmError(400, "InvalidDeployment", f"The 'location' property must be specified for '{name}'. {see}")
    if place.resource_group_name is not None and request.location:
        message = f"The 'location' property is not allowed for a deployment at resource group scope. {see}"
        raise ArmError(400, "InvalidDeployment", message)


def _deployment_id(call: Call) -> ResourceId:
    path = ("deployments", call.parameters["deployment_name"])
    group = call.parameters.get("resource_group_name")
    return ResourceId(call.parameters["subscription_id"], group, "Microsoft.Resources", path)
