"""What a rebuild has brought, as text: plain data in, lines out."""

from __future__ import annotations

from dataclasses import dataclass

SUCCESS = "success"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class TaskResult:
    """Describe how one task of the DAG run ended.

    :param seconds: from its start to its end, deferred time included; None if it has not run.
    """

    task_id: str
    state: str
    seconds: float | None


@dataclass(frozen=True)
class FailedTask:
    """Hold the last lines of a task log that says what went wrong."""

    task_id: str
    log_tail: tuple[str, ...]


@dataclass(frozen=True)
class Artifact:
    """Name one thing that the run of the image template has produced, and where it is."""

    kind: str
    location: str


@dataclass(frozen=True)
class CopiedVhd:
    """Describe one VHD that was copied out of the staging resource group.

    :param digest: algorithm and value over the allocated pages, equal on both sides.
    """

    url: str
    size_bytes: int
    allocated_bytes: int
    digest: str


@dataclass(frozen=True)
class ArchivedLog:
    """Name one archived customization log with its last lines."""

    url: str
    last_lines: tuple[str, ...]


@dataclass(frozen=True)
class RebuildReport:
    """Hold all that the demo tells at its end."""

    dag_id: str
    state: str
    seconds: float
    tasks: tuple[TaskResult, ...]
    failed_tasks: tuple[FailedTask, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    vhds: tuple[CopiedVhd, ...] = ()
    logs: tuple[ArchivedLog, ...] = ()

    @property
    def has_succeeded(self) -> bool:
        """Whether the DAG run succeeded and left everything that it is meant to leave."""
        return self.state == SUCCESS and bool(self.artifacts and self.vhds and self.logs)


def format_report(report: RebuildReport) -> str:
    """Return the report as lines for a terminal."""
    parts = [
        [f"{report.dag_id}: {report.state} after {report.seconds:.0f} s", ""],
        _task_lines(report.tasks),
        _section("What failed", [line for task in report.failed_tasks for line in _failure_lines(task)]),
        _section("Run outputs", [f"{artifact.kind}: {artifact.location}" for artifact in report.artifacts]),
        _section("VHD copied to", [line for vhd in report.vhds for line in _vhd_lines(vhd)]),
        _section("Log archived to", [line for log in report.logs for line in _log_lines(log)]),
        _section("Missing", _missing(report)),
    ]
    return "\n".join(line for part in parts for line in part)


def _task_lines(tasks: tuple[TaskResult, ...]) -> list[str]:
    width = max((len(task.task_id) for task in tasks), default=0)
    return [f"  {task.task_id:<{width}}  {task.state:<15}  {_duration(task.seconds)}" for task in tasks]


def _duration(seconds: float | None) -> str:
    return "     -" if seconds is None else f"{seconds:5.1f} s"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _failure_lines(task: FailedTask) -> list[str]:
    return [f"{task.task_id}; the end of its log:", *(f"  | {line}" for line in task.log_tail)]


def _vhd_lines(vhd: CopiedVhd) -> list[str]:
    size, allocated = vhd.size_bytes / MEBIBYTE, vhd.allocated_bytes / MEBIBYTE
    return [
        vhd.url,
        f"{size:,.0f} MiB, {allocated:,.1f} MiB of them allocated and copied",
        f"verified: {vhd.digest} on both sides",
    ]


def _log_lines(log: ArchivedLog) -> list[str]:
    return [log.url, *(f"  | {line}" for line in log.last_lines)]


def _missing(report: RebuildReport) -> list[str]:
    """Return what a successful DAG run should have left, and did not."""
    if report.state != SUCCESS:
        return []
    expected = {"run outputs": report.artifacts, "a copied VHD": report.vhds, "an archived log": report.logs}
    return [what for what, found in expected.items() if not found]
