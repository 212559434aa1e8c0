from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.operators.run_cancel import AzureImageTemplateCancelOperator
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    run_status,
    start_time,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OURS = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))


class OperatorOnFake(AzureImageTemplateCancelOperator):
    """Cancel runs in a scripted Azure."""

    azure: FakeImageBuilder

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[ImageTemplateService]:
        """Lend the scripted Azure."""
        yield ImageTemplateService(fake_clients(self.azure), clock=FakeClock())


def cancel(azure: FakeImageBuilder, **arguments: Any) -> Any:
    """Carry out the task."""
    operator = OperatorOnFake(task_id="cancel", image_template_id=IMAGE_TEMPLATE_ID, deferrable=True, **arguments)
    operator.azure = azure
    operator.hook.__dict__["settings"] = settings_from_connection(
        conn_type="azure_image_builder", extra={"subscriptionId": "s", "auth_method": "default"}
    )
    return operator.execute({})


def test_a_run_of_somebody_else_is_neither_cancelled_nor_waited_for() -> None:
    """When ours is past, another run that goes on is none of the task's business."""
    azure = FakeImageBuilder(image_template(run_status(start="B")))

    assert cancel(azure, image_run=OURS.to_json())["start_time"] == start_time("B")
    assert "cancel" not in azure.calls


def test_our_run_is_cancelled_and_waited_for() -> None:
    """The cancel is sent, and its end is the triggerer's to see."""
    azure = FakeImageBuilder(image_template(run_status(start="A")))

    with pytest.raises(TaskDeferred):
        cancel(azure, image_run=OURS.to_json())
    assert azure.calls.count("cancel") == 1


def test_an_outage_does_not_leave_the_run_going_on() -> None:
    """The cancel is asked for until Azure has heard it."""
    azure = FakeImageBuilder(image_template(run_status(start="A")))
    azure.then("cancel", *[azure_error(503)] * 9, azure.runs(run_status("Canceling", None, start="A")))

    with pytest.raises(TaskDeferred):
        cancel(azure)
    assert azure.calls.count("cancel") == 10
