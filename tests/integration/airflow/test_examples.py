"""The DAGs that the project ships, as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess

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
    assert [file["name"] for file in archive["files"]] == ["customization.log"]
    (event,) = result.asset_events
    assert event["uri"] == "azure-vm-image://corp/linux-vhd"
    assert event["extra"]["vhds"][0]["sha256"] == copy["sha256"]
    assert event["extra"]["log_archive"] == archive["location"]
    assert event["extra"]["source_version"]
