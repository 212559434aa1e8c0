from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.triggers.watching import WatchOrder, watch_with
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    fake_clients,
    image_template,
    run_status,
    start_time,
)

HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=start_time("A"))
FAILED = run_status("Failed", message="Failed in distributing 1 images out of total 1")
ENDED = datetime(2026, 1, 5, 4, 0, 0, 500_000, tzinfo=UTC)
ALLOWANCE = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (ENDED + timedelta(minutes=20), ENDED + ALLOWANCE),
        (ENDED + timedelta(hours=3), ENDED + timedelta(hours=3)),
        (ENDED - timedelta(minutes=5), ENDED - timedelta(minutes=5) + ALLOWANCE),
    ],
    ids=["moved to another triggerer", "retried hours later", "a clock that is behind"],
)
async def test_late_images_are_waited_for_from_the_runs_end_on(now: datetime, until: datetime) -> None:
    """Whoever takes over does not begin anew, and looks once at least."""
    clock = FakeClock(now)
    azure = FakeImageBuilder(image_template(FAILED, distribute=[{"type": "VHD", "runOutputName": "late"}]))
    service = ImageTemplateService(fake_clients(azure), clock=clock)
    order = WatchOrder(HANDLE, now + timedelta(days=1), late_allowance=ALLOWANCE.total_seconds())

    event = await watch_with(service, order, log=logging.getLogger(__name__))

    assert (event.status, event.late_artifacts) == ("over", ())
    assert azure.calls.count("outputs") >= 1
    assert clock.now() == until
