"""Runs that scripted tests name by a letter, and handles of them."""

from __future__ import annotations

from airflow_aib.image_run.run_handle import ImageRunHandle
from tests.fakes import IMAGE_TEMPLATE_ID, START, run_status, start_time

RUNNING_A = run_status(start="A")
ENDED_A = run_status("Succeeded", start="A")
RUNNING_B = run_status(start="B")
ENDED_B = run_status("Succeeded", start="B")


def handle(start: str | None = None, previous: str | None = None) -> ImageRunHandle:
    """Give the handle of a run that Azure has accepted."""
    return ImageRunHandle(
        image_template_id=IMAGE_TEMPLATE_ID,
        submit_time=START.isoformat(),
        previous_start_time=start_time(previous) if previous else None,
        start_time=start_time(start) if start else None,
    )
