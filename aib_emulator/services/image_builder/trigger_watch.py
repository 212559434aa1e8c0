"""Lets triggers fire: a run for each version that an image template's source can newly be had in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.pending import CreationError
from aib_emulator.services.image_builder.sources import exact_version, source_completions
from aib_emulator.services.image_builder.trigger import failed_in_a_row, is_newer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.services.image_builder.run import ImageRun
    from aib_emulator.world import World

    Start = Callable[[ImageTemplate, datetime], object]


class Look:
    """Look once, at an instant known beforehand; a Process of the schedule.

    :param at: when
    :param look: what to do then
    """

    def __init__(self, at: datetime, look: Callable[[datetime], None]) -> None:
        self._at: datetime | None = at
        self._look = look

    def next_due(self) -> datetime | None:
        """Return when it looks; None when it has."""
        return self._at

    async def perform_next(self) -> None:
        """Look."""
        at, self._at = self._at, None
        if at is not None:
            self._look(at)

    def break_off(self, error: Exception) -> None:
        """Look no more."""
        del error
        self._at = None


class TriggerWatch:
    """Start runs for triggers: when a version is published, and when a run ends that was in the way.

    :param world: what the services share
    :param image_templates: returns all there are
    :param start: starts a run of one, at an instant
    """

    def __init__(self, world: World, image_templates: Callable[[], Iterable[ImageTemplate]], start: Start) -> None:
        self._world = world
        self._image_templates = image_templates
        self._start = start

    def version_is_published(self, at: datetime) -> None:
        """Look at every trigger at that instant, which may lie ahead: a version takes its time to be replicated."""
        self._world.schedule.add(Look(at, self._look_at_all))

    def resume(self) -> None:
        """Look at what has been published meanwhile, and once more when a version that is under way can be had."""
        now = self._world.clock.now()
        completions = self._world.compute.version_completions()
        for at in (now, *(completion for completion in completions if completion > now)):
            self.version_is_published(at)

    def look(self, image_template: ImageTemplate, at: datetime) -> None:
        """Start a run if the image template's trigger has a reason to, and nothing is in the way."""
        if image_template.run is not None:
            at = max(at, image_template.run.timeline.end)  # this look may come late, when that is over already
        newest = self._newest_unseen(image_template, at)
        if newest is not None and not self._is_hindered(image_template):
            self._start(image_template, at)

    def look_behind(self, image_template: ImageTemplate, run: ImageRun) -> None:
        """Look at what came while a run was in the way, and at what has come since its end: it may be told late."""
        end, now = run.timeline.end, self._world.clock.now()
        completions = source_completions(self._world, image_template.properties["source"])
        for at in (end, *sorted(at for at in completions if end < at <= now)):
            self.look(image_template, at)

    def note(self, image_template: ImageTemplate) -> None:
        """Note what a run builds, whoever started it: no trigger fires for that any more."""
        version = str(image_template.properties["source"].get("exactVersion", ""))
        for trigger in image_template.triggers.values():
            trigger.seen = version if is_newer(version, trigger.seen) else trigger.seen

    def newest(self, image_template: ImageTemplate, at: datetime) -> str:
        """Return the version that `latest` stands for; an empty text when there is none."""
        try:
            return exact_version(self._world, image_template, at)
        except CreationError:
            return ""

    def _look_at_all(self, at: datetime) -> None:
        for image_template in list(self._image_templates()):
            self.look(image_template, at)

    def _newest_unseen(self, image_template: ImageTemplate, at: datetime) -> str | None:
        active = [trigger for trigger in image_template.triggers.values() if trigger.state == "provisioned"]
        if not active or image_template.state != "provisioned":
            return None
        newest = self.newest(image_template, at)
        return newest if any(is_newer(newest, trigger.seen) for trigger in active) else None

    def _is_hindered(self, image_template: ImageTemplate) -> bool:
        now, run = self._world.clock.now(), image_template.run
        if run is not None and not run.look(now).is_over:
            return True  # its end is looked at
        return self.is_off(image_template)

    def is_off(self, image_template: ImageTemplate) -> bool:
        """Whether failures in a row have switched the image template's trigger off."""
        now, run = self._world.clock.now(), image_template.run
        last = [] if run is None else [run.look(now).run_state]
        failed = failed_in_a_row([*image_template.earlier_run_states, *last])
        return failed >= self._world.settings.trigger_failure_limit
