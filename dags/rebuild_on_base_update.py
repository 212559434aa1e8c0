"""Rebuild the web image whenever the Linux base image has been rebuilt.

It is woken by the asset that `rebuild_linux_gallery` emits, and just as well by an event that somebody posts for the
same asset to Airflow's REST API.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from airflow_aib.assets.image import image_asset
from airflow_aib.task_groups.rebuild import image_rebuild

with DAG(
    "rebuild_on_base_update",
    schedule=[image_asset("corp", "linux-base")],
    catchup=False,
    max_active_runs=1,
    tags=["images"],
):
    image_rebuild(
        image_template=Path(__file__).parent / "image_templates" / "linux_web.json",
        resource_group_name="images",
        parameters={
            "region": "eastus",
            "identityName": "image-builder",
            "gallery": "corp",
            "baseDefinition": "linux-base",
            "imageName": "linux-web",
        },
        log_destination="imagestore/images/logs",
        # Whoever builds it at that moment may have begun on the base image of before: wait, and build again.
        run_args={"if_running": "wait"},
    )
