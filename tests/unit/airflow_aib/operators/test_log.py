from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ImageRunStuckError
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.operators.log import AzureImageLogCollectOperator
from airflow_aib.triggers.options import WaitingOptions
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    FakeClock,
    FakeImageBuilder,
    fake_clients,
    image_template,
    run_status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class OperatorOnFake(AzureImageLogCollectOperator):
    """Collect from a scripted Azure."""

    azure: FakeImageBuilder
    clock: FakeClock

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[ImageTemplateService]:
        """Lend the scripted Azure."""
        yield ImageTemplateService(fake_clients(self.azure), clock=self.clock)


def collector(azure: FakeImageBuilder) -> OperatorOnFake:
    """Make the task, in a deployment that waits otherwise than by default."""
    operator = OperatorOnFake(task_id="save", image_template_id=IMAGE_TEMPLATE_ID, destination="account/logs")
    operator.azure, operator.clock = azure, FakeClock()
    operator.hook.__dict__["settings"] = fake_clients(azure).settings
    operator.__dict__["waiting"] = WaitingOptions(poll_interval=60.0, cancel_allowance=300.0)
    return operator


def test_a_cancel_that_does_not_end_is_waited_for_as_the_options_say() -> None:
    """Interval and allowance are the deployment's, and the error says how long that was."""
    operator = collector(FakeImageBuilder(image_template(run_status("Canceling", None))))

    with pytest.raises(ImageRunStuckError, match="was not over within 0:05:00"):
        operator.execute({})
    assert 50 < max(operator.clock.pauses) < 70
