"""Runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import ONE, create, document, last_run_status

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def test_members_of_last_run_status(raw: RawArm) -> None:
    """While it runs there are five members, in the recorded order; at the end the sub-state is gone."""
    create(raw)
    raw.send("POST", f"{ONE}/run")
    assert list(last_run_status(raw)) == ["startTime", "endTime", "runState", "runSubState", "message"]
    raw.thread.control.advance(600)
    status = last_run_status(raw)
    assert list(status) == ["startTime", "endTime", "runState", "message"]
    assert status["message"] == ""


def test_a_failed_run_leaves_the_provisioning_state(raw: RawArm) -> None:
    """Only lastRunStatus tells; its message is a text, and the operation has the code."""
    create(raw)
    raw.thread.control.plan_failure(kind="customizer")
    operation = raw.send("POST", f"{ONE}/run").headers["Azure-AsyncOperation"]
    raw.thread.control.advance(600)
    properties = raw.send("GET", ONE).json()["properties"]
    assert (properties["provisioningState"], properties["lastRunStatus"]["runState"]) == ("Succeeded", "Failed")
    error = raw.send("GET", operation).json()["error"]
    assert (error["code"], error["message"]) == ("PackerBuildFailed", properties["lastRunStatus"]["message"])


@pytest.mark.parametrize(("minutes", "status"), [(0, 201), (960, 201), (961, 400), (-1, 400)])
def test_the_longest_build(raw: RawArm, minutes: int, status: int) -> None:
    """From 0 to 960 minutes are accepted."""
    body = document(raw.settings.subscription_id, buildTimeoutInMinutes=minutes)
    assert raw.send("PUT", ONE, body).status_code == status
