"""The operator that archives the logs of a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from airflow_aib.arguments import require_place
from airflow_aib.operators.base import ImageTemplateOperator, read_started_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class AzureImageLogCollectOperator(ImageTemplateOperator):
    """Copy the logs of an image template's last run to storage of yours, for good and failed runs alike.

    They lie in the staging resource group, which goes away with the image template. The copies are compressed with
    gzip, in `<image template>/<start time>_<outcome>/`, beside an `index.json` of the image template's runs. They are
    read back and compared, and the image template is marked, so that it may be replaced or deleted. Twice does no harm.
    Beside the logs of a run that ended badly lies its diagnosis, `diagnosis.json`. Skips itself when there is nothing
    to collect. Returns where the archive lies: `location`, `files` with name, url, and bytes and sha256 of the log
    itself, and `diagnosis` with url and failure class, or None.

    A run that is being cancelled is waited for.

    Errors: `ImageTemplateInUseError` while the run goes on; `ImageRunStuckError` for one that is not cancelled within
    option `cancel_allowance`; `ImageRunWatchError` when the task `run_task_id` has not seen its run begin;
    `ImageTemplateError` for a destination that is none; `ArmRequestError` for what Azure or the destination refuses,
    for a copy that is not equal, and when another run has followed the one that is meant.

    :param destination: `account/container[/folder]`, or the container's https address; or a path with another scheme,
        as `s3://aws_default@logs/images`, which Airflow's `ObjectStoragePath` takes
    :param run_task_id: task that started the run, in the same DAG run: only that run's logs are collected, and its
        image template is meant where no other is named; a fact of the DAG file, and no Jinja template
    """

    template_fields: Sequence[str] = (*ImageTemplateOperator.template_fields, "destination")
    ui_color = "#f3e9d2"
    is_known_otherwise = True

    def __init__(self, *, destination: str, run_task_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.destination = require_place(f"destination of task {self.task_id}", destination)
        self.run_task_id = run_task_id
        self.require_named(is_known_otherwise=run_task_id is not None)

    def execute(self, context: Context) -> dict[str, Any]:
        """Archive the logs."""
        from airflow_aib.hooks.run_async import run_async

        started = read_started_run(context, self.run_task_id)
        image_template_id = self.find_image_template_of(started)
        self.note_image_template(image_template_id)
        archive = run_async(self._archive(image_template_id, started.start_time if started else None))
        for file in archive["files"]:
            self.log.info(
                "Archived %s, %d bytes, sha256 %s: %s", file["name"], file["bytes"], file["sha256"], file["url"]
            )
        if archive["diagnosis"]:
            self.log.info("Archived the diagnosis, %(failure_class)s: %(url)s", archive["diagnosis"])
        if not archive["files"]:
            self.log.warning("The run that started %s has left no log.", archive["start_time"])
        return archive

    async def _archive(self, image_template_id: str, start_time: str | None) -> dict[str, Any]:
        from airflow_aib.hooks.archive import archive_logs
        from airflow_aib.hooks.waiting import Patience
        from airflow_aib.image_run.run_status import read_last_run_status

        async with self.open_service() as service:
            body = await service.get_image_template(image_template_id)
            if body is None or read_last_run_status(body) is None:
                raise AirflowSkipException(f"Image template {image_template_id} has never run: there is no log.")
            self.note_image_template(image_template_id, body)
            return await archive_logs(
                service,
                image_template_id,
                self.destination,
                start_time=start_time,
                after_cancel=Patience(self.waiting.poll_interval, timedelta(seconds=self.waiting.cancel_allowance)),
            )
