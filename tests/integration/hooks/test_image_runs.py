from __future__ import annotations

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.image_run.run_status import parse_service_time, read_last_run_status
from tests.fakes import FakeClock
from tests.integration.hooks.azure import NAME, QUICK, VHD, Azure

FAULTS = [{"status": 500}, {"status": 504}, {"action": "reset"}]


async def test_a_run_is_started_and_known_by_its_start_time(azure: Azure) -> None:
    """The handle has the start time that the service shows, digit by digit."""
    await azure.create()

    handle = await azure.service.start_run(azure.image_template_id)

    body = await azure.service.require_image_template(azure.image_template_id)
    assert handle.start_time == body["properties"]["lastRunStatus"]["startTime"]
    assert parse_service_time(handle.start_time) is not None
    assert azure.count("POST", "/run") == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_run_whose_answer_was_lost_is_found(azure: Azure, fault: dict[str, object]) -> None:
    """One run goes on although its start was answered with an error, or not at all; it is asked for once."""
    await azure.create()
    azure.control.plan_fault(method="POST", path=f"{NAME}/run$", moment="after", **fault)

    handle = await azure.service.start_run(azure.image_template_id)

    assert handle.start_time is not None
    assert azure.count("POST", "/run") == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_run_that_was_never_carried_out_is_an_error(azure: Azure, fault: dict[str, object]) -> None:
    """When nothing appears in time, the start is reported as failed; the same handle starts it later."""
    await azure.create()
    azure.control.plan_fault(method="POST", path=f"{NAME}/run$", moment="before", **fault)
    service = ImageTemplateService(azure.clients, clock=FakeClock())
    prepared = await service.prepare_run(azure.image_template_id)

    with pytest.raises(ArmRequestError, match="no run has appeared"):
        await service.start_run(azure.image_template_id, handle=prepared)
    assert azure.count("POST", "/run") == 1

    handle = await azure.service.start_run(azure.image_template_id, handle=prepared)
    assert handle.start_time is not None
    assert azure.count("POST", "/run") == 2


async def test_the_request_limit_makes_a_start_wait(azure: Azure) -> None:
    """A 429 was not carried out: it is waited out, and the run is started once."""
    await azure.create()
    azure.control.plan_fault(method="POST", path=f"{NAME}/run$", status=429, headers={"Retry-After": "1"})

    handle = await azure.service.start_run(azure.image_template_id)

    assert handle.start_time is not None
    assert azure.count("POST", "/run") == 2


async def test_a_retry_joins_the_run_of_an_earlier_try(azure: Azure) -> None:
    """Who comes with the handle of a run gets that run, while it goes on and when it is over."""
    await azure.create()
    prepared = await azure.service.prepare_run(azure.image_template_id)
    first = await azure.service.start_run(azure.image_template_id, handle=prepared)

    joined = await azure.service.start_run(azure.image_template_id, handle=prepared)
    assert joined.start_time == first.start_time is not None
    await azure.watch(first)
    assert await azure.service.start_run(azure.image_template_id, handle=first) == first
    assert azure.count("POST", "/run") == 1


async def test_a_second_run_is_refused_with_the_name_of_the_first(azure: Azure) -> None:
    """Nobody's run is mistaken for another's: the one that goes on is named by its start time."""
    await azure.create()
    first = await azure.service.start_run(azure.image_template_id)

    with pytest.raises(ImageTemplateInUseError, match=str(first.start_time)):
        await azure.service.start_run(azure.image_template_id)


async def test_a_run_is_cancelled_and_its_end_awaited(azure: Azure) -> None:
    """Cancelling is answered at once; the end is what the service says later."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)

    assert await azure.service.cancel_run(azure.image_template_id, handle=handle) is True
    status = await azure.service.wait_until_over(azure.image_template_id, handle=handle, poll_interval=QUICK)

    assert status is not None
    assert (status.run_state, status.start_time) == ("Canceled", handle.start_time)
    assert await azure.service.cancel_run(azure.image_template_id, handle=handle) is False


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lost_answer_to_a_cancel_is_mended(azure: Azure, fault: dict[str, object], moment: str) -> None:
    """The run is cancelled in the end, whatever happened to the request."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    azure.control.plan_fault(method="POST", path=f"{NAME}/cancel$", moment=moment, **fault)

    assert await azure.service.cancel_run(azure.image_template_id, handle=handle) is True

    status = await azure.service.wait_until_over(azure.image_template_id, poll_interval=QUICK)
    assert status is not None
    assert status.run_state == "Canceled"


async def test_run_outputs_are_those_of_the_last_run(azure: Azure) -> None:
    """Each distributor that got that far has its output."""
    await azure.build(VHD)

    (output,) = await azure.service.list_run_outputs(azure.image_template_id)

    assert output["name"] == "disk"
    assert output["properties"]["artifactUri"].endswith(".vhd")


async def test_two_runs_differ_by_their_start_times(azure: Azure) -> None:
    """A later run has another identity, and the handle knows the one before."""
    _, first = await azure.build()
    handle = await azure.service.start_run(azure.image_template_id)

    body = await azure.service.require_image_template(azure.image_template_id)
    second = read_last_run_status(body)
    assert second is not None
    assert handle.previous_start_time == first.start_time != second.start_time == handle.start_time
