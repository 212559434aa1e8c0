from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks import image_templates
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.log_relay import LogRelay
from airflow_aib.hooks.run_watch import LogLines, PhaseChange, WatchTrouble
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_status import read_last_run_status
from tests.integration.hooks.azure import NAME, Azure

if TYPE_CHECKING:
    from airflow_aib.hooks.run_watch import WatchUpdate


def event_of(updates: list[WatchUpdate]) -> RunEvent:
    """Return the event with which a watch ended."""
    assert isinstance(updates[-1], RunEvent)
    return updates[-1]


def lines_of(updates: list[WatchUpdate]) -> list[str]:
    """Return the lines of log that were told."""
    return [line for update in updates if isinstance(update, LogLines) for line in update.lines]


async def whole_log(azure: Azure) -> list[str]:
    """Return the lines of the customization log as it lies in the staging resource group."""
    body = await azure.service.require_image_template(azure.image_template_id)
    status = read_last_run_status(body)
    assert status is not None
    text = await StagingArea(azure.clients).read_customization_log(body, status)
    assert text is not None
    return text.splitlines()


async def test_a_run_is_watched_to_its_end_with_its_log(azure: Azure) -> None:
    """Every phase is told, and the log line for line, none lost and none doubled."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)

    updates = await azure.watch(handle, relay=LogRelay(StagingArea(azure.clients)))

    assert event_of(updates).status == "over"
    phases = [update.phase for update in updates if isinstance(update, PhaseChange)]
    assert phases[-1] == "Succeeded"
    assert "Running/Building" in phases
    assert lines_of(updates) == await whole_log(azure)


async def test_the_second_run_has_its_own_log(azure: Azure) -> None:
    """What lies there of the first run is not told for the second."""
    await azure.build()
    first = await whole_log(azure)
    handle = await azure.service.start_run(azure.image_template_id)

    updates = await azure.watch(handle, relay=LogRelay(StagingArea(azure.clients)))

    assert lines_of(updates) == await whole_log(azure)
    assert lines_of(updates) != first


async def test_a_failed_run_is_over_with_the_services_words(azure: Azure) -> None:
    """The end of a bad run carries the message of the service, and the log its last lines."""
    azure.control.plan_failure(kind="customizer", index=0, exit_code=3, output=["it broke here"])
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)

    updates = await azure.watch(handle, relay=LogRelay(StagingArea(azure.clients)))

    event = event_of(updates)
    assert event.last_run_status is not None
    assert event.last_run_status["run_state"] == "Failed"
    assert event.last_run_status["message"]
    assert any("it broke here" in line for line in lines_of(updates))


LOOK_FAULTS: dict[str, dict[str, object]] = {
    **{str(status): {"status": status} for status in (408, 409, 500, 502, 503, 504)},
    "429": {"status": 429, "retry_after": 1},
    "429 in milliseconds": {"status": 429, "retry_after_ms": 100},
    "reset": {"action": "reset"},
    "truncated": {"action": "truncated"},
    "malformed": {"action": "malformed"},
    "a page": {"status": 200, "body": "<html>Sign in to the Wi-Fi</html>", "headers": {"Content-Type": "text/html"}},
    "a list": {"status": 200, "body": []},
    "an empty object": {"status": 200, "body": {}},
}


async def test_faults_do_not_end_a_watch(azure: Azure) -> None:
    """Looks may fail in every way that may pass, one after the other; the watch sees the run's end all the same."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    planned = {
        azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", **fault)["fault_id"]: name
        for name, fault in LOOK_FAULTS.items()
    }

    updates = await azure.watch(handle)

    assert event_of(updates).status == "over"
    assert any(isinstance(update, WatchTrouble) for update in updates)
    assert {planned[fault["fault_id"]]: fault["struck"] for fault in azure.control.faults()} == dict.fromkeys(
        LOOK_FAULTS, 1
    )


async def test_faults_of_storage_do_not_end_a_watch(azure: Azure) -> None:
    """A log that cannot be read is told once, and again when it can."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    azure.control.plan_fault(method="GET", path="packerlogs", count=2, status=403)

    updates = await azure.watch(handle, relay=LogRelay(StagingArea(azure.clients)))

    assert event_of(updates).status == "over"
    assert lines_of(updates) == await whole_log(azure)


async def test_the_sign_in_service_may_be_away(azure: Azure) -> None:
    """A token that is refused, and cannot be renewed for a while, does not end a watch."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", status=401)
    azure.control.plan_fault(method="POST", path="oauth2/v2.0/token", count=2, status=503)

    assert event_of(await azure.watch(handle)).status == "over"


SIGN_IN_FAULTS: dict[str, dict[str, object]] = {
    "page": {"action": "content-type"},
    "malformed": {"action": "malformed"},
    "empty": {"status": 200, "body": {}},
    "passing by its word": {
        "status": 400,
        "body": {"error": "temporarily_unavailable", "error_description": "AADSTS1: Passing."},
    },
    "passing by its number": {
        "status": 400,
        "body": {"error": "invalid_grant", "error_description": "AADSTS90055: Too many requests."},
    },
}


async def test_a_sign_in_that_is_answered_badly_does_not_end_a_watch(azure: Azure) -> None:
    """What the sign-in service itself calls passing, or answers without sense, is borne as an absent one is."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", status=401, count=len(SIGN_IN_FAULTS))
    for fault in SIGN_IN_FAULTS.values():
        azure.control.plan_fault(method="POST", path="oauth2/v2.0/token", **fault)

    updates = await azure.watch(handle)

    assert event_of(updates).status == "over"
    assert any(isinstance(update, WatchTrouble) for update in updates)
    assert [fault["struck"] for fault in azure.control.faults()] == [len(SIGN_IN_FAULTS), 1, 1, 1, 1, 1]


async def test_a_look_that_drips_does_not_hold_up_a_watch(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes byte by byte, or a sign-in that is told to come back tomorrow, counts as none."""
    monkeypatch.setattr(image_templates, "LOOK_TIME", 0.5)
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", action="drip", bytes_per_second=1)
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", status=401)
    azure.control.plan_fault(method="POST", path="oauth2/v2.0/token", status=503, retry_after=86400)

    updates = await azure.watch(handle)

    assert event_of(updates).status == "over"
    assert len([update for update in updates if isinstance(update, WatchTrouble)]) == 2


async def test_a_name_that_cannot_be_looked_up_may_pass(azure: Azure) -> None:
    """DNS that fails is no answer, and no end of a watch."""
    settings = azure.settings(resource_manager_endpoint="https://nowhere.invalid")
    async with shared_clients(settings) as clients:
        with pytest.raises(ArmRequestError) as caught:
            await ImageTemplateService(clients).get_image_template(azure.image_template_id, retries=False)

    assert is_transient(caught.value)
    assert "nowhere.invalid" in str(caught.value)


async def test_a_deadline_ends_a_watch_and_nothing_else(azure: Azure) -> None:
    """A run that is overdue is reported, and goes on."""
    await azure.create()
    azure.control.set_scale(1)
    handle = await azure.service.start_run(azure.image_template_id)

    event = event_of(await azure.watch(handle, within=timedelta(seconds=0.5)))

    assert event.status == "timeout"
    body = await azure.service.require_image_template(azure.image_template_id)
    status = read_last_run_status(body)
    assert status is not None
    assert status.run_state == "Running"
    assert azure.count("POST", "/cancel") == 0


async def test_a_deleted_image_template_ends_a_watch(azure: Azure) -> None:
    """Who deletes an image template ends the watch of its run."""
    await azure.build()
    handle = await azure.service.prepare_run(azure.image_template_id)
    await azure.service.delete(azure.image_template_id)
    await azure.service.wait_until_deleted(azure.image_template_id, poll_interval=0.05)

    assert event_of(await azure.watch(handle)).status == "gone"


async def test_a_watch_without_permission_ends_at_once(azure: Azure) -> None:
    """403 is not waited out: the event says which permission lacks."""
    await azure.create()
    handle = await azure.service.start_run(azure.image_template_id)
    message = (
        "The client 'c' does not have authorization to perform action "
        "'Microsoft.VirtualMachineImages/imageTemplates/read' over scope '/subscriptions/s'."
    )
    body = {"error": {"code": "AuthorizationFailed", "message": message}}
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}$", count=99, status=403, body=body)

    event = event_of(await azure.watch(handle))

    assert event.status == "unwatchable"
    assert "permission Microsoft.VirtualMachineImages/imageTemplates/read on /subscriptions/s" in event.message
