"""Mapped tasks, and rebuilds in a mapped task group: one DAG, several images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.integration.airflow.tasks import CREATE, DEFERRED, RUN

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud

NAMES = ("base", "web")
REBUILDS = """
import json
from airflow.sdk import DAG, task_group
from airflow_aib.task_groups.rebuild import image_rebuild

# Errors: {errors}

@task_group
def rebuild(name):
    image_rebuild(
        image_template=json.loads({document!r}),
        resource_group_name="images",
        image_template_name=name,
        log_destination="imagestore/images/logs",
        vhd_destination="imagestore/images/vhds",
        poll_interval=0.2,
        deferrable=False,
    )

with DAG("{dag_id}", schedule=None):
    rebuild.expand(name={names})
"""


def test_each_image_of_a_mapped_group_has_its_own_run(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Logs and VHDs are those of the run with the same map index."""
    document = json.dumps(cloud.image_template(with_vhd=True))

    result = airflow.run_file(REBUILDS, document=document, names=json.dumps(NAMES))

    assert result.state == "success"
    group = "rebuild.image_rebuild"
    for index, name in enumerate(NAMES):
        run = result.xcom(f"{group}.run[{index}]")
        assert run["image_template_id"].endswith(f"/{name}")
        archive = result.xcom(f"{group}.collect_logs[{index}]")
        assert archive["start_time"] == run["start_time"]
        assert f"/logs/{name}/" in archive["location"]
        (copy,) = result.xcom(f"{group}.copy_vhds[{index}]")
        (vhd,) = [artifact for artifact in run["artifacts"] if artifact["kind"] == "VHD"]
        assert copy["source"] == vhd["artifact_uri"]


def test_each_mapped_task_has_its_own_image_template(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Operators that are mapped one by one defer and resume each for its own image template."""
    usual = {"resource_group_name": "images", "deferrable": True, "expand": {"image_template_name": NAMES}}

    result = airflow.run(
        (CREATE, {"task_id": "create", "image_template": cloud.image_template(), **usual}),
        (RUN, {"task_id": "run", **usual}),
    )

    assert result.state == "success"
    assert result.log.count(DEFERRED) >= len(NAMES)
    runs = [result.xcom(f"run[{index}]") for index in range(len(NAMES))]
    assert [run["image_template_id"] for run in runs] == [
        result.xcom(f"create[{index}]") for index in range(len(NAMES))
    ]
    assert len({run["artifacts"][0]["artifact_id"] for run in runs}) == len(NAMES)
    body = cloud.body()
    assert body is not None
    # A dict is no Jinja template in a mapped task either.
    assert body["properties"]["customize"][1]["inline"] == ["for x in a b; do echo ${x}{{y}}; done"]
