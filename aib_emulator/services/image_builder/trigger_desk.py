"""Carries out the calls about an image template's triggers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.members import TRIGGER, read
from aib_emulator.services.image_builder.pending import CreationError, Pending
from aib_emulator.services.image_builder.refusal import bad_value, update_not_supported
from aib_emulator.services.image_builder.trigger import (
    ImageTemplateTrigger,
    check_distributors,
    check_kind,
    check_number,
    check_source,
)
from aib_emulator.services.image_builder.validation import NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.image_builder.desk import ImageTemplateDesk
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World

CREATION_SECONDS = 1.6
DELETION_SECONDS = 0.7


class TriggerDesk:
    """Put and delete triggers.

    :param world: what the services share
    :param desk: keeps the image templates
    """

    def __init__(self, world: World, desk: ImageTemplateDesk) -> None:
        self._world = world
        self._desk = desk

    def put(
        self, image_template: ImageTemplate, name: str, sent: dict[str, Any], api_version: str
    ) -> tuple[ImageTemplateTrigger, Operation | None]:
        """Begin to create a trigger; one that is there already stays as it is, without an operation."""
        if not NAME.fullmatch(name):
            raise bad_value("ImageTemplate.triggers", "name", name)
        body = read(sent, TRIGGER, api_version, "ImageTemplate", "triggers")
        known = image_template.triggers.get(name.lower())
        kind = check_kind(body.get("properties") or {}, known)
        if image_template.state != "provisioned" or (known is not None and known.state == "deleting"):
            raise self._desk.not_allowed(image_template, "triggers/write")
        if known is not None and self._world.choices["second-trigger"] == "refused":
            raise update_not_supported()
        if known is not None:
            return known, None
        self._check(image_template)
        trigger = image_template.triggers[name.lower()] = ImageTemplateTrigger(name, kind)
        return trigger, self._begin_creation(image_template, trigger)

    def delete(self, image_template: ImageTemplate, trigger: ImageTemplateTrigger) -> Operation:
        """Begin to delete a trigger, which fires no more; asked again meanwhile, return the operation that does it."""
        if trigger.deletion is not None:
            return trigger.deletion
        operation = trigger.deletion = self._world.operations.start(self._world.clock.now())
        trigger.state = "deleting"
        self._go_on_deleting(image_template, trigger, operation)
        return operation

    def resume(self, image_template: ImageTemplate) -> None:
        """Go on with the creations and deletions of an image template's triggers."""
        for trigger in image_template.triggers.values():
            if trigger.creation is not None and trigger.creation.ended is None:
                self._go_on_creating(image_template, trigger, trigger.creation)
            if trigger.deletion is not None and trigger.deletion.ended is None:
                self._go_on_deleting(image_template, trigger, trigger.deletion)

    def _go_on_deleting(
        self, image_template: ImageTemplate, trigger: ImageTemplateTrigger, operation: Operation
    ) -> None:
        async def carry_out() -> None:
            image_template.triggers.pop(trigger.name.lower(), None)

        self._begin(image_template, operation, DELETION_SECONDS, carry_out)

    def _begin_creation(self, image_template: ImageTemplate, trigger: ImageTemplateTrigger) -> Operation:
        now, watch = self._world.clock.now(), self._desk.watch
        trigger.seen = watch.newest(image_template, now)
        operation = trigger.creation = self._world.operations.start(now)
        self._go_on_creating(image_template, trigger, operation)
        return operation

    def _go_on_creating(
        self, image_template: ImageTemplate, trigger: ImageTemplateTrigger, operation: Operation
    ) -> None:
        watch, done_at = self._desk.watch, operation.started + timedelta(seconds=CREATION_SECONDS)

        async def carry_out() -> None:
            if trigger.state == "creating":
                trigger.state, trigger.active_since = "provisioned", done_at
                watch.look(image_template, done_at)

        self._begin(image_template, operation, CREATION_SECONDS, carry_out)

    def _begin(
        self,
        image_template: ImageTemplate,
        operation: Operation,
        seconds: float,
        carry_out: Callable[[], Awaitable[None]],
    ) -> None:
        at, touch = operation.started + timedelta(seconds=seconds), self._world.store.touch
        when_over = partial(touch, image_template.image_template_id)
        self._world.schedule.add(Pending(at, operation, carry_out, _ignore, when_over))

    def _check(self, image_template: ImageTemplate) -> None:
        properties = image_template.properties
        check_source(properties["source"])
        check_distributors(properties["source"], properties["distribute"])
        everywhere = self._desk.list(image_template.image_template_id.subscription_id, None)
        in_region = sum(len(other.triggers) for other in everywhere if other.location == image_template.location)
        check_number(len(image_template.triggers), in_region, self._world.settings.triggers_in_a_region)


def _ignore(_: CreationError) -> None:
    """Let the operation alone say that it failed."""
