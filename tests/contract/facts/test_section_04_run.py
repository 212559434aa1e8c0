"""Runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import ONE, create, document, last_run_status

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

FACTS = {
    "headers of a run": "contract/image_builder/test_wire.py::test_a_run_answers_202_with_two_addresses",
    "states as recorded, provisioningState stays": (
        "contract/image_builder/test_wire.py::test_a_run_as_the_recordings_show_it"
    ),
    "members of lastRunStatus and their order": "test_members_of_last_run_status",
    "which sub-states show is not known": "contract/image_builder/test_choices.py::test_what_is_chosen_is_answered",
    "a second run is refused": "contract/image_builder/test_runs.py::test_a_second_run_is_refused_while_one_goes_on",
    "a failed run": "contract/image_builder/test_runs.py::test_a_failing_customizer_fails_the_run",
    "a failed run leaves provisioningState alone": "test_a_failed_run_leaves_the_provisioning_state",
    "a run that succeeds in part": "contract/image_builder/test_runs.py::test_a_run_can_succeed_in_part",
    "a gateway timeout after the effect": "contract/control/test_control_door.py::test_a_lost_answer_to_a_run",
    "reads that fail in passing": "contract/control/test_control_door.py::test_reads_get_over_errors_of_the_server",
    "autoRun": "contract/image_builder/test_image_templates.py::test_an_image_template_may_run_by_itself",
    "no build timeout is four hours": (
        "unit/aib_emulator/services/image_builder/test_timeline.py::test_no_build_timeout_is_four_hours"
    ),
    "one to five minutes fail early": (
        "unit/aib_emulator/services/image_builder/test_timeline.py::test_hardly_any_time_fails_early"
    ),
    "the build timeout is at most 960": "test_the_longest_build",
}


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
