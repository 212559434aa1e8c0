"""Rebuild the Linux base image every Monday from the newest marketplace version, with one image template."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, Param

from airflow_aib.assets.image import image_asset
from airflow_aib.task_groups.rebuild import image_rebuild

with DAG(
    "rebuild_linux_gallery",
    schedule="0 3 * * 1",
    catchup=False,
    max_active_runs=1,
    params={"scripts": Param("https://raw.githubusercontent.com/example/images/main", description="folder of scripts")},
    tags=["images"],
):
    image_rebuild(
        image_template=Path(__file__).parent / "image_templates" / "linux.json",
        resource_group_name="images",
        parameters={
            "region": "eastus",
            "identityName": "image-builder",
            "gallery": "corp",
            "imageDefinition": "linux-base",
            "scripts": "{{ params.scripts }}",
        },
        log_destination="imagestore/images/logs",
        asset=image_asset("corp", "linux-base"),
    )
