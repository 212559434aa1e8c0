"""A task run leg by leg in this process: much quicker than `dag.test()`, for what does not depend on Airflow itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string  # type: ignore[attr-defined]  # Airflow's own use it from here

from tests.fakes import FakeStore, FakeTaskInstance

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import BaseOperator
    from airflow.triggers.base import BaseTrigger


@dataclass
class Legs:
    """Run tasks on the image template as Airflow does: on the worker, maybe on the triggerer, and on the worker again.

    :param task_instance: of all the tasks
    :param store: their state
    :param events: what triggers have sent
    """

    task_instance: FakeTaskInstance = field(default_factory=FakeTaskInstance)
    store: FakeStore = field(default_factory=FakeStore)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def context(self) -> Any:
        """What Airflow hands to a task."""
        return {"ti": self.task_instance, "task_state_store": self.store}

    def run(self, written: tuple[str, dict[str, Any]], while_deferred: Callable[[], object] = lambda: None) -> Any:
        """Run a task to its end, and give what it returns.

        :param written: the task, as `AirflowProcess.run` takes it
        :param while_deferred: done each time the task has deferred, before its trigger starts
        """

        def leg() -> Any:
            return self.make(written).execute(self.context)

        while True:
            try:
                return leg()
            except TaskDeferred as deferred:
                while_deferred()
                # A task goes on in another process: nothing but the event is left.
                leg = partial(self._resume, written, deferred)

    def _resume(self, written: tuple[str, dict[str, Any]], deferred: TaskDeferred) -> Any:
        path, kwargs = deferred.trigger.serialize()
        event = asyncio.run(_one_event(import_string(path)(**kwargs)))
        self.events.append(event)
        kwargs = {**(deferred.kwargs or {}), "event": event}
        return self.make(written).resume_execution(str(deferred.method_name), kwargs, self.context)

    def make(self, written: tuple[str, dict[str, Any]]) -> BaseOperator:
        """Make the operator of a task, with its fields rendered."""
        path, arguments = written
        operator: BaseOperator = import_string(path)(**arguments)
        operator.render_template_fields(self.context)
        return operator


async def _one_event(trigger: BaseTrigger) -> dict[str, Any]:
    (payload,) = [event.payload async for event in trigger.run()]
    return dict(payload)
