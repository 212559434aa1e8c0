"""What to do about a run that is wanted, while an image template may have another one: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_aib.image_run.run_status import RunState

if TYPE_CHECKING:
    from airflow_aib.image_run.choices import IfRunning
    from airflow_aib.image_run.run_handle import ImageRunHandle
    from airflow_aib.image_run.run_status import LastRunStatus


class NextStep(StrEnum):
    """List what there is to do.

    `START`: nothing goes on, ask for a run. `JOIN`: ours is there, or is about to appear. `LOST`: a later run hides
    what became of ours. `ADOPT`, `WAIT`, `CANCEL`, `FAIL`: a run that is not ours goes on.
    """

    START = "start"
    JOIN = "join"
    LOST = "lost"
    ADOPT = "adopt"
    WAIT = "wait"
    CANCEL = "cancel"
    FAIL = "fail"


_STEPS: dict[IfRunning, NextStep] = {
    "wait": NextStep.WAIT,
    "adopt": NextStep.ADOPT,
    "cancel": NextStep.CANCEL,
    "fail": NextStep.FAIL,
}


def next_step(
    status: LastRunStatus | None,
    if_running: IfRunning,
    *,
    remembered: ImageRunHandle | None = None,
    is_former: bool = False,
) -> NextStep:
    """Decide what comes next.

    :param status: the image template's last run
    :param if_running: what to do about a run that is not ours
    :param remembered: the run that this task has asked for and not yet reported
    :param is_former: whether the run is this task's own of a former try, given up and not over yet
    """
    if remembered is not None:
        step = _step_with(remembered, status)
        if step is not None:
            return step
    if status is None or status.is_over:
        return NextStep.START
    if is_former:
        return NextStep.WAIT
    step = _STEPS[if_running]
    # A run that is being cancelled makes no image, and cannot be cancelled again.
    is_ending = status.run_state == RunState.CANCELING
    return NextStep.WAIT if is_ending and step in {NextStep.ADOPT, NextStep.CANCEL} else step


def _step_with(remembered: ImageRunHandle, status: LastRunStatus | None) -> NextStep | None:
    if remembered.matches(status):
        return NextStep.JOIN
    if remembered.is_overtaken_by(status):
        return NextStep.LOST
    # What Azure has accepted will appear; what it never answered is asked for again.
    is_answered = remembered.is_own or remembered.start_time is not None
    return NextStep.JOIN if is_answered else None
