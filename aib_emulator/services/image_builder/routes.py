"""Image templates, their runs and run outputs over HTTP."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import NO_RESPONSE, ArmError, resource_not_found
from aib_emulator.arm.operations import image_builder_body, is_location
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, SUBSCRIPTION, Route
from aib_emulator.failures import GET, RUN_CALL
from aib_emulator.services.image_builder.answers import (
    accepted,
    creation_headers,
    find_image_template,
    image_template_id_of,
    pretty,
    refusing,
)
from aib_emulator.services.image_builder.desk import ImageTemplateDesk
from aib_emulator.services.image_builder.messages import GENERIC
from aib_emulator.services.image_builder.operation_list import operation_list_route
from aib_emulator.services.image_builder.refusal import RefusalError
from aib_emulator.services.image_builder.resources import (
    NAMESPACE,
    RESOURCE_TYPE,
    RUN_OUTPUT_TYPE,
    ImageTemplate,
    render,
    run_output_body,
)
from aib_emulator.services.image_builder.resume import Resumption
from aib_emulator.services.image_builder.trigger_desk import TriggerDesk
from aib_emulator.services.image_builder.trigger_routes import trigger_routes

if TYPE_CHECKING:
    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.image_builder.answers import Handler
    from aib_emulator.world import World

UPDATE_TAKES = timedelta(seconds=2)
"""As long as a PATCH of tags was seen to take at most."""
SYSTEM_DATA_SINCE = "2024-02-01"
"""Where no recording exists that shows it absent."""
ORIGINAL_REQUESTS = "x-ms-original-request-ids"
POLL = f"{NAMESPACE}/locations/operations/read"
EVERY = f"/providers/{RESOURCE_TYPE}"
ONE = f"{GROUP}{EVERY}/{{image_template_name}}"


def routes(world: World) -> list[Route]:
    """Return the routes of Microsoft.VirtualMachineImages."""
    desk = ImageTemplateDesk(world)
    world.delete_hooks[RESOURCE_TYPE.lower()] = desk.forget
    world.compute.when_published = desk.watch.version_is_published
    world.resume.append(Resumption(world, desk, TriggerDesk(world, desk)).resume)
    answers = ImageTemplateRoutes(world, desk)
    operation = f"{SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/operations/{{operation_id}}"
    table: list[tuple[str, str, Handler, str]] = [
        ("PUT", ONE, answers.put, f"{RESOURCE_TYPE}/write"),
        ("GET", ONE, answers.get, f"{RESOURCE_TYPE}/read"),
        ("PATCH", ONE, answers.patch, f"{RESOURCE_TYPE}/write"),
        ("DELETE", ONE, answers.delete, f"{RESOURCE_TYPE}/delete"),
        ("GET", GROUP + EVERY, answers.list, f"{RESOURCE_TYPE}/read"),
        ("GET", SUBSCRIPTION + EVERY, answers.list, f"{RESOURCE_TYPE}/read"),
        ("POST", f"{ONE}/run", answers.run, f"{RESOURCE_TYPE}/run/action"),
        ("POST", f"{ONE}/cancel", answers.cancel, f"{RESOURCE_TYPE}/cancel/action"),
        ("GET", f"{ONE}/runOutputs", answers.list_run_outputs, f"{RUN_OUTPUT_TYPE}/read"),
        ("GET", f"{ONE}/runOutputs/{{run_output_name}}", answers.get_run_output, f"{RUN_OUTPUT_TYPE}/read"),
    ]
    # Whoever started an operation in one group polls it although the operation lies in no group.
    poll = Route("GET", operation, refusing(world, answers.get_operation), POLL, is_for_anywhere=True)
    routes = [Route(method, path, refusing(world, handle), action) for method, path, handle, action in table]
    served = [*routes, poll, *trigger_routes(world, desk)]
    return [*served, operation_list_route(served)]


class ImageTemplateRoutes:
    """Answer the calls about image templates.

    :param world: what the services share
    :param desk: carries the calls out
    """

    def __init__(self, world: World, desk: ImageTemplateDesk) -> None:
        self._world = world
        self._desk = desk

    async def put(self, call: Call) -> Answer:
        """Accept a new image template."""
        image_template, operation = self._desk.create(image_template_id_of(call), call.json(), call.api_version)
        headers = creation_headers(self._world, call, image_template, operation)
        return self._show(call, image_template, 201, headers, operation)

    async def get(self, call: Call) -> Answer:
        """Show an image template; now and then the service fails to, as was reported."""
        image_template = find_image_template(self._desk, call)
        failure = self._world.failures.take(image_template.image_template_id.name, GET)
        if failure is not None:
            raise RefusalError(500, failure.code or "InternalOperationError", failure.message or GENERIC)
        return self._show(call, image_template)

    async def patch(self, call: Call) -> Answer:
        """Change tags, identity, distributors or VM profile; done when answered, or so it seems."""
        image_template, sent = find_image_template(self._desk, call), call.json()
        self._desk.update(image_template, sent, call.api_version)
        if self._world.choices["patch"] == "done" or set(sent) <= {"tags"}:
            return self._show(call, image_template)
        operation = self._world.operations.start(self._world.clock.now())
        operation.end(operation.started + UPDATE_TAKES)
        headers = creation_headers(self._world, call, image_template, operation)
        return Answer(202, None, headers, operation_id=operation.operation_id)

    async def delete(self, call: Call) -> Answer:
        """Begin to delete an image template with its staging group."""
        image_template = self._desk.find(image_template_id_of(call))
        if image_template is None:
            return Answer(204)
        return accepted(self._world, call, image_template, self._desk.delete(image_template))

    async def list(self, call: Call) -> Answer:
        """List the image templates of a group or of the subscription."""
        found = self._desk.list(call.parameters["subscription_id"], call.parameters.get("resource_group_name"))
        size = self._world.settings.list_page_size
        body = page(call, found, size, partial(self._body, call), id_of=lambda one: one.image_template_id.key)
        if self._world.choices["list-form"] == "indented":
            return pretty(200, body)
        # Resource Manager answers, and names the request that it has made to the service.
        return Answer(200, body, {ORIGINAL_REQUESTS: str(uuid.uuid4())})

    async def run(self, call: Call) -> Answer:
        """Start a run; the gateway may give up before the answer is there, whether or not the run has started."""
        image_template = find_image_template(self._desk, call)
        lost = self._world.failures.take(image_template.image_template_id.name, RUN_CALL)
        if lost is not None and lost.moment == "after":
            self._desk.run(image_template)
        if lost is not None:
            raise ArmError(504, lost.code or "GatewayTimeout", lost.message or NO_RESPONSE)
        return accepted(self._world, call, image_template, self._desk.run(image_template))

    async def cancel(self, call: Call) -> Answer:
        """Begin to cancel the run that goes on."""
        image_template = find_image_template(self._desk, call)
        self._desk.cancel(image_template)
        status, run = self._world.choices["cancel-status"], image_template.run
        if status != "202" or run is None:
            return Answer(int(status))
        operation = self._world.operations.start(self._world.clock.now())
        operation.end(max(operation.started, run.timeline.end))
        return accepted(self._world, call, image_template, operation)

    async def list_run_outputs(self, call: Call) -> Answer:
        """List what the last run has distributed so far."""
        image_template = find_image_template(self._desk, call)
        outputs = self._desk.run_outputs(image_template).values()
        values = [run_output_body(image_template.image_template_id, output) for output in outputs]
        is_relative = self._world.choices["run-outputs-link"] == "relative"
        return pretty(200, page(call, values, self._world.settings.list_page_size, is_link_relative=is_relative))

    async def get_run_output(self, call: Call) -> Answer:
        """Show one run output of the last run."""
        image_template = find_image_template(self._desk, call)
        name = call.parameters["run_output_name"]
        run_output = self._desk.run_outputs(image_template).get(name.lower())
        if run_output is None:
            template_id = image_template.image_template_id
            group = template_id.resource_group_name
            error = resource_not_found(RUN_OUTPUT_TYPE, f"{template_id.name}/{name}", group)
            raise ArmError(404, self._world.choices["run-output-not-found"], error.message)
        return pretty(200, run_output_body(image_template.image_template_id, run_output))

    async def get_operation(self, call: Call) -> Answer:
        """Say how an operation stands: at its `Location` as at its `Azure-AsyncOperation`."""
        operation = self._world.operations.find(call.parameters["operation_id"])
        if operation is None:
            raise ArmError(404, "NotFound", f"The operation '{call.parameters['operation_id']}' was not found.")
        now = self._world.clock.now()
        headers = {} if operation.is_over(now) else self._world.settings.retry_headers
        status = 200 if operation.is_over(now) or not is_location(call.path, call.query) else self._location_status()
        return pretty(status, image_builder_body(operation, now), headers)

    def _location_status(self) -> int:
        return int(self._world.choices["location-while-running"])

    def _body(self, call: Call, image_template: ImageTemplate) -> dict[str, Any]:
        body = render(image_template, call.api_version, self._desk.last_run_status(image_template))
        if self._world.choices["system-data"] == "shown" and call.api_version >= SYSTEM_DATA_SINCE:
            body["systemData"] = self._desk.system_data(image_template)
        return body

    def _show(
        self,
        call: Call,
        image_template: ImageTemplate,
        status: int = 200,
        headers: dict[str, str] | None = None,
        operation: Operation | None = None,
    ) -> Answer:
        body = self._body(call, image_template)
        return pretty(status, body, headers, operation.operation_id if operation is not None else None)
