"""What the routes of Image Builder have in common: how they find, show and refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.call import Answer, Call, group_resource_id
from aib_emulator.arm.errors import ArmError, resource_not_found
from aib_emulator.arm.operations import operation_url
from aib_emulator.services.image_builder.refusal import RefusalError
from aib_emulator.services.image_builder.resources import NAMESPACE, RESOURCE_TYPE, ImageTemplate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.arm.operations import Operation
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.services.image_builder.desk import ImageTemplateDesk
    from aib_emulator.world import World

    Handler = Callable[[Call], Awaitable[Answer]]

ERRORS_WRAPPED_SINCE = "2021-10-01"


STATUS_CHOICES = {
    "ValidationFailed": "validation-failed-status",
    "Conflict": "conflict-status",
    "OperationNotAllowed": "operation-not-allowed-status",
}
"""Codes whose HTTP status nobody knows."""


def refusing(world: World, handle: Handler) -> Handler:
    """Return the handler with the service's refusals turned into answers of the caller's api-version."""

    async def answer(call: Call) -> Answer:
        try:
            return await handle(call)
        except RefusalError as refusal:
            raise ArmError(
                _status(world, refusal),
                refusal.code,
                refusal.message,
                is_wrapped=call.api_version >= ERRORS_WRAPPED_SINCE,
                style=BodyStyle.IMAGE_BUILDER,
            ) from refusal

    return answer


def _status(world: World, refusal: RefusalError) -> int:
    choice = STATUS_CHOICES.get(refusal.code)
    return refusal.status if choice is None else int(world.choices[choice])


def pretty(status: int, body: Any, headers: dict[str, str] | None = None, operation_id: str | None = None) -> Answer:
    """Return an answer that is written as Image Builder writes."""
    return Answer(status, body, headers or {}, BodyStyle.IMAGE_BUILDER, operation_id)


def accepted(world: World, call: Call, image_template: ImageTemplate, operation: Operation) -> Answer:
    """Return the answer to a call whose end is to be polled for."""
    headers = operation_headers(world, call, image_template, operation)
    return Answer(202, None, headers, operation_id=operation.operation_id)


def operation_headers(world: World, call: Call, image_template: ImageTemplate, operation: Operation) -> dict[str, str]:
    """Return where an operation is polled: two addresses that differ in their signatures."""
    path = (
        f"/subscriptions/{image_template.image_template_id.subscription_id}/providers/{NAMESPACE}"
        f"/locations/{image_template.location}/operations/{operation.operation_id}"
    )
    now = world.clock.now()
    urls = {
        header: operation_url(call.base_url, path, call.api_version, now, header=header)
        for header in ("Azure-AsyncOperation", "Location")
    }
    return {**urls, **world.settings.retry_headers}


def creation_headers(world: World, call: Call, image_template: ImageTemplate, operation: Operation) -> dict[str, str]:
    """Return the same for a PUT, which names one address only."""
    headers = operation_headers(world, call, image_template, operation)
    del headers["Location"]
    return headers


def image_template_id_of(call: Call) -> ResourceId:
    """Return the id of the image template that a call is about."""
    return group_resource_id(call, NAMESPACE, "imageTemplates", call.parameters["image_template_name"])


def find_image_template(desk: ImageTemplateDesk, call: Call) -> ImageTemplate:
    """Return the image template that a call is about, or raise ARM's 404."""
    image_template_id = image_template_id_of(call)
    image_template = desk.find(image_template_id)
    if image_template is None:
        raise resource_not_found(RESOURCE_TYPE, image_template_id.name, image_template_id.resource_group_name)
    return image_template
