"""The emulated Azure of the model: time stands still unless somebody waits, and it is known who has begun which run."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.polling.poller import fleet_looks
from airflow_aib.hooks.run_async import run_async
from airflow_aib.image_run.run_status import RunState, parse_service_time
from tests.integration.airflow.cloud import Cloud
from tests.model.crashes import MortalLooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from datetime import datetime, timedelta

    from aib_emulator.server import EmulatorThread
    from airflow_aib.hooks.clients import AzureClients
    from tests.model.crashes import Interruption

PORTAL = "portal"


def is_followed(start: str, runs: Iterable[str]) -> bool:
    """Whether one of the runs has started after another one, which Azure tells nothing of any more."""
    before = parse_service_time(start)
    return any(began > before for began in map(parse_service_time, runs) if began is not None and before is not None)


@dataclass(frozen=True)
class EmulatedClock:
    """Tell the emulator's time, and put it forward in place of waiting."""

    emulator: EmulatorThread

    def now(self) -> datetime:
        """Give the emulated moment."""
        return self.emulator.emulator.world.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass, and whoever waits for this one have a turn."""
        # What is left may be less than the clock can tell, and would never pass.
        self.emulator.control.advance(max(seconds, 0.001))
        await asyncio.sleep(0)


@dataclass
class ModelAzure:
    """Be Azure with one image template, and keep who has begun and cancelled which run.

    :param emulator: the emulator
    :param owners: by start time: who has begun the run
    :param cancels: which run was cancelled, by whom, and how long after its start
    """

    emulator: EmulatorThread
    owners: dict[str, str] = field(default_factory=dict)
    cancels: list[tuple[str, str, timedelta]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the image template, then stop the time."""
        self.cloud = Cloud(self.emulator)
        self.clock = EmulatedClock(self.emulator)
        self.cloud.create()
        self.emulator.control.set_scale(0)

    def run_states(self) -> dict[str, str]:
        """Give the state of every run that has begun, by its start time."""
        world = self.emulator.emulator.world
        statuses = [run.last_run_status(world.clock.now()) for run in list(world.runs)]
        return {status["startTime"]: status["runState"] for status in statuses}

    def going_on(self) -> str | None:
        """Give the start time of the run that goes on."""
        return next((start for start, state in self.run_states().items() if state in {"Running", "Canceling"}), None)

    def attribute(self, name: str) -> None:
        """Note that whatever has begun since the last time was begun by somebody."""
        for start in self.run_states():
            self.owners.setdefault(start, name)

    def begin_foreign_run(self) -> None:
        """Begin a run in the portal, if Azure lets it."""
        self._do_in_portal("run")
        self.attribute(PORTAL)

    def begin_late_run(self, name: str) -> None:
        """Let a task's request come through that was not answered and had not come about when it was looked for."""
        self._do_in_portal("run")
        self.attribute(name)

    def cancel_in_portal(self) -> None:
        """Cancel whatever goes on."""
        with self.noting_cancels(PORTAL):
            self._do_in_portal("cancel")

    @contextmanager
    def noting_cancels(self, name: str) -> Iterator[None]:
        """Note whatever is cancelled meanwhile as somebody's deed."""
        running = {start for start, state in self.run_states().items() if state == RunState.RUNNING}
        try:
            yield
        finally:
            now = self.run_states()
            for start in running:
                started_at = parse_service_time(start)
                if now[start] in {RunState.CANCELING, RunState.CANCELED} and started_at is not None:
                    self.cancels.append((start, name, self.clock.now() - started_at))

    def advance(self, time: timedelta) -> None:
        """Let time pass."""
        self.emulator.control.advance(time.total_seconds())

    @asynccontextmanager
    async def open_service(
        self, name: str, interruption: Interruption, *, is_watch: bool = False
    ) -> AsyncIterator[ModelService]:
        """Lend what talks to Azure for a task.

        :param is_watch: whether it looks by the process's poller
        """
        async with shared_clients(self.cloud.settings) as clients:
            if not is_watch:
                yield ModelService(clients, self, name, interruption)
                return
            async with fleet_looks(clients, self.cloud.image_template_id, clock=self.clock) as looks:
                yield ModelService(clients, self, name, interruption, MortalLooks(looks, interruption))

    def _do_in_portal(self, action: str) -> None:
        async def act() -> None:
            async with shared_clients(self.cloud.settings) as clients:
                service = ImageTemplateService(clients, clock=self.clock)
                try:
                    await service._post(action, self.cloud.image_template_id)
                except ImageBuilderError:
                    # Azure has refused it: another run goes on, or none.
                    return

        run_async(act())


class ModelService(ImageTemplateService):
    """Do what the real one does; each exchange is a point at which the process may die, before its effect or after."""

    def __init__(
        self,
        clients: AzureClients,
        azure: ModelAzure,
        name: str,
        interruption: Interruption,
        looks: MortalLooks | None = None,
    ) -> None:
        super().__init__(clients, clock=azure.clock, looks=looks)
        self.azure = azure
        self.name = name
        self.interruption = interruption

    async def get_image_template(self, image_template_id: str, **options: Any) -> dict[str, Any] | None:
        """Look."""
        self.interruption.reach("before a look")
        body = await super().get_image_template(image_template_id, **options)
        self.interruption.reach("after a look")
        return body

    async def list_run_outputs(self, image_template_id: str, **options: Any) -> list[dict[str, Any]]:
        """List them."""
        self.interruption.reach("before the outputs are listed")
        return await super().list_run_outputs(image_template_id, **options)

    async def _post(self, action: str, image_template_id: str, *arguments: Any) -> None:
        self.interruption.reach(f"before {action}")
        try:
            with self.azure.noting_cancels(self.name):
                await super()._post(action, image_template_id, *arguments)
        finally:
            self.azure.attribute(self.name)
        self.interruption.reach(f"after {action}")
