"""What a run that is over has left: read once, told in the task log, and given to whoever comes next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import (
    ImageArtifactMissingError,
    ImageRunCanceledError,
    ImageRunError,
    ImageRunFailedError,
    ImageRunStuckError,
    ImageRunTimeoutError,
    ImageRunWatchError,
)
from airflow_aib.hooks.log_reading import RunLogs, read_run_logs
from airflow_aib.hooks.stuck import RUN_ADVICE, is_canceling
from airflow_aib.hooks.waiting import until_answered
from airflow_aib.image_run.artifacts import ImageArtifact, read_artifacts, read_some_artifacts
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_run
from airflow_aib.image_run.late_success import with_late
from airflow_aib.image_run.run_outcome import RunOutcome, judge_partial_success
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.choices import OnPartialSuccess, PartialPolicy
    from airflow_aib.image_run.customization_log import CustomizationLog
    from airflow_aib.image_run.deadline import TimeLimit
    from airflow_aib.image_run.diagnosis import Diagnosis
    from airflow_aib.image_run.run_event import RunEvent

DIGEST_TAIL_LINES = 15


@dataclass(frozen=True)
class RunReport:
    """Hold what is known of a run that is over.

    :param image_template_id: resource id
    :param status: how it ended
    :param properties: the image template's
    :param artifacts: what it made; empty unless it succeeded, at least partly or late
    :param missing: run output names of the distributors that have given nothing, where others have
    :param is_late: whether it succeeded after its deadline, or images came after it had ended otherwise
    :param logs: of the build and of the validators
    """

    image_template_id: str
    status: LastRunStatus
    properties: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[ImageArtifact, ...] = ()
    missing: tuple[str, ...] = ()
    is_late: bool = False
    logs: RunLogs = field(default_factory=RunLogs)

    @property
    def log_location(self) -> str | None:
        """Address of the customization log in the staging resource group."""
        return self.logs.location

    @property
    def staging_resource_group_id(self) -> str | None:
        """The staging resource group."""
        return self.properties.get("exactStagingResourceGroup") or None

    def to_json(self) -> dict[str, Any]:
        """Give what the task that waited for the run pushes as its XCom."""
        return {
            "image_template_id": self.image_template_id,
            "start_time": self.status.start_time,
            "end_time": self.status.end_time,
            "run_state": self.status.run_state,
            "outcome": self.outcome,
            "missing": list(self.missing),
            "source_version": source_version(self.properties.get("source") or {}),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
            "log_location": self.log_location,
        }

    @property
    def outcome(self) -> RunOutcome:
        """What to call how it ended."""
        if self.is_late and not self.missing:
            return "late_success"
        if self.status.has_succeeded:
            return "succeeded"
        return "partly_succeeded" if self.artifacts else "failed"

    def judge(self, on_partial_success: OnPartialSuccess) -> PartialPolicy:
        """Say whether that is good enough; nothing at all never is."""
        if self.outcome in {"succeeded", "late_success"}:
            return "succeed"
        return judge_partial_success(on_partial_success, self.missing) if self.artifacts else "fail"

    def diagnose(self, *, is_overdue: bool = False, time_limit: TimeLimit = "build_timeout") -> Diagnosis:
        """Say why the run ended badly.

        :param is_overdue: whether it was cancelled since its time was over
        :param time_limit: which limit's time that was
        """
        logs = self.logs
        evidence = evidence_of_run(self.status, self.properties, logs.customization, logs.validation)
        return diagnose(replace(evidence, is_overdue=is_overdue, time_limit=time_limit))


def source_version(source: Mapping[str, Any]) -> str | None:
    """Give the exact version that an image was built from."""
    versions = (source.get(member) for member in ("exactVersion", "version", "imageVersionId", "imageId"))
    return next((str(version) for version in versions if version), None)


async def read_report(
    service: ImageRuns,
    image_template_id: str,
    status: LastRunStatus,
    log: TaskLog,
    *,
    late: Sequence[ImageArtifact] = (),
    is_late: bool = False,
    known_log: CustomizationLog | None = None,
) -> RunReport:
    """Read what the run has left; the log is a help, so that trouble with it is only told.

    :param late: images that came after it had ended otherwise
    :param is_late: whether it succeeded after its deadline
    :param known_log: its customization log, where it was read already
    """
    body = await until_answered(lambda: service.require_image_template(image_template_id, retries=False), service.clock)
    properties: Mapping[str, Any] = body.get("properties") or {}
    current = read_last_run_status(body)
    is_last_run = current is not None and current.start_time == status.start_time
    logs = await read_run_logs(service.clients, body, status, log, known=known_log, clock=service.clock)
    distribute: list[Mapping[str, Any]] = properties.get("distribute") or []
    names = [str(distributor.get("runOutputName", "")) for distributor in distribute]
    artifacts: list[ImageArtifact] = []
    if status.has_succeeded and not is_last_run:
        raise ImageArtifactMissingError(
            f"Another run of image template {image_template_id} has begun since the one that started "
            f"{status.start_time}, and Azure keeps only the outputs of the last run",
            hint="Find the image version in the gallery by its date; let one DAG at a time run an image template.",
        )
    if status.may_have_made_images and is_last_run:
        run_outputs = await until_answered(
            lambda: service.list_run_outputs(image_template_id, retries=False), service.clock
        )
        read = read_artifacts if status.has_succeeded else read_some_artifacts
        artifacts = read(run_outputs, distribute)
    present, missing = with_late(artifacts, late, names)
    return RunReport(
        image_template_id=image_template_id,
        status=status,
        properties=properties,
        artifacts=present,
        missing=missing if present else (),
        is_late=is_late or bool(late),
        logs=logs,
    )


def log_digest(report: RunReport, log: TaskLog) -> None:
    """Tell how the run went, in few lines.

    Again after a deferral, where all of it was relayed already: Airflow empties a trigger's log file when the trigger
    comes back to the same triggerer.
    """
    status = report.status
    log.info("The run that started %s ended %s at %s.", status.start_time, status.run_state, status.end_time)
    customization_log = report.logs.customization
    if customization_log is not None:
        phases = " > ".join(phase.name for phase in customization_log.phases)
        log.info("Phases: %s; %d provisioners.", phases or "none", len(customization_log.provisioners))
        log.info("End of the customization log:\n%s", "\n".join(customization_log.tail[-DIGEST_TAIL_LINES:]))
    for artifact in report.artifacts:
        log.info("%s %s: %s", artifact.kind, artifact.run_output_name, artifact.artifact_id or artifact.artifact_uri)
    if report.log_location:
        log.info("Full customization log: %s", report.log_location)


def log_outcome(report: RunReport, log: TaskLog, *, is_warning: bool) -> None:
    """Tell that the run counts as a success although it did not simply succeed, and why."""
    if report.outcome == "late_success":
        log.warning("The outcome is late_success: the run ended %s, and all its images are there.", report.status.phase)
    elif report.outcome != "succeeded":
        tell = log.warning if is_warning else log.info
        missing = ", ".join(map(repr, report.missing)) or "no distributor"
        tell("The run ended %s, with nothing from %s; that is accepted.", report.status.run_state, missing)


def run_error(report: RunReport, event: RunEvent | None = None) -> ImageRunError:
    """Make the error for a run that ended badly; its text is the diagnosis.

    :param event: with which a watch of it ended
    """
    overdue = event if event is not None and event.status == "timeout" else None
    is_overdue, limit = overdue is not None, overdue.time_limit if overdue else "build_timeout"
    diagnosis = report.diagnose(is_overdue=is_overdue, time_limit=limit)
    is_stuck = is_overdue and is_canceling(report.status)
    kind: type[ImageRunError] = ImageRunFailedError
    if is_overdue:
        kind = ImageRunStuckError if is_stuck else ImageRunTimeoutError
    elif report.status.run_state == RunState.CANCELED:
        kind = ImageRunCanceledError
    head = overdue.message if overdue else ""
    head = head or f"The run of image template {report.image_template_id} ended {report.status.run_state}"
    if report.missing:
        head += f", with nothing from {', '.join(map(repr, report.missing))}"
    return kind(
        "\n".join([f"{head}:", *(f"  {line}" for line in diagnosis.lines())]) + "\n",
        hint=RUN_ADVICE if is_stuck else None,
        image_template_id=report.image_template_id,
        last_run_status=report.status,
        diagnosis=diagnosis,
        log_location=report.log_location,
    )


# By why nothing more is known of a run: what to do next.
_LOST_RUN_HINTS: dict[str, str] = {
    "deleted": "With it went its staging resource group, log and VHDs. Who deleted it stands in its resource group's "
    "activity log; create it again, and run it again.",
    "replaced": "Look in the gallery by date for what it made; let one DAG at a time run an image template.",
    "never appeared": "Azure took the request and has begun nothing: try again, which asks for another run.",
}


def lost_run_error(event: RunEvent) -> ImageRunError:
    """Make the error for a run of which nothing more can be read."""
    if event.status == "unwatchable":
        kind: type[ImageRunError] = ImageRunWatchError
        hint = "The run goes on; the next try joins it."
    else:
        kind = ImageRunTimeoutError if event.status == "timeout" else ImageRunFailedError
        hint = _LOST_RUN_HINTS.get(event.reason or "", "Look into the portal's activity log.")
    return kind(
        event.message,
        hint=hint,
        image_template_id=event.image_template_id,
        reason=event.reason,
    )
