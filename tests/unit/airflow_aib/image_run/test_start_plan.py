from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_aib.image_run.choices import IF_RUNNING, IfRunning
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.image_run.start_plan import next_step

BEFORE, OURS, LATER = "2026-01-04T03:00:00.5Z", "2026-01-05T03:00:01.5Z", "2026-01-05T09:00:00Z"
ACCEPTED = ImageRunHandle("id", "2026-01-05T03:00:00+00:00", BEFORE, asked_at="2026-01-05T03:00:00+00:00")
UNANSWERED = replace(ACCEPTED, ownership=RunOwnership.UNCONFIRMED)
SEEN = replace(ACCEPTED, start_time=OURS)
ADOPTED = replace(SEEN, ownership=RunOwnership.FOREIGN)


def status(run_state: str, start_time: str = BEFORE) -> LastRunStatus:
    """Write a status."""
    return LastRunStatus(run_state, None, start_time, None, "")


@pytest.mark.parametrize("if_running", IF_RUNNING)
@pytest.mark.parametrize("run_state", [None, "Succeeded", "PartiallySucceeded", "Failed", "Canceled"])
def test_an_idle_image_template_is_run(if_running: IfRunning, run_state: str | None) -> None:
    """Nothing has to be chosen where nothing goes on."""
    assert next_step(status(run_state) if run_state else None, if_running) == "start"


@pytest.mark.parametrize(
    ("if_running", "running", "canceling"),
    [("wait", "wait", "wait"), ("adopt", "adopt", "wait"), ("cancel", "cancel", "wait"), ("fail", "fail", "fail")],
)
def test_a_run_of_somebody_else_is_dealt_with_as_the_user_chose(
    if_running: IfRunning, running: str, canceling: str
) -> None:
    """A run that is being cancelled makes no image to adopt, and cannot be cancelled again."""
    assert next_step(status("Running"), if_running) == running
    assert next_step(status("Canceling"), if_running) == canceling


@pytest.mark.parametrize("if_running", IF_RUNNING)
def test_a_run_that_this_task_has_given_up_is_waited_for(if_running: IfRunning) -> None:
    """It is the task's own, so that nothing has to be chosen, and no error is due."""
    assert next_step(status("Canceling"), if_running, is_former=True) == "wait"


@pytest.mark.parametrize("if_running", IF_RUNNING)
@pytest.mark.parametrize(
    ("remembered", "shown", "step"),
    [
        (SEEN, status("Running", OURS), "join"),
        (SEEN, status("Failed", OURS), "join"),
        (SEEN, status("Running", LATER), "lost"),
        (SEEN, status("Succeeded", LATER), "lost"),
        (SEEN, None, "join"),
        (ADOPTED, status("Running", OURS), "join"),
        (ADOPTED, status("Running", LATER), "lost"),
        (ACCEPTED, status("Succeeded", BEFORE), "join"),
        (ACCEPTED, status("Running", OURS), "join"),
        (ACCEPTED, status("Running", LATER), "lost"),
        (UNANSWERED, status("Running", OURS), "join"),
        (UNANSWERED, status("Failed", OURS), "join"),
        (UNANSWERED, status("Running", LATER), "lost"),
        (UNANSWERED, status("Succeeded", BEFORE), "start"),
    ],
)
def test_a_run_that_was_asked_for_comes_first(
    remembered: ImageRunHandle, shown: LastRunStatus | None, step: str, if_running: IfRunning
) -> None:
    """It is joined, over or not; only one that Azure has neither accepted nor shown is asked for again."""
    assert next_step(shown, if_running, remembered=remembered) == step
