"""Rebuild the Linux image every Monday as a gallery image version and as a VHD that is copied out."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from airflow_aib.assets.image import image_asset
from airflow_aib.task_groups.rebuild import image_rebuild

with DAG(
    "rebuild_linux_vhd",
    schedule="0 4 * * 1",
    catchup=False,
    max_active_runs=1,
    params={"region": "eastus", "resource_group": "images", "destination": "imagestore/images"},
    tags=["images"],
):
    image_rebuild(
        image_template=Path(__file__).parent / "image_templates" / "linux_vhd.json",
        resource_group_name="{{ params.resource_group }}",
        parameters={
            "region": "{{ params.region }}",
            "identityName": "image-builder",
            "gallery": "corp",
            "imageDefinition": "linux-vhd",
        },
        log_destination="{{ params.destination }}/logs",
        vhd_destination="{{ params.destination }}/vhds",
        asset=image_asset("corp", "linux-vhd"),
    )
