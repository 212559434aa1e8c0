"""The DAGs that the project ships, as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.airflow.airflow_process import DAGS
from tests.integration.airflow.tasks import RUN, create, task

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud

GROUP = "image_rebuild"


def test_the_vhd_is_rebuilt_copied_and_published(airflow: AirflowProcess) -> None:
    """The demo's DAG builds, archives the log, copies the VHD and emits the asset, with its defaults alone."""
    result = airflow.run_example("rebuild_linux_vhd")

    assert result.state == "success"
    run = result.xcom(f"{GROUP}.run")
    assert run["run_state"] == "Succeeded"
    assert {artifact["kind"] for artifact in run["artifacts"]} == {"SharedImage", "VHD"}
    (copy,) = result.xcom(f"{GROUP}.copy_vhds")
    assert "/imagestore/images/vhds/" in copy["destination"]
    archive = result.xcom(f"{GROUP}.collect_logs")
    assert [file["name"] for file in archive["files"]] == ["customization.log.gz"]
    (event,) = result.asset_events
    assert event["uri"] == "azure-vm-image://corp/linux-vhd"
    assert event["extra"]["vhds"][0]["sha256"] == copy["sha256"]
    assert event["extra"]["log_archive"] == archive["location"]
    assert event["extra"]["source_version"]


def test_a_failed_build_publishes_nothing_but_its_log(airflow: AirflowProcess, cloud: Cloud) -> None:
    """When the build fails, its log is archived all the same, nothing is published, and the DAG run has failed."""
    cloud.plan_failure(kind="customizer", index=0, exit_code=2)

    result = airflow.run_example("rebuild_linux_vhd")

    assert result.state == "failed"
    assert result.task_states() == {
        f"{GROUP}.create": "success",
        f"{GROUP}.run": "failed",
        f"{GROUP}.collect_logs": "success",
        f"{GROUP}.copy_vhds": "upstream_failed",
        f"{GROUP}.publish": "upstream_failed",
    }
    assert result.xcom(f"{GROUP}.collect_logs")["run_state"] == "Failed"
    assert result.asset_events == []


def test_a_failed_creation_leaves_nothing_to_collect(airflow: AirflowProcess, cloud: Cloud) -> None:
    """When the image template cannot be created, collecting skips itself, and the DAG run has failed."""
    cloud.plan_failure(kind="creation", code="BadPIRSource", message="No such version.")

    result = airflow.run_example("rebuild_linux_vhd")

    assert result.state == "failed"
    assert result.task_states() == {
        f"{GROUP}.create": "failed",
        f"{GROUP}.run": "upstream_failed",
        f"{GROUP}.collect_logs": "skipped",
        f"{GROUP}.copy_vhds": "upstream_failed",
        f"{GROUP}.publish": "upstream_failed",
    }


def test_an_image_that_is_not_saved_is_not_published(airflow: AirflowProcess) -> None:
    """When neither log nor VHD can be saved, the DAG run has failed and nothing downstream runs on nothing."""
    result = airflow.run_example("rebuild_linux_vhd", {"destination": "imagestore/no-such-container"})

    assert result.state == "failed"
    states = result.task_states()
    assert states[f"{GROUP}.run"] == "success"
    assert states[f"{GROUP}.collect_logs"] == states[f"{GROUP}.copy_vhds"] == "failed"
    assert states[f"{GROUP}.publish"] == "upstream_failed"
    assert result.asset_events == []


def test_the_gallery_image_is_rebuilt_with_the_same_image_template(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Two runs of the weekly DAG make two image versions with one image template."""
    first = airflow.run_example("rebuild_linux_gallery")
    second = airflow.run_example("rebuild_linux_gallery")

    assert (first.state, second.state) == ("success", "success")
    assert cloud.count("PUT", "imageTemplates/linux-base") == 1
    versions = {run.xcom(f"{GROUP}.run")["artifacts"][0]["artifact_id"] for run in (first, second)}
    assert len(versions) == 2


def test_the_base_image_wakes_the_next_one(airflow: AirflowProcess) -> None:
    """The DAG that waits for the base image's asset builds on the version that the first DAG has published."""
    base = airflow.run_example("rebuild_linux_gallery")

    result = airflow.run_example("rebuild_on_base_update")

    assert result.state == "success"
    version = base.xcom(f"{GROUP}.run")["artifacts"][0]["artifact_id"]
    assert result.xcom(f"{GROUP}.run")["source_version"].lower() == version.lower()


@pytest.mark.parametrize("name", ["linux", "linux_vhd", "windows"])
def test_the_documents_build(airflow: AirflowProcess, cloud: Cloud, name: str) -> None:
    """Azure takes in and builds each document, with every kind of customizer and distributor between them."""
    parameters = {
        "region": "eastus",
        "identityName": "image-builder",
        "gallery": "corp",
        "imageDefinition": "windows-base" if name == "windows" else "linux-base",
        "scripts": "https://raw.githubusercontent.com/example/images/main",
    }
    document = str(DAGS / "image_templates" / f"{name}.json")

    result = airflow.run(
        create(cloud, image_template=document, parameters=parameters), task(RUN, "run", deferrable=False)
    )

    assert result.state == "success"
