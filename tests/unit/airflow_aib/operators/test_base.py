from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk import DAG, task_group
from airflow.sdk.exceptions import AirflowSkipException

from airflow_aib.exceptions import ImageRunWatchError, ImageTemplateError
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.operators.base import HANDLE_XCOM, ImageTemplateOperator, read_started_run
from airflow_aib.operators.log import AzureImageLogCollectOperator
from airflow_aib.task_groups.rebuild import image_rebuild

if TYPE_CHECKING:
    from airflow.sdk import Context

OF_RUN = "/subscriptions/s/resourceGroups/images/providers/Microsoft.VirtualMachineImages/imageTemplates/linux"
PLAIN, MAPPED = "image_rebuild.run", "rebuild.image_rebuild.run"


@dataclass
class FakeTaskInstance:
    """Give XComs as Airflow's own task instance does: without a map index, those of all of them."""

    runs: dict[int, str | None]
    map_index: int = -1
    task_id: str = "collect"

    def xcom_pull(self, task_ids: str, *, key: str, map_indexes: Any = "all") -> Any:
        """Give the handle of the run that a task has started."""
        assert (task_ids, key) in {(PLAIN, HANDLE_XCOM), (MAPPED, HANDLE_XCOM)}
        if map_indexes == "all":
            return [handle(start) for start in self.runs.values()]
        map_index = -1 if map_indexes is None else map_indexes
        return handle(self.runs[map_index]) if map_index in self.runs else None


def handle(start_time: str | None) -> dict[str, Any]:
    """Give what a task that starts a run leaves."""
    return ImageRunHandle(OF_RUN, "2026-01-02T03:04:05+00:00", start_time=start_time).to_json()


def rebuilds() -> DAG:
    """Make a DAG with a plain rebuild, and one in a mapped task group."""

    @task_group
    def rebuild(name: str) -> None:
        image_rebuild(
            image_template={}, resource_group_name="images", image_template_name=name, log_destination="account/logs"
        )

    with DAG("dag", schedule=None) as dag:
        image_rebuild(image_template={}, resource_group_name="images", log_destination="account/logs")
        rebuild.expand(name=["linux", "windows"])
    return dag


def read(task_id: str | None, task_instance: FakeTaskInstance) -> str | None:
    """Read the start time as a task does."""
    run = read_started_run(cast("Context", {"dag": rebuilds(), "ti": task_instance}), task_id)
    return run.start_time if run else None


def test_the_run_of_a_task_is_found() -> None:
    """A task that comes after a run knows it by its start time."""
    assert read(PLAIN, FakeTaskInstance({-1: "A"})) == "A"


def test_a_run_that_was_never_seen_is_not_guessed() -> None:
    """A run whose start time is not known is not taken for the last one, which may be somebody else's."""
    with pytest.raises(ImageRunWatchError, match="has not seen it start"):
        read(PLAIN, FakeTaskInstance({-1: None}))


def test_without_a_task_the_last_run_is_meant() -> None:
    """Nobody is asked then."""
    assert read(None, FakeTaskInstance({})) is None


def test_a_task_in_a_mapped_group_finds_its_own_run() -> None:
    """Each map index has its own run."""
    assert read(MAPPED, FakeTaskInstance({0: "A", 1: "B"}, map_index=1)) == "B"


def test_a_mapped_task_finds_the_one_run_of_a_plain_one() -> None:
    """A run task that is not mapped has one run for all of them."""
    assert read(PLAIN, FakeTaskInstance({-1: "A"}, map_index=1)) == "A"


def test_one_of_several_runs_is_never_guessed() -> None:
    """A task that is not mapped does not know which of several runs it is about."""
    with pytest.raises(ImageTemplateError, match="there are several of it"):
        read(MAPPED, FakeTaskInstance({0: "A", 1: "B"}))


def test_without_a_run_there_is_nothing_to_do() -> None:
    """A task whose run was never started is skipped."""
    with pytest.raises(AirflowSkipException, match="nothing to collect"):
        read(MAPPED, FakeTaskInstance({0: "A"}, map_index=1))


@pytest.mark.parametrize(
    ("named", "found"),
    [({}, OF_RUN), ({"image_template_id": "/other"}, "/other")],
    ids=["by nothing", "by its id"],
)
def test_the_image_template_of_the_run_is_meant(named: dict[str, Any], found: str) -> None:
    """Where the task itself names one, that one counts."""
    task = AzureImageLogCollectOperator(task_id="collect", destination="account/logs", run_task_id="run", **named)

    assert task.find_image_template_of(ImageRunHandle.from_json(handle("A"))) == found


def test_without_a_run_an_image_template_must_be_named() -> None:
    """The last run alone does not say of which image template."""
    task = ImageTemplateOperator(task_id="collect", image_template_id="/named")

    assert task.find_image_template_of(None) == "/named"
