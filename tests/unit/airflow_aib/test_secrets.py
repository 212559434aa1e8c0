from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ConnectionSettingsError
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.image_templates import provisioning_failed, refuse_error_body
from airflow_aib.hooks.run_watch import watch_run
from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_run
from airflow_aib.image_run.log_location import log_locations
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import read_last_run_status
from airflow_aib.triggers.image_template import AzureImageTemplateRunTrigger, AzureImageTemplateStateTrigger
from airflow_aib.triggers.wanted_run import WantedRun
from airflow_aib.triggers.watching import WatchOrder
from tests.fakes import IMAGE_TEMPLATE_ID, START, SUBSCRIPTION, FakeClock, FakeReader, image_template, run_status

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

    from airflow_aib.image_run.run_status import LastRunStatus

MARKER = "SECRET"
WORDS = f"Cannot load https://s.blob.core.windows.net/scripts/a.sh?sv=1&sig={MARKER}%2Fx: 403."
LOG = "https://staging.blob.core.windows.net/packerlogs/0e59c0fd-9c2a-4a61-9c1e-1f0ab4ab1f2a/customization.log"
FAILED = image_template(run_status("Failed", message=f"{WORDS} The log is {LOG}"))
HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, START.isoformat(), start_time=run_status()["startTime"])
MOMENT = START.isoformat()


def failed_status() -> LastRunStatus:
    """Read the status of the run that failed."""
    status = read_last_run_status(FAILED)
    assert status is not None
    return status


async def events_of_the_watch() -> list[Any]:
    """Watch the run to its end."""
    deadline = START + timedelta(hours=5)
    return [update async for update in watch_run(FakeReader([FAILED]), HANDLE, deadline=deadline, clock=FakeClock())]


def quotes() -> dict[str, str]:
    """Make each text that quotes Azure: two errors, and the diagnosis that is the text of a failed run's error."""
    with pytest.raises(ArmRequestError) as refused:
        refuse_error_body(IMAGE_TEMPLATE_ID, {"error": {"code": "Bad", "message": WORDS}}, None)
    failure = {"provisioningErrorCode": "BadScript", "message": WORDS}
    not_taken = provisioning_failed(IMAGE_TEMPLATE_ID, image_template(None, provisioningError=failure))
    log = parse_customization_log(f"PACKER OUT     azure-arm: E: {WORDS}")
    diagnosis = diagnose(evidence_of_run(failed_status(), {}, log))
    return {
        "refused": f"{refused.value} {refused.value.data}",
        "provisioning": f"{not_taken} {not_taken.data}",
        "diagnosis": f"{diagnosis.lines()} {diagnosis.to_json()}",
    }


def test_a_status_shows_no_signature_and_still_leads_to_the_log() -> None:
    """What tasks return of a status has Azure's words without what opens a script; the log is still found."""
    shown = json.dumps(failed_status().to_json())

    assert "Cannot load https://s.blob" in shown
    assert MARKER not in shown
    assert [location.address for location in log_locations(failed_status().message)] == [LOG]


async def test_a_watch_tells_no_signature() -> None:
    """Neither what is logged of a run nor its event shows a signature, though both quote Azure."""
    updates = await events_of_the_watch()

    assert isinstance(updates[-1], RunEvent)
    assert "Cannot load" in updates[-1].message
    assert MARKER not in json.dumps(updates[-1].to_payload()) + "".join(update.message for update in updates)


@pytest.mark.parametrize("name", ["refused", "provisioning", "diagnosis"])
def test_an_error_that_quotes_azure_shows_no_signature(name: str) -> None:
    """Errors land in logs and mails."""
    assert "Cannot load" in quotes()[name]
    assert MARKER not in quotes()[name]


SECRETS = {
    "login": "client-id",
    "password": f"{MARKER}-password",
    "extra": {
        "tenantId": "tenant",
        "subscriptionId": SUBSCRIPTION,
        "key_json": "",
        "unknown": f"{MARKER}-unknown",
        "client_secret": f"{MARKER}-client",
    },
}
BROKEN = {**SECRETS, "extra": {**SECRETS["extra"], "cloud_environment": "nowhere"}}  # type: ignore[dict-item]  # JSON


def test_a_wrong_field_is_shown_without_a_password() -> None:
    """An address with a password is refused, and quoted without it."""
    extra = {"cloud_environment": "custom", "resource_manager_endpoint": f"https://me:{MARKER}@host"}

    with pytest.raises(ConnectionSettingsError, match=r"https://me:\*\*\*@host") as caught:
        settings_from_connection(conn_type="azure_image_builder", extra=extra)
    assert MARKER not in str(caught.value)


def triggers() -> list[BaseTrigger]:
    """Make both triggers, for the connection with secrets."""
    order = WatchOrder(HANDLE, START)
    return [
        AzureImageTemplateRunTrigger(order=order.to_json(), not_before=MOMENT, azure_conn_id="marked"),
        AzureImageTemplateStateTrigger(
            image_template_id=IMAGE_TEMPLATE_ID,
            wait_for="over",
            deadline=MOMENT,
            not_before=MOMENT,
            run=WantedRun(HANDLE).to_json(),
            azure_conn_id="marked",
        ),
    ]


@pytest.mark.parametrize("trigger", triggers(), ids=["run", "state"])
async def test_nothing_of_the_connection_is_stored(monkeypatch: pytest.MonkeyPatch, trigger: Any) -> None:
    """Airflow stores triggers and events unencrypted: neither has anything of the connection but its id."""
    monkeypatch.setenv("AIRFLOW_CONN_MARKED", json.dumps({"conn_type": "azure_image_builder", **BROKEN}))

    (event,) = [event async for event in trigger.run()]

    assert "nowhere" in json.dumps(event.payload)
    assert MARKER not in json.dumps([event.payload, trigger.serialize()])


async def test_a_trigger_that_has_read_its_connection_stores_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger keeps the connection's settings, and they are no part of what is stored when it moves."""
    monkeypatch.setenv("AIRFLOW_CONN_MARKED", json.dumps({"conn_type": "azure_image_builder", **SECRETS}))
    trigger: Any = triggers()[0]

    assert (await trigger._read_settings()).client_secret == f"{MARKER}-password"

    assert MARKER not in json.dumps(trigger.serialize())
