from __future__ import annotations

from dataclasses import replace

from demo.report import ArchivedLog, Artifact, CopiedVhd, FailedTask, RebuildReport, TaskResult, format_report

MEBIBYTE = 1024 * 1024
SUCCESS = RebuildReport(
    dag_id="rebuild_linux_vhd",
    state="success",
    seconds=61.4,
    tasks=(TaskResult("create", "success", 4.04), TaskResult("run", "success", 38.0), TaskResult("last", "None", None)),
    artifacts=(Artifact("gallery image version", "/subscriptions/s/versions/1.0.0"), Artifact("VHD", "https://a/vhd")),
    vhds=(CopiedVhd("https://b/images/a.vhd", 2048 * MEBIBYTE + 512, 24 * MEBIBYTE, "SHA-256 abc"),),
    logs=(ArchivedLog("https://b/logs/customization.log", ("first", "second")),),
)
FAILED = replace(
    SUCCESS,
    state="failed",
    artifacts=(),
    vhds=(),
    logs=(),
    failed_tasks=(FailedTask("run", ("customizer 2 failed", "exit code 3")),),
)


def test_a_success_tells_everything() -> None:
    """Tasks, run outputs, the copied VHD and the archived log are all told."""
    assert format_report(SUCCESS).splitlines() == [
        "rebuild_linux_vhd: success after 61 s",
        "",
        "  create  success            4.0 s",
        "  run     success           38.0 s",
        "  last    None                  -",
        "",
        "Run outputs",
        "  gallery image version: /subscriptions/s/versions/1.0.0",
        "  VHD: https://a/vhd",
        "",
        "VHD copied to",
        "  https://b/images/a.vhd",
        "  2,048 MiB, 24.0 MiB of them allocated and copied",
        "  verified: SHA-256 abc on both sides",
        "",
        "Log archived to",
        "  https://b/logs/customization.log",
        "    | first",
        "    | second",
    ]


def test_a_failure_shows_the_log_of_the_failing_task() -> None:
    """What went wrong stands in the report itself."""
    text = format_report(FAILED)

    assert "rebuild_linux_vhd: failed after 61 s" in text
    assert "  run; the end of its log:\n    | customizer 2 failed\n    | exit code 3" in text


def test_a_failure_does_not_count_what_is_missing() -> None:
    """After a failure nothing is expected to be there."""
    assert "Missing" not in format_report(FAILED)


def test_a_success_that_left_too_little_is_none() -> None:
    """A DAG run that succeeded without a VHD has not done what it is for, and the report says so."""
    report = replace(SUCCESS, vhds=())

    assert not report.has_succeeded
    assert "Missing\n  a copied VHD" in format_report(report)


def test_only_a_whole_success_has_succeeded() -> None:
    """The exit code follows from the state and from what was left."""
    assert SUCCESS.has_succeeded
    assert not FAILED.has_succeeded
