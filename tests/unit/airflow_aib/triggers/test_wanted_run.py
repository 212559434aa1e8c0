from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.triggers.wanted_run import read_image_run
from tests.fakes import IMAGE_TEMPLATE_ID, START, start_time

HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))


def test_a_run_that_a_task_has_started_is_read() -> None:
    """What the run operator leaves is taken, however the image template's id is spelled."""
    assert read_image_run(HANDLE.to_json(), IMAGE_TEMPLATE_ID.upper()) == HANDLE


@pytest.mark.parametrize("nothing", [None, {}, ""])
def test_no_run_is_none(nothing: Any) -> None:
    """Whoever names no run means the last one."""
    assert read_image_run(nothing, IMAGE_TEMPLATE_ID) is None


@pytest.mark.parametrize(
    ("image_run", "shown"),
    [
        ("{'image_template_id': 1}", "image_template_id"),
        ({"image_template_id": IMAGE_TEMPLATE_ID, "run_state": "Succeeded"}, "an object of 'image_template_id', 'run_"),
        ([HANDLE.to_json()], "submit_time"),
    ],
    ids=["text", "what a run returns", "several"],
)
def test_another_xcom_is_explained(image_run: Any, shown: str) -> None:
    """Who passes what the run task returns learns which XCom is meant."""
    with pytest.raises(ImageTemplateError, match=r"Pass `run.output\['image_run'\]`") as caught:
        read_image_run(image_run, IMAGE_TEMPLATE_ID)
    assert shown in str(caught.value)


def test_a_run_of_another_image_template_is_refused() -> None:
    """A run that can never show must not be waited for."""
    with pytest.raises(ImageTemplateError, match=r"is a run of .*/base, and the task is about /other"):
        read_image_run(HANDLE.to_json(), "/other")
