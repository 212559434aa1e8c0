from __future__ import annotations

from typing import Any

from demo.pushed import archived_log_urls, artifacts, copied_vhds, describe_states, is_trouble, log_lines, task_results
from demo.report import Artifact, CopiedVhd, TaskResult


def task(task_id: str, state: str | None, start: str | None = None, end: str | None = None) -> dict[str, Any]:
    """Return a task instance as Airflow's REST API shows it."""
    return {"task_id": task_id, "state": state, "start_date": start, "end_date": end}


TASKS = [
    task("waiting", None),
    task("run", "success", "2026-11-22T16:43:10Z", "2026-11-22T16:43:48.5Z"),
    task("create", "success", "2026-11-22T16:43:05.5Z", "2026-11-22T16:43:09Z"),
]


def test_tasks_come_in_the_order_of_their_start() -> None:
    """The duration is from start to end, and tasks that never began come last."""
    assert task_results(TASKS) == (
        TaskResult("create", "success", 3.5),
        TaskResult("run", "success", 38.5),
        TaskResult("waiting", "None", None),
    )


def test_the_states_name_only_what_is_under_way() -> None:
    """The progress line counts what is done and names what has begun, without the task group."""
    copying = task("image_rebuild.copy_vhds", "running", "2026-11-22T16:43:50Z")

    assert describe_states([*TASKS, copying]) == "2 of 4 tasks done: copy_vhds running"
    assert describe_states([task("create", None)]) == "0 of 1 tasks done"


def test_trouble_is_what_began_and_did_not_end_well() -> None:
    """The log of a task that failed, or still runs when time is up, is worth showing; that of its followers is not."""
    assert is_trouble(task("run", "failed", "2026-11-22T16:43:10Z"))
    assert is_trouble(task("run", "deferred", "2026-11-22T16:43:10Z"))
    assert not is_trouble(task("copy", "upstream_failed", "2026-11-22T16:43:10Z"))
    assert not is_trouble(task("copy", "failed"))


def test_artifacts_are_named_for_people() -> None:
    """A gallery image version is known by its id, a VHD by its address."""
    pushed = {
        "artifacts": [
            {"run_output_name": "g", "kind": "SharedImage", "artifact_id": "/versions/1.0.0", "artifact_uri": None},
            {"run_output_name": "v", "kind": "VHD", "artifact_id": None, "artifact_uri": "https://a/v"},
        ]
    }

    assert artifacts(pushed) == (Artifact("gallery image version", "/versions/1.0.0"), Artifact("VHD", "https://a/v"))


def test_nothing_pushed_is_nothing_found() -> None:
    """A task that failed has pushed nothing."""
    assert artifacts(None) == ()
    assert copied_vhds(None) == ()
    assert archived_log_urls(None) == ()


def test_copies_carry_their_digest() -> None:
    """A copied VHD comes with its size, its allocated bytes and the digest that both sides share."""
    pushed = [{"destination": "https://b/a.vhd", "length": 1024, "allocated_bytes": 512, "sha256": "abc"}]

    assert copied_vhds(pushed) == (CopiedVhd("https://b/a.vhd", 1024, 512, "SHA-256 abc"),)


def test_archived_logs_are_known_by_their_addresses() -> None:
    """The archive lists one file per log."""
    assert archived_log_urls({"files": [{"name": "customization.log", "url": "https://b/l"}]}) == ("https://b/l",)


def test_a_log_shows_errors_with_their_text() -> None:
    """One record may hold several lines, an error has its type and text, and the UI's folding marks are left out."""
    records = [
        "plain",
        {"event": "::group::Pre Execute"},
        {"event": "first\nsecond"},
        {"event": "Task failed", "error_detail": [{"exc_type": "VhdCopyError", "exc_value": "no such VHD"}]},
    ]

    assert log_lines(records) == ["plain", "first", "second", "Task failed", "VhdCopyError: no such VHD"]
