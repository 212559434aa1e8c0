from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string  # type: ignore[attr-defined]  # Airflow's own use it from here
from airflow.sdk.serde import deserialize, serialize

from airflow_aib.exceptions import (
    ArmRequestError,
    ConnectionSettingsError,
    ImageArtifactMissingError,
    ImageBuilderError,
    ImageRunFailedError,
    VhdCopyError,
)
from airflow_aib.image_run.diagnosis import Diagnosis
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.triggers.copying import CopyEvent, CopyOrder
from airflow_aib.triggers.vhd import AzureImageVhdCopyTrigger
from airflow_aib.vhd.copy_options import CopyOptions
from airflow_aib.vhd.copy_plan import VhdCopyResult

TEMPLATE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
ORDER = CopyOrder(
    TEMPLATE,
    "imagestore/images",
    datetime(2026, 1, 6, tzinfo=UTC),
    "2026-01-05T03:00:01.123456789Z",
    CopyOptions(method="pages", retain_for=timedelta(days=1)),
    ("gallery",),
)
RESULT = VhdCopyResult("https://a/b", "https://c/d", "vhd", 1024, 512, 512, "abc", "etag")


def test_a_trigger_survives_storage() -> None:
    """What Airflow stores of the trigger is JSON, and makes the same trigger again."""
    trigger = AzureImageVhdCopyTrigger(order=ORDER.to_json(), not_before="2026-01-05T03:00:20+00:00", azure_conn_id="x")
    path, kwargs = trigger.serialize()
    restored: Any = deserialize(json.loads(json.dumps(serialize(kwargs))))

    again = import_string(path)(**restored)

    assert again.serialize() == trigger.serialize()
    assert again.order == ORDER


def test_results_travel() -> None:
    """What was saved arrives as it was."""
    event = CopyEvent.saved(TEMPLATE, [RESULT])

    assert CopyEvent.from_payload(json.loads(json.dumps(event.to_payload()))).require_results() == [RESULT]


@pytest.mark.parametrize(
    "error",
    [
        VhdCopyError("It was not copied", hint="Try again.", source="https://a"),
        ImageArtifactMissingError("Nothing is there", hint="Look."),
        ConnectionSettingsError("The connection is wrong", hint="Mend it."),
    ],
)
def test_an_error_arrives_as_what_it_was(error: Exception) -> None:
    """The operator raises the same kind of error with the same words, so that retries are judged alike."""
    payload = json.loads(json.dumps(CopyEvent.failed(TEMPLATE, error).to_payload()))

    with pytest.raises(type(error)) as caught:
        CopyEvent.from_payload(payload).require_results()
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    "error",
    [
        VhdCopyError("Refused", source="https://a/b", destination="https://c/d", code="Busy", status=503),
        ArmRequestError("Refused", code="Conflict", target="/s", request_id="r", status=409, looks=[1, None]),
        ImageArtifactMissingError("Nothing is there", run_output_names=["vhd", "gallery"]),
    ],
)
def test_what_an_error_carries_arrives(error: ImageBuilderError) -> None:
    """Programs find in an error that was met on the triggerer what they find in one of the worker."""
    payload = json.loads(json.dumps(CopyEvent.failed(TEMPLATE, error).to_payload()))

    with pytest.raises(type(error)) as caught:
        CopyEvent.from_payload(payload).require_results()
    assert vars(caught.value) == vars(error)


def test_what_has_no_form_in_json_stays() -> None:
    """A fact that Airflow could not store keeps no other one from travelling, and never the error."""
    status = LastRunStatus.from_json({"run_state": "Failed", "start_time": "2026-01-05T03:00:01Z"})
    error = ImageRunFailedError("It failed", image_template_id=TEMPLATE, last_run_status=status, odd={1, 2})
    payload = json.loads(json.dumps(CopyEvent.failed(TEMPLATE, error).to_payload()))

    with pytest.raises(ImageRunFailedError) as caught:
        CopyEvent.from_payload(payload).require_results()
    assert (caught.value.image_template_id, caught.value.last_run_status, caught.value.data) == (TEMPLATE, None, {})


def test_no_signature_travels() -> None:
    """Airflow stores an event unencrypted: what an error carries is masked as its words are."""
    address = "https://a/b?sig=c2VjcmV0c2VjcmV0c2VjcmV0"
    error = VhdCopyError("Refused", source=address, answer={"tried": [address]})

    assert "c2VjcmV0" not in json.dumps(CopyEvent.failed(TEMPLATE, error).to_payload())


def test_an_event_of_an_earlier_release_has_no_facts() -> None:
    """A trigger that an earlier release has started ends the task with its error all the same."""
    payload = CopyEvent.failed(TEMPLATE, VhdCopyError("Refused", source="https://a/b")).to_payload()
    del payload["facts"]

    with pytest.raises(VhdCopyError, match="Refused"):
        CopyEvent.from_payload(payload).require_results()


def test_a_diagnosis_travels() -> None:
    """What is known of an error decides about retries, also when it was met on the triggerer."""
    error = VhdCopyError("Refused", diagnosis=Diagnosis("missing-right", may_retry=False))
    payload = json.loads(json.dumps(CopyEvent.failed(TEMPLATE, error).to_payload()))

    with pytest.raises(VhdCopyError) as caught:
        CopyEvent.from_payload(payload).require_results()
    assert caught.value.diagnosis == error.diagnosis


def test_an_error_of_somebody_else_is_one_of_copying() -> None:
    """An error that is none of ours is named, and no signature in it gets through."""
    event = CopyEvent.failed(TEMPLATE, OSError("https://a/b?sig=c2VjcmV0c2VjcmV0c2VjcmV0"))

    with pytest.raises(VhdCopyError, match="OSError") as caught:
        event.require_results()
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize("payload", [None, "saved", {}, {"status": "over"}])
def test_an_unreadable_event_is_an_error(payload: object) -> None:
    """An event that is none says so, and what to do."""
    with pytest.raises(VhdCopyError, match="Clear the task"):
        CopyEvent.from_payload(payload)
