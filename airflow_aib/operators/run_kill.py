"""What becomes of a run when the worker that has asked for it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.hooks.unwanted_run import NOT_OURS, cancel_run
from airflow_aib.triggers.task_state import OVER_STATES, read_task_state

if TYPE_CHECKING:
    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.run_handle import ImageRunHandle
    from airflow_aib.triggers.task_state import TaskInstanceFacts


async def cancel_unwanted(
    settings: AzureSettings, handle: ImageRunHandle, task_instance: TaskInstanceFacts | None, log: TaskLog
) -> None:
    """Cancel the run of a task that is over, if it certainly is that task's own.

    :param settings: how Azure is reached
    :param handle: the run
    :param task_instance: whose state says whether the run is still wanted; None: it is not
    :param log: is told what came of it
    """
    if task_instance is not None:
        state = await read_task_state(task_instance)
        if state not in OVER_STATES:
            log.info("The task instance is %s, so its run is still wanted; it goes on.", state)
            return
    if not handle.is_own:
        log.info("The task is over; %s.", NOT_OURS)
    elif await cancel_run(settings, handle):
        log.info("Azure was asked to cancel the run, since its task is over.")
    else:
        log.info("The task is over, and no run of it goes on that could be cancelled.")
