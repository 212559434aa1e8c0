"""Image templates' triggers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer
from aib_emulator.arm.errors import ArmError, resource_not_found
from aib_emulator.arm.locations import LOCATIONS
from aib_emulator.arm.paging import page
from aib_emulator.arm.route import GROUP, Route
from aib_emulator.services.image_builder.answers import (
    accepted,
    creation_headers,
    find_image_template,
    image_template_id_of,
    pretty,
    refusing,
)
from aib_emulator.services.image_builder.resources import RESOURCE_TYPE
from aib_emulator.services.image_builder.trigger import trigger_body
from aib_emulator.services.image_builder.trigger_desk import TriggerDesk

if TYPE_CHECKING:
    from aib_emulator.arm.call import Call
    from aib_emulator.services.image_builder.answers import Handler
    from aib_emulator.services.image_builder.desk import ImageTemplateDesk
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.trigger import ImageTemplateTrigger
    from aib_emulator.world import World

TRIGGER_TYPE = f"{RESOURCE_TYPE}/triggers"
SERVED_SINCE = "2022-07-01"
SERVED = ("2022-07-01", "2023-07-01", "2024-02-01", "2025-10-01")


def trigger_routes(world: World, desk: ImageTemplateDesk) -> list[Route]:
    """Return the routes of image templates' triggers."""
    triggers = TriggerRoutes(world, desk)
    every = f"{GROUP}/providers/{RESOURCE_TYPE}/{{image_template_name}}/triggers"
    one = f"{every}/{{trigger_name}}"
    table: list[tuple[str, str, Handler, str]] = [
        ("PUT", one, triggers.put, f"{TRIGGER_TYPE}/write"),
        ("GET", one, triggers.get, f"{TRIGGER_TYPE}/read"),
        ("DELETE", one, triggers.delete, f"{TRIGGER_TYPE}/delete"),
        ("GET", every, triggers.list, f"{TRIGGER_TYPE}/read"),
    ]
    return [Route(method, path, _since_2022(refusing(world, handle)), action) for method, path, handle, action in table]


class TriggerRoutes:
    """Answer the calls about triggers.

    :param world: what the services share
    :param desk: keeps the image templates
    """

    def __init__(self, world: World, desk: ImageTemplateDesk) -> None:
        self._world = world
        self._desk = desk
        self._triggers = TriggerDesk(world, desk)

    def _body(self, image_template: ImageTemplate, trigger: ImageTemplateTrigger) -> dict[str, Any]:
        is_told = self._world.choices["trigger-off-status"] == "reported"
        shows_off = is_told and self._desk.watch.is_off(image_template)
        return trigger_body(image_template.image_template_id, trigger, shows_off=shows_off)

    async def put(self, call: Call) -> Answer:
        """Accept a new trigger, or show the one that is there."""
        image_template = find_image_template(self._desk, call)
        trigger, operation = self._triggers.put(
            image_template, call.parameters["trigger_name"], call.json(), call.api_version
        )
        body = self._body(image_template, trigger)
        if operation is None:
            return pretty(200, body)
        headers = creation_headers(self._world, call, image_template, operation)
        return pretty(201, body, headers, operation.operation_id)

    async def get(self, call: Call) -> Answer:
        """Show a trigger."""
        image_template, name = find_image_template(self._desk, call), call.parameters["trigger_name"]
        trigger = image_template.triggers.get(name.lower())
        if trigger is None:
            template_id = image_template.image_template_id
            raise resource_not_found(TRIGGER_TYPE, f"{template_id.name}/{name}", template_id.resource_group_name)
        return pretty(200, self._body(image_template, trigger))

    async def list(self, call: Call) -> Answer:
        """List the triggers of an image template."""
        image_template = find_image_template(self._desk, call)
        values = [self._body(image_template, trigger) for trigger in image_template.triggers.values()]
        return pretty(200, page(call, values, self._world.settings.list_page_size))

    async def delete(self, call: Call) -> Answer:
        """Begin to delete a trigger."""
        image_template = self._desk.find(image_template_id_of(call))
        trigger = image_template.triggers.get(call.parameters["trigger_name"].lower()) if image_template else None
        if image_template is None or trigger is None:
            return Answer(204)
        return accepted(self._world, call, image_template, self._triggers.delete(image_template, trigger))


def _since_2022(handle: Handler) -> Handler:
    async def answer(call: Call) -> Answer:
        if call.api_version < SERVED_SINCE:
            message = (
                f"No registered resource provider found for location '{next(iter(LOCATIONS))}' and API version "
                f"'{call.api_version}' for type 'imageTemplates/triggers'. The supported api-versions are "
                f"'{', '.join(SERVED)}'."
            )
            raise ArmError(400, "NoRegisteredProviderFound", message)
        return await handle(call)

    return answer
