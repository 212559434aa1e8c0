from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from demo.waiting import DemoError
from tests.chaos.asking import Asking
from tests.chaos.schedule import Build

if TYPE_CHECKING:
    from aib_emulator.control_client import ControlClient
    from demo.airflow_api import AirflowApi


@dataclass
class FakeAirflow:
    """Take DAG runs, or fail to.

    :param error: with which it fails
    :param runs: what was triggered
    """

    error: Exception | None = None
    runs: list[tuple[str, str, Any]] = field(default_factory=list)

    def trigger(self, dag_id: str, conf: dict[str, str], *, run_id: str, seconds: float) -> None:
        """Note the run."""
        assert seconds == 0
        if self.error is not None:
            raise self.error
        self.runs.append((dag_id, run_id, conf))


@dataclass
class FakeDoor:
    """Note what is planned."""

    planned: list[dict[str, Any]] = field(default_factory=list)

    def plan_failure(self, **failure: Any) -> None:
        """Note a failure."""
        self.planned.append(failure)


def asking(airflow: FakeAirflow, door: FakeDoor | None = None) -> Asking:
    """Ask a made-up Airflow."""
    return Asking(cast("AirflowApi", airflow), cast("ControlClient", door or FakeDoor()))


def test_a_build_is_a_dag_run_of_its_name() -> None:
    """So asking for it once more is not asking for another one; how it waits is its DAG's affair."""
    airflow = FakeAirflow()
    assert asking(airflow).ask(Build("one", "good", deferrable=True))
    assert asking(airflow).ask(Build("two", "good", deferrable=False))
    assert airflow.runs == [
        ("chaos_deferred", "one", {"image_template_name": "one"}),
        ("chaos_waiting", "two", {"image_template_name": "two"}),
    ]


@pytest.mark.parametrize("error", [DemoError("Airflow answered 500"), httpx.ConnectError("refused")])
def test_an_api_server_that_is_down_has_not_answered(error: Exception) -> None:
    """Neither an error of Airflow's nor a connection that is refused ends the fight."""
    assert not asking(FakeAirflow(error)).ask(Build("one", "good", deferrable=True))


def test_a_good_build_has_no_failure() -> None:
    """Each other fate is planned for the image template of that name."""
    door = FakeDoor()
    asking(FakeAirflow(), door).plan_failures(
        (Build("one", "good", deferrable=True), Build("two", "script", deferrable=True))
    )
    assert [failure["image_template"] for failure in door.planned] == ["two"]
