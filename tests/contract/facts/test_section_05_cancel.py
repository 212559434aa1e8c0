"""Cancelling, and what is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.image_builder.calls import ONE, create, document, last_run_status

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def test_a_cancelled_run_as_recorded(raw: RawArm) -> None:
    """Canceling at once, without a sub-state and with the sentinel; Canceled 81 s later, with a real end."""
    create(raw)
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(200)
    raw.send("POST", f"{ONE}/cancel")
    first = last_run_status(raw)
    raw.thread.control.advance(81)
    last = last_run_status(raw)
    assert ("runSubState" in first, "runSubState" in last) == (False, False)
    assert (first["runState"], first["message"]) == ("Canceling", "Canceling image build")
    assert (last["runState"], last["message"]) == ("Canceled", "The build was canceled")
    assert (first["endTime"] == "0001-01-01T00:00:00Z", last["endTime"] == "0001-01-01T00:00:00Z") == (True, False)
    assert raw.send("GET", ONE).json()["properties"]["provisioningState"] == "Succeeded"


def test_a_cancel_while_it_distributes(raw: RawArm) -> None:
    """It is taken, and the run ends as Canceled; what it was distributing stays behind, and is no run output."""
    create(raw)
    definition_id = document(raw.settings.subscription_id)["properties"]["distribute"][0]["galleryImageId"]
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(376)
    assert last_run_status(raw)["runSubState"] == "Distributing"
    assert raw.send("POST", f"{ONE}/cancel").status_code == 204
    raw.thread.control.advance(81)
    assert last_run_status(raw)["runState"] == "Canceled"
    assert len(raw.send("GET", f"{definition_id}/versions").json()["value"]) == 1
    assert raw.send("GET", f"{ONE}/runOutputs").json()["value"] == []


def test_a_second_cancel_is_refused(raw: RawArm) -> None:
    """While a run is being cancelled, neither cancel nor run nor delete is allowed."""
    create(raw)
    raw.send("POST", f"{ONE}/run")
    raw.send("POST", f"{ONE}/cancel")
    answers = [raw.send("POST", f"{ONE}/cancel"), raw.send("POST", f"{ONE}/run"), raw.send("DELETE", ONE)]
    assert {answer.json()["error"]["code"] for answer in answers} == {"OperationNotAllowed"}
    assert all("run state: canceling" in answer.text for answer in answers)
