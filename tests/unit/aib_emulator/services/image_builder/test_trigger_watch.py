from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.operations import Operation
from aib_emulator.clock import ManualClock
from aib_emulator.services.compute.catalogue import PlatformCatalogue
from aib_emulator.services.image_builder.run import ImageRun
from aib_emulator.services.image_builder.timeline import plan_run
from aib_emulator.services.image_builder.trigger import ImageTemplateTrigger
from aib_emulator.services.image_builder.trigger_watch import TriggerWatch
from tests.unit.aib_emulator.services.image_builder.samples import START, image_template

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.services.image_builder.resources import ImageTemplate


def has_run() -> tuple[ImageTemplate, ImageRun]:
    """Return an image template with a trigger that has seen nothing yet, and its run that is over."""
    made = image_template()
    made.triggers["t"] = ImageTemplateTrigger("t", "SourceImage", state="provisioned")
    made.run = ImageRun(made, plan_run(made.properties, START), Operation("op", START))
    return made, made.run


def starts_at(made: ImageTemplate, look_at: datetime) -> list[datetime]:
    """Return when runs are started by a look as of this instant, which is had a day later."""
    catalogue, started = PlatformCatalogue(), []

    def latest(*image: str) -> str:
        return catalogue.versions(*image)[-1]

    world: Any = SimpleNamespace(
        clock=ManualClock(START + timedelta(days=1)),
        compute=SimpleNamespace(latest_platform_version=latest),
        settings=SimpleNamespace(trigger_failure_limit=3),
    )
    watch = TriggerWatch(world, lambda: [made], lambda _, at: started.append(at))
    watch.look(made, look_at)
    return started


def test_no_run_starts_in_the_midst_of_another() -> None:
    """A look that comes late, when the run that was in the way is over, starts the next one at that one's end."""
    made, run = has_run()
    assert starts_at(made, START + timedelta(seconds=60)) == [run.timeline.end]


def test_a_run_starts_at_the_instant_of_the_look() -> None:
    """Where nothing was in the way then, that is when the run begins."""
    made, run = has_run()
    later = run.timeline.end + timedelta(seconds=1)
    assert starts_at(made, later) == [later]
