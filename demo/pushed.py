"""Read what Airflow says of tasks, and what the provider's tasks have pushed: plain data in, plain data out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from demo.report import SUCCESS, Artifact, CopiedVhd, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterable

UNTROUBLED = (SUCCESS, "skipped", "upstream_failed", "removed")
KINDS = {"SharedImage": "gallery image version", "ManagedImage": "managed image", "VHD": "VHD"}


def describe_states(tasks: Iterable[dict[str, Any]]) -> str:
    """Return how many tasks are done, and the states of those that have begun and are not, short enough for a line."""
    known = sorted(tasks, key=lambda task: str(task["start_date"]))
    done = [task for task in known if task["state"] == SUCCESS]
    begun = [task for task in known if task["start_date"] and task["state"] != SUCCESS]
    states = ", ".join(f"{task['task_id'].rpartition('.')[2]} {task['state']}" for task in begun)
    return f"{len(done)} of {len(known)} tasks done{states and ': '}{states}"


def task_results(tasks: Iterable[dict[str, Any]]) -> tuple[TaskResult, ...]:
    """Return how the tasks ended, in the order of their start, those that never began last."""
    ordered = sorted(tasks, key=lambda task: (task["start_date"] is None, str(task["start_date"]), task["task_id"]))
    return tuple(TaskResult(task["task_id"], str(task["state"]), _seconds(task)) for task in ordered)


def is_trouble(task: dict[str, Any]) -> bool:
    """Return whether the log of the task is worth showing after a DAG run that failed, or did not end."""
    return bool(task["start_date"]) and task["state"] not in UNTROUBLED


def artifacts(image_run: dict[str, Any] | None) -> tuple[Artifact, ...]:
    """Return the artifacts in what the task that runs the image template has pushed."""
    found = (image_run or {}).get("artifacts", [])
    return tuple(
        Artifact(KINDS.get(artifact["kind"], artifact["kind"]), artifact["artifact_id"] or artifact["artifact_uri"])
        for artifact in found
    )


def copied_vhds(copies: list[dict[str, Any]] | None) -> tuple[CopiedVhd, ...]:
    """Return the copies in what the task that copies VHDs has pushed."""
    return tuple(
        CopiedVhd(copy["destination"], copy["length"], copy["allocated_bytes"], f"SHA-256 {copy['sha256']}")
        for copy in copies or []
    )


def archived_log_urls(archive: dict[str, Any] | None) -> tuple[str, ...]:
    """Return where the logs lie, from what the task that archives them has pushed."""
    return tuple(file["url"] for file in (archive or {}).get("files", []))


def log_lines(records: Iterable[Any]) -> list[str]:
    """Return a task log as lines, errors with their type and text, without the marks that fold it in the UI."""
    texts = [text for record in records for text in _record_texts(record)]
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if not line.startswith(("::group::", "::endgroup::"))]


def _record_texts(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return [str(record)]
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in record.get("error_detail") or []]
    return [str(record["event"]), *errors]


def _seconds(task: dict[str, Any]) -> float | None:
    """Return the time from start to end: Airflow's own `duration` may leave out what came before a deferral."""
    if not task["start_date"] or not task["end_date"]:
        return None
    start, end = (datetime.fromisoformat(task[name]) for name in ("start_date", "end_date"))
    return (end - start).total_seconds()
