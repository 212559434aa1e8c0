"""Archiving logs and copying VHDs, through Airflow's own machinery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.airflow.cloud import NAME
from tests.integration.airflow.tasks import COLLECT, COPY, DELETE, RUN, task

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud

LOGS, VHDS = "imagestore/images/logs", "imagestore/images/vhds"


@pytest.fixture
def vhd_run(cloud: Cloud) -> str:
    """Build an image with a VHD, and give the run's start time."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    status = cloud.finish_run()
    assert status is not None
    return status.start_time


def tags(cloud: Cloud) -> dict[str, str]:
    """Read the image template's tags."""
    found: dict[str, str] = (cloud.body() or {}).get("tags") or {}
    return found


def test_what_is_saved_is_marked_and_may_go(airflow: AirflowProcess, cloud: Cloud, vhd_run: str) -> None:
    """Once log and VHD are saved, the image template says so, and it may be deleted."""
    result = airflow.run(
        task(COLLECT, "collect", destination=LOGS), task(COPY, "copy", destination=VHDS), task(DELETE, "delete")
    )

    assert result.state == "success"
    archive = result.xcom("collect")
    assert archive["start_time"] == vhd_run
    assert archive["files"][0]["url"].startswith(archive["location"])
    (copy,) = result.xcom("copy")
    assert copy["run_output_name"] == "vhd"
    assert copy["copied_bytes"] == copy["allocated_bytes"] > 0
    assert cloud.body() is None


def test_saving_twice_does_no_harm(airflow: AirflowProcess, cloud: Cloud, vhd_run: str) -> None:
    """The second time nothing travels, and the result is the same."""
    result = airflow.run(
        *(task(COLLECT, f"collect_{turn}", destination=LOGS) for turn in "ab"),
        *(task(COPY, f"copy_{turn}", destination=VHDS) for turn in "ab"),
    )

    assert result.state == "success"
    assert result.xcom("collect_a")["files"] == result.xcom("collect_b")["files"]
    (first,), (second,) = result.xcom("copy_a"), result.xcom("copy_b")
    assert (first["destination"], first["sha256"]) == (second["destination"], second["sha256"])
    assert second["copied_bytes"] == 0
    marks = tags(cloud)
    assert marks["airflow-aib-log-archived"] == marks["airflow-aib-vhd-copied.vhd"] == vhd_run


def test_the_log_of_a_failed_run_is_archived(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A bad end leaves a log too, and it is just as safe."""
    cloud.create()
    cloud.plan_failure(kind="customizer", exit_code=3)
    cloud.start_run()
    cloud.finish_run()

    result = airflow.run(task(COLLECT, "collect", destination=LOGS))

    archive = result.xcom("collect")
    assert archive["run_state"] == "Failed"
    assert [file["name"] for file in archive["files"]] == ["customization.log.gz"]


def test_an_image_template_that_never_ran_has_no_log(airflow: AirflowProcess, cloud: Cloud) -> None:
    """There is nothing to collect: the task skips itself."""
    cloud.create()

    result = airflow.run(task(COLLECT, "collect", destination=LOGS))

    assert result.task_states() == {"collect": "skipped"}


def test_a_run_that_goes_on_is_not_saved(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Half a log and no VHD are not worth a mark: both tasks fail and say since when the run goes on."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.emulator.control.set_scale(5)
    handle = cloud.start_run()

    for operator, destination in ((COLLECT, LOGS), (COPY, VHDS)):
        result = airflow.run(task(operator, "save", destination=destination))
        assert result.error().kind == "ImageTemplateInUseError"
        assert handle["start_time"] in result.error().text
    assert tags(cloud) == {}


def test_an_image_template_without_vhd_has_nothing_to_copy(airflow: AirflowProcess, cloud: Cloud) -> None:
    """No VHD is fine: the task gives an empty list and says so."""
    cloud.create()
    cloud.start_run()
    cloud.finish_run()

    result = airflow.run(task(COPY, "copy", destination=VHDS))

    assert result.xcom("copy") == []
    assert "nothing to copy" in result.log


def test_only_the_own_run_is_saved(airflow: AirflowProcess, cloud: Cloud) -> None:
    """With `run_task_id`, what somebody else's later run has left is not taken for one's own."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.emulator.control.set_scale(400)
    own = task(RUN, "run", deferrable=False)
    other = task(RUN, "other", deferrable=False)

    result = airflow.run(own, other, task(COPY, "copy", destination=VHDS, run_task_id="run"))

    assert result.task_states()["copy"] == "failed"
    assert result.xcom("run")["start_time"] in result.error().text
    assert "airflow-aib-vhd-copied.vhd" not in tags(cloud)


def test_the_copy_bears_every_fault_of_the_transport(airflow: AirflowProcess, cloud: Cloud, vhd_run: str) -> None:
    """Storage that is busy, fails or drops connections delays the copy, and the archive, and spoils neither."""
    for fault in ({"status": 503}, {"status": 500}, {"status": 429}, {"action": "reset"}):
        cloud.plan_fault(method="PUT", path="/imagestore/images/vhds/", **fault)
        cloud.plan_fault(method="GET", path="/vhds/", **fault)
        cloud.plan_fault(method="GET", path="/packerlogs", **fault)

    result = airflow.run(task(COPY, "copy", destination=VHDS), task(COLLECT, "collect", destination=LOGS))

    assert result.state == "success"
    assert tags(cloud)["airflow-aib-vhd-copied.vhd"] == vhd_run


def test_a_failed_copy_leaves_no_mark(airflow: AirflowProcess, cloud: Cloud, vhd_run: str) -> None:
    """When the destination refuses, the error says where, and the image template still cannot be deleted."""
    del vhd_run

    result = airflow.run(task(COPY, "copy", destination="imagestore/absent"))
    refused = airflow.run(task(DELETE, "delete", discard_logs=True))

    assert result.error().kind == "VhdCopyError"
    assert "/imagestore/absent/" in result.error().text
    assert refused.error().kind == "ImageTemplateInUseError"
    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 0
