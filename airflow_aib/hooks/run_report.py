"""What a run that is over has left: read once, told in the task log, and given to whoever comes next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import (
    ImageArtifactMissingError,
    ImageBuilderError,
    ImageRunCanceledError,
    ImageRunError,
    ImageRunFailedError,
    ImageRunTimeoutError,
)
from airflow_aib.hooks.log_reading import RunLogs, read_run_logs
from airflow_aib.image_run.artifacts import ImageArtifact, read_artifacts
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_run
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.diagnosis import Diagnosis

DIGEST_TAIL_LINES = 15


@dataclass(frozen=True)
class RunReport:
    """Hold what is known of a run that is over.

    :param image_template_id: resource id
    :param status: how it ended
    :param properties: the image template's
    :param artifacts: what it made; empty unless it succeeded
    :param logs: of the build and of the validators
    """

    image_template_id: str
    status: LastRunStatus
    properties: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[ImageArtifact, ...] = ()
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
            "source_version": source_version(self.properties.get("source") or {}),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
            "log_location": self.log_location,
        }

    def diagnose(self, *, is_overdue: bool = False) -> Diagnosis:
        """Say why the run ended badly.

        :param is_overdue: whether it was cancelled since its time was over
        """
        logs = self.logs
        evidence = evidence_of_run(self.status, self.properties, logs.customization, logs.validation)
        return diagnose(replace(evidence, is_overdue=is_overdue))


def source_version(source: Mapping[str, Any]) -> str | None:
    """Give the exact version that an image was built from."""
    versions = (source.get(member) for member in ("exactVersion", "version", "imageVersionId", "imageId"))
    return next((str(version) for version in versions if version), None)


async def read_report(service: ImageRuns, image_template_id: str, status: LastRunStatus, log: TaskLog) -> RunReport:
    """Read what the run has left; the log is a help, so that trouble with it is only told."""
    body = await service.require_image_template(image_template_id)
    properties: Mapping[str, Any] = body.get("properties") or {}
    current = read_last_run_status(body)
    is_last_run = current is not None and current.start_time == status.start_time
    logs = await read_run_logs(service.clients, body, status, log)
    artifacts: list[ImageArtifact] = []
    if status.has_succeeded:
        if not is_last_run:
            raise ImageArtifactMissingError(
                f"Another run of image template {image_template_id} has begun since the one that started "
                f"{status.start_time}, and Azure keeps only the outputs of the last run",
                hint="Find the image version in the gallery by its date; let one DAG at a time run an image template.",
            )
        run_outputs = await service.list_run_outputs(image_template_id)
        artifacts = read_artifacts(run_outputs, properties.get("distribute") or [])
    return RunReport(image_template_id, status, properties, tuple(artifacts), logs)


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


def run_error(report: RunReport, *, is_overdue: bool = False, reason: str = "") -> ImageRunError:
    """Make the error for a run that ended badly; its text is the diagnosis."""
    diagnosis = report.diagnose(is_overdue=is_overdue)
    kind: type[ImageRunError] = ImageRunFailedError
    if is_overdue:
        kind = ImageRunTimeoutError
    elif report.status.run_state == RunState.CANCELED:
        kind = ImageRunCanceledError
    head = reason or f"The run of image template {report.image_template_id} ended {report.status.run_state}"
    return kind(
        "\n".join([f"{head}:", *(f"  {line}" for line in diagnosis.lines())]) + "\n",
        image_template_id=report.image_template_id,
        last_run_status=report.status,
        diagnosis=diagnosis,
        log_location=report.log_location,
    )


def bare_run_error(kind: type[ImageRunError], image_template_id: str, message: str, hint: str) -> ImageBuilderError:
    """Make the error for a run of which nothing more can be read."""
    return kind(message, hint=hint, image_template_id=image_template_id)
