"""Asks Airflow for builds, one DAG run for each, also of an api-server that has just been killed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import httpx

from demo.waiting import DemoError, wait_for
from tests.chaos.schedule import FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.control_client import ControlClient
    from demo.airflow_api import AirflowApi
    from tests.chaos.schedule import Build

DAGS = {True: "chaos_deferred", False: "chaos_waiting"}
"""By whether a build is deferrable."""


@dataclass(frozen=True)
class Asking:
    """Ask for builds.

    :param api: Airflow's.
    :param door: the emulator's control door.
    """

    api: AirflowApi
    door: ControlClient

    def prepare(self, show: Callable[[str], None]) -> None:
        """Wait until Airflow knows the DAGs, and let them run.

        :param show: told what is waited for.
        """
        for dag_id in DAGS.values():
            show(f"waiting for the DAG processor to bring in {dag_id}")
            wait_for(partial(self.api.dag, dag_id), seconds=180, what=f"the DAG {dag_id}", interval=1)
            self.api.unpause(dag_id)

    def plan_failures(self, builds: tuple[Build, ...]) -> None:
        """Let Azure do to each build what is its fate."""
        for build in builds:
            failure = FAILURES.get(build.fate)
            if failure is not None:
                self.door.plan_failure(**failure, image_template=build.name)

    def ask(self, build: Build) -> bool:
        """Ask for a build; False when there was no good answer: ask again then, the name makes it the same one."""
        conf = {"image_template_name": build.name}
        try:
            self.api.trigger(DAGS[build.deferrable], conf, run_id=build.name, seconds=0)
        except (DemoError, httpx.TransportError):
            return False
        return True
