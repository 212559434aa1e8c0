"""Goes on where an earlier emulator stopped: creations, deletions, runs and triggers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aib_emulator.keeping.codec import Shape, dataclass_shape
from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.resources import ImageTemplate
from aib_emulator.services.image_builder.run import ImageRun
from aib_emulator.services.image_builder.timeline import Phase, Timeline
from aib_emulator.services.image_builder.trigger import ImageTemplateTrigger
from aib_emulator.services.image_builder.words import Words

if TYPE_CHECKING:
    from aib_emulator.services.image_builder.desk import ImageTemplateDesk
    from aib_emulator.services.image_builder.trigger_desk import TriggerDesk
    from aib_emulator.world import World

PLAIN = dataclass_shape(ImageTemplate)


def _write(image_template: ImageTemplate) -> dict[str, Any]:
    run = image_template.run
    return {**PLAIN.write(image_template), "pending": None, "run": None if run is None else run.record()}


def _read(members: dict[str, Any]) -> ImageTemplate:
    record = members.pop("run")
    image_template = ImageTemplate(**members)
    if record is not None:
        image_template.run = ImageRun.from_record(image_template, record)
    return image_template


SHAPES = (Shape(ImageTemplate, _write, _read), ImageTemplateTrigger, Timeline, Phase, PlannedFault, Words)
"""What is written of image templates."""


class Resumption:
    """Go on with what was going on.

    :param world: what the services share
    :param desk: keeps the image templates
    :param triggers: keeps their triggers
    """

    def __init__(self, world: World, desk: ImageTemplateDesk, triggers: TriggerDesk) -> None:
        self._world = world
        self._desk = desk
        self._triggers = triggers

    async def resume(self) -> None:
        """Set everything going again; what has fallen due meanwhile is carried out in the order of its instants."""
        image_templates = self._desk.all()
        runs = [image_template.run for image_template in image_templates if image_template.run is not None]
        runs.sort(key=lambda run: run.timeline.start)
        self._world.runs.extend(runs)
        for image_template in image_templates:
            self._share(image_template)
            self._go_on(image_template)
            self._triggers.resume(image_template)
            if image_template.run is not None:
                await self._go_on_running(image_template, image_template.run)
        self._desk.watch.resume()

    def _share(self, image_template: ImageTemplate) -> None:
        # The resource shows the very tags and identity of its image template.
        resource = self._world.store.get(image_template.image_template_id)
        if resource is not None:
            resource.body.update(tags=image_template.tags, identity=image_template.identity)

    def _go_on(self, image_template: ImageTemplate) -> None:
        creation, deletion, due = image_template.creation, image_template.deletion, image_template.due
        if due is not None and creation is not None and creation.ended is None:
            self._desk.go_on_creating(image_template, creation, due)
        if due is not None and deletion is not None and deletion.ended is None:
            self._desk.go_on_deleting(image_template, deletion, due)

    async def _go_on_running(self, image_template: ImageTemplate, run: ImageRun) -> None:
        run.tell(partial(self._desk.when_over, image_template), partial(self._desk.touch, image_template))
        effects = self._desk.effects(run)
        if run.is_ended:
            expected = list(effects.late())
        else:
            await effects.count_lines()
            expected = list(effects.of_cancel() if run.timeline.reason == "cancel" else effects.of_run())
        if expected or not run.is_ended:
            run.expect(expected)
            self._world.schedule.add(run)
