"""Tasks written down for `AirflowProcess.run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.airflow.cloud import GROUP, NAME

if TYPE_CHECKING:
    from tests.integration.airflow.cloud import Cloud

CREATE = "airflow_aib.operators.image_template.AzureImageTemplateCreateOperator"
DELETE = "airflow_aib.operators.image_template.AzureImageTemplateDeleteOperator"
RUN = "airflow_aib.operators.image_run.AzureImageTemplateRunOperator"
CANCEL = "airflow_aib.operators.image_run.AzureImageTemplateCancelOperator"
COLLECT = "airflow_aib.operators.log.AzureImageLogCollectOperator"
COPY = "airflow_aib.operators.vhd.AzureImageVhdCopyOperator"
SENSOR = "airflow_aib.sensors.image_run.AzureImageTemplateRunSensor"

DEFERRED = "running trigger in line"
"""What `dag.test()` says when a task has deferred."""

BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])

Task = tuple[str, dict[str, Any]]


def create(cloud: Cloud, task_id: str = "create", **arguments: Any) -> Task:
    """Write down a task that creates the image template, on the worker."""
    usual = {
        "image_template": cloud.image_template(),
        "resource_group_name": GROUP,
        "image_template_name": NAME,
        "deferrable": False,
    }
    return CREATE, {"task_id": task_id, **usual, **arguments}


def task(operator: str, task_id: str, **arguments: Any) -> Task:
    """Write down a task on the image template that is there."""
    return operator, {"task_id": task_id, "resource_group_name": GROUP, "image_template_name": NAME, **arguments}
