"""Whether a task instance is really over: what `on_kill` must know before it cancels anything.

Airflow calls `on_kill` when a person marks a task failed or successful, and also when one clears it, when a stalled
triggerer wakes up while another one already watches the same run, when a worker is shut down, and when an execution
timeout strikes. Only in the first case nobody is left who wants the run. Tried with Airflow 3.3: the state that the
supervisor gives is then `failed` or `success`; after a clear it is `restarting`, `None`, `scheduled`, `queued`,
`running` or `deferred`; after a move between triggerers `deferred`; and `running` while a worker is shut down.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

OVER_STATES = frozenset({"failed", "success", "skipped", "upstream_failed", "removed"})


class TaskInstanceFacts(Protocol):
    """Name what identifies a task instance, for workers and triggers alike."""

    dag_id: str
    task_id: str
    run_id: str
    map_index: int | None


async def read_task_state(task_instance: TaskInstanceFacts) -> str | None:
    """Ask Airflow for the task instance's present state.

    From a thread: in `on_kill` a direct question fails in a trigger, which has no portal there, and may deadlock on a
    worker, whose main thread is interrupted in whatever it did.
    """
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    is_mapped = task_instance.map_index is not None and task_instance.map_index >= 0
    states: Mapping[str, Mapping[str, Any]] = await asyncio.to_thread(
        RuntimeTaskInstance.get_task_states,
        dag_id=task_instance.dag_id,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        map_index=task_instance.map_index if is_mapped else None,
    )
    key = f"{task_instance.task_id}_{task_instance.map_index}" if is_mapped else task_instance.task_id
    state = states.get(task_instance.run_id, {}).get(key)
    return str(getattr(state, "value", state)) if state is not None else None
