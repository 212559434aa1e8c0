"""One DAG whose builds wait on the triggerer, and one whose builds wait on the worker; each run is one build."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

from airflow_aib.operators.retry import ImageBuilderRetryPolicy
from airflow_aib.task_groups.rebuild import image_rebuild

if TYPE_CHECKING:
    from airflow.sdk import RetryDecision

ROOT = Path(__file__).resolve().parents[3]
RETRY_DELAY = timedelta(seconds=3)


class HastyRetryPolicy(ImageBuilderRetryPolicy):
    """Decide as the provider's own policy does, and wait for seconds where that waits for minutes."""

    def evaluate(self, *args: Any, **kwargs: Any) -> RetryDecision:
        """Decide about one failure."""
        return replace(super().evaluate(*args, **kwargs), retry_delay=RETRY_DELAY)


for dag_id, deferrable, at_once in (("chaos_deferred", True, 10), ("chaos_waiting", False, 5)):
    with DAG(
        dag_id,
        schedule=None,
        max_active_runs=at_once,
        params={"image_template_name": "unnamed"},
        # A kill costs a try, whatever the build does: so there are more tries than kills.
        default_args={"retries": 30, "retry_delay": RETRY_DELAY, "retry_policy": HastyRetryPolicy()},
    ) as dag:
        image_rebuild(
            image_template=ROOT / "dags" / "image_templates" / "linux_vhd.json",
            image_template_name="{{ params.image_template_name }}",
            resource_group_name="images",
            parameters={
                "region": "eastus",
                "identityName": "image-builder",
                "gallery": "corp",
                "imageDefinition": "linux-vhd",
            },
            log_destination="imagestore/images/logs",
            vhd_destination="imagestore/images/vhds",
            deferrable=deferrable,
        )
    globals()[dag_id] = dag
