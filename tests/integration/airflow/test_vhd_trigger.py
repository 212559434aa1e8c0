"""VHDs copied from the triggerer: the trigger driven by hand, and a task that defers to it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks import clients
from airflow_aib.triggers.copying import CopyEvent, CopyOrder
from airflow_aib.triggers.vhd import AzureImageVhdCopyTrigger
from airflow_aib.vhd.copy_options import CopyOptions
from tests.fakes import FakeSupervisor, FakeTaskInstance
from tests.integration.airflow.tasks import BOTH_MODES, COPY, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_aib.vhd.copy_plan import VhdCopyResult
    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

VHDS = "imagestore/images/vhds"
PIECE = "PUT /{account}/{container}/{blob}?comp=page"


@pytest.fixture
def vhd_run(cloud: Cloud, connection: str) -> str:
    """Build an image with a VHD, and give the run's start time."""
    del connection
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    status = cloud.finish_run()
    assert status is not None
    return status.start_time


def copy_trigger(cloud: Cloud, start_time: str, **options: Any) -> AzureImageVhdCopyTrigger:
    """Make the trigger, by way of what Airflow stores of it."""
    now = datetime.now(UTC)
    order = CopyOrder(
        cloud.image_template_id,
        VHDS,
        now + timedelta(hours=1),
        start_time,
        CopyOptions(**{"concurrency": 2, **options}),
    )
    trigger = AzureImageVhdCopyTrigger(order=order.to_json(), not_before=now.isoformat())
    path, kwargs = trigger.serialize()
    assert path == "airflow_aib.triggers.vhd.AzureImageVhdCopyTrigger"
    return AzureImageVhdCopyTrigger(**kwargs)


async def results_of(trigger: AzureImageVhdCopyTrigger) -> list[VhdCopyResult]:
    """Run a trigger to its end."""
    (payload,) = [event.payload async for event in trigger.run()]
    return CopyEvent.from_payload(payload).require_results()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, half a minute at most."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - what is waited for happens in other threads
            await asyncio.sleep(0.01)


def pieces_copied(cloud: Cloud) -> int:
    """Count the pieces that storage was asked to copy, and did."""
    return cloud.emulator.control.count_requests(endpoint="blob", status="201").get(PIECE, 0)


async def kill(trigger: AzureImageVhdCopyTrigger, state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a trigger whose task instance is in a state."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", FakeSupervisor(state), raising=False)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs
    await trigger.on_kill()


@BOTH_MODES
def test_vhds_are_copied_from_either_place(cloud: Cloud, legs: Legs, vhd_run: str, *, deferrable: bool) -> None:
    """The task returns the same, whether the worker or the triggerer has seen to the copy."""
    (copy,) = legs.run(task(COPY, "copy", destination=VHDS, deferrable=deferrable))

    assert copy["run_output_name"] == "vhd"
    assert copy["copied_bytes"] == copy["allocated_bytes"] > 0
    assert len(legs.events) == int(deferrable)
    assert ((cloud.body() or {}).get("tags") or {})["airflow-aib-vhd-copied.vhd"] == vhd_run


@BOTH_MODES
def test_an_error_is_the_same_from_either_place(cloud: Cloud, legs: Legs, vhd_run: str, *, deferrable: bool) -> None:
    """A copy that cannot be made fails the task with the same error, and leaves no mark."""
    del vhd_run

    with pytest.raises(VhdCopyError, match="Create the container first"):
        legs.run(task(COPY, "copy", destination="imagestore/absent", deferrable=deferrable))

    assert not ((cloud.body() or {}).get("tags") or {}).get("airflow-aib-vhd-copied.vhd")


@BOTH_MODES
def test_a_copy_has_an_end(legs: Legs, vhd_run: str, *, deferrable: bool) -> None:
    """A copy that is not done in its time is an error, which says how to go on."""
    del vhd_run

    with pytest.raises(VhdCopyError, match="copy_timeout"):
        legs.run(task(COPY, "copy", destination=VHDS, deferrable=deferrable, copy_timeout=timedelta(microseconds=1)))


async def test_the_trigger_lets_the_clients_go_before_its_event(cloud: Cloud, vhd_run: str) -> None:
    """Nothing is awaited after the event: Airflow would take that for a trigger that has to be killed."""
    events = copy_trigger(cloud, vhd_run).run()

    await anext(events)

    assert clients._shared == {}
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_moved_trigger_copies_on(cloud: Cloud, vhd_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its triggerer goes, another one goes on: what the destination holds does not travel again."""
    cloud.plan_fault(method="PUT", path="/imagestore/images/vhds", skip=2, count=None, status=503)
    first = copy_trigger(cloud, vhd_run, concurrency=1)
    running = asyncio.create_task(results_of(first))
    await until(lambda: pieces_copied(cloud) >= 1)
    running.cancel()
    await asyncio.wait({running})
    await kill(first, "deferred", monkeypatch)
    before = pieces_copied(cloud)
    cloud.emulator.control.clear_plans()

    (result,) = await results_of(copy_trigger(cloud, vhd_run))

    assert 0 < result.copied_bytes < result.allocated_bytes
    assert before > 0


@pytest.mark.parametrize(
    ("state", "is_ended"), [("failed", True), ("success", True), ("deferred", False), (None, False)]
)
async def test_only_a_task_that_is_over_ends_what_storage_does_by_itself(
    cloud: Cloud, vhd_run: str, monkeypatch: pytest.MonkeyPatch, state: str | None, *, is_ended: bool
) -> None:
    """A person's kill ends a Copy Blob that goes on; a move to another triggerer, or a clear, leaves it."""
    cloud.emulator.control.set_copy_pace(1.0)
    trigger = copy_trigger(cloud, vhd_run, method="copy_blob")
    running = asyncio.create_task(results_of(trigger))
    await until(
        lambda: "PUT /{account}/{container}/{blob}" in cloud.emulator.control.count_requests(path="images/vhds/")
    )
    running.cancel()
    await asyncio.wait({running})

    await kill(trigger, state, monkeypatch)

    aborts = cloud.emulator.control.count_requests(endpoint="blob").get(
        "PUT /{account}/{container}/{blob}?comp=copy", 0
    )
    assert aborts == int(is_ended)
