"""Rebuilds that succeed partly or late: the whole task group, down to the asset event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.integration.airflow.tasks import DEFERRED

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud

GROUP = "image_rebuild"
REBUILD = """
import json
from airflow.sdk import DAG
from airflow_aib.assets.image import image_asset
from airflow_aib.operators.image_template import AzureImageTemplateDeleteOperator
from airflow_aib.task_groups.rebuild import image_rebuild

# Errors: {errors}

with DAG("{dag_id}", schedule=None):
    image_rebuild(
        image_template=json.loads({document!r}),
        resource_group_name="images",
        image_template_name="base",
        log_destination="imagestore/images/logs",
        vhd_destination="imagestore/images/vhds",
        asset=image_asset("corp", "linux-base"),
        deferrable=True,
        run_args=json.loads({run_args!r}),
    ) >> AzureImageTemplateDeleteOperator(
        task_id="delete", resource_group_name="images", image_template_name="base", deferrable=False
    )
"""


def test_an_accepted_partial_success_goes_all_the_way(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A VHD that may be missing is not asked for, does not hold the image template fast, and the asset says so."""
    cloud.plan_failure(kind="partial", index=1)

    result = airflow.run_file(
        REBUILD,
        document=json.dumps(cloud.image_template(with_vhd=True)),
        run_args=json.dumps({"on_partial_success": {"vhd": "warn"}}),
    )

    assert result.state == "success"
    assert result.xcom(f"{GROUP}.copy_vhds") == []
    (event,) = result.asset_events
    assert (event["extra"]["outcome"], event["extra"]["missing"]) == ("partly_succeeded", ["vhd"])
    assert "with nothing from 'vhd'; that is accepted" in result.log
    assert cloud.body() is None


def test_a_late_success_goes_all_the_way(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Late images are saved and published as any others; log, XCom and the asset event say that they came late."""
    cloud.plan_failure(kind="late_success", seconds=300)
    document = cloud.image_template(with_vhd=True, buildTimeoutInMinutes=10)

    result = airflow.run_file(
        REBUILD, document=json.dumps(document), run_args=json.dumps({"late_success_allowance": 60})
    )

    assert result.state == "success"
    assert result.xcom(f"{GROUP}.run")["outcome"] == "late_success"
    (copy,) = result.xcom(f"{GROUP}.copy_vhds")
    (event,) = result.asset_events
    assert event["extra"]["outcome"] == "late_success"
    assert event["extra"]["vhds"] == [copy]
    assert "The outcome is late_success" in result.log
    # The creation, the run with its wait for late images, and the copy.
    assert result.log.count(DEFERRED) == 3
