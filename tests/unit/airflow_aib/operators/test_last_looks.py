from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageRunTimeoutError
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.operators.image_template import AzureImageTemplateCreateOperator, AzureImageTemplateDeleteOperator
from airflow_aib.operators.run_cancel import AzureImageTemplateCancelOperator
from airflow_aib.triggers.state_event import StateEvent
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    run_status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_aib.operators.base import WaitingOperator

EVENT = StateEvent("reached", IMAGE_TEMPLATE_ID, "It is so.").to_payload()
CREATE, DELETE, CANCEL = (
    AzureImageTemplateCreateOperator,
    AzureImageTemplateDeleteOperator,
    AzureImageTemplateCancelOperator,
)
ARGUMENTS: dict[type[WaitingOperator], dict[str, Any]] = {
    CREATE: {"image_template": {}, "resource_group_name": "images"},
    DELETE: {"image_template_id": IMAGE_TEMPLATE_ID},
    CANCEL: {"image_template_id": IMAGE_TEMPLATE_ID},
}
# What is not so yet, and what is.
STATES: dict[type[WaitingOperator], tuple[Any, Any]] = {
    CREATE: (image_template(provisioningState="Creating"), image_template()),
    DELETE: (image_template(provisioningState="Deleting"), None),
    CANCEL: (image_template(run_status("Canceling", None)), image_template(run_status("Canceled"))),
}
EACH = pytest.mark.parametrize("kind", ARGUMENTS, ids=["create", "delete", "cancel"])


def resume(kind: type[WaitingOperator], azure: FakeImageBuilder, waited: timedelta) -> Any:
    """Go on after a deferral of so long, with a scripted Azure."""

    class OnFake(kind):  # type: ignore[misc, valid-type]  # each of them
        @asynccontextmanager
        async def open_service(self) -> AsyncIterator[ImageTemplateService]:
            yield ImageTemplateService(fake_clients(azure), clock=FakeClock())

    operator = OnFake(task_id="task", **ARGUMENTS[kind])
    operator.hook.__dict__["settings"] = fake_clients(azure).settings
    return operator.execute_complete({}, EVENT, deferred_at=(datetime.now(UTC) - waited).isoformat())


@EACH
def test_the_whole_wait_is_told(kind: type[WaitingOperator]) -> None:
    """The error counts the deferred time too, and not only the minute of the last looks."""
    azure = FakeImageBuilder(STATES[kind][0])

    with pytest.raises((ArmRequestError, ImageRunTimeoutError), match="within 1:01:0"):
        resume(kind, azure, timedelta(hours=1))


@EACH
def test_an_outage_after_a_deferral_is_borne(kind: type[WaitingOperator]) -> None:
    """Looks that fail for minutes just then do not end the task."""
    azure = FakeImageBuilder(STATES[kind][1]).then("get", *[azure_error(503)] * 15)

    resume(kind, azure, timedelta(minutes=1))

    assert azure.calls.count("get") > 15
