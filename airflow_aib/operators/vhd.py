"""The operator that copies VHDs out of the staging resource group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.run_async import run_async
from airflow_aib.hooks.vhd_outputs import VhdOutputs
from airflow_aib.operators.base import ImageTemplateOperator, read_accepted_missing, read_start_time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow.sdk import Context

    from airflow_aib.vhd.copy_plan import VhdCopyResult


class AzureImageVhdCopyOperator(ImageTemplateOperator):
    """Copy every VHD that an image template's last run has left to storage of yours, and verify the copies.

    A VHD lies in the staging resource group, which goes away with the image template. Only what has been found equal to
    its copy is marked, so that the image template may be replaced or deleted. Only allocated pages travel, and not
    through the worker; a copy that was broken off goes on where it was; twice does no harm. A run without VHDs is fine.
    VHDs that earlier runs have left there, and that nobody has copied, are copied besides.
    Returns one item per VHD: `run_output_name`, `destination`, `length`, `allocated_bytes`, `copied_bytes`, `sha256`.

    The worker stays with the copy: pieces must be asked for one by one, so there is nothing for a trigger to wait for.

    :param destination: `account/container[/folder]`, or the container's https address
    :param run_task_id: task that started the run, in the same DAG run: only that run's VHDs are copied, and none is
        asked for that it has accepted as missing (`on_partial_success`); like `overwrite` a fact of the DAG file, and
        no Jinja template
    :param overwrite: whether other content under the same name may be replaced
    """

    template_fields: Sequence[str] = (*ImageTemplateOperator.template_fields, "destination")
    ui_color = "#f3e9d2"

    def __init__(
        self, *, destination: str, run_task_id: str | None = None, overwrite: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.destination = destination
        self.run_task_id = run_task_id
        self.overwrite = overwrite

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Copy the VHDs."""
        start_time = read_start_time(context, self.run_task_id)
        missing = read_accepted_missing(context, self.run_task_id)
        image_template_id = self.find_image_template_id()
        self.note_image_template(image_template_id)
        return [copy.to_json() for copy in run_async(self._copy_all(image_template_id, start_time, missing))]

    async def _copy_all(
        self, image_template_id: str, start_time: str | None, accepted_missing: Collection[str]
    ) -> list[VhdCopyResult]:
        async with self.open_service() as service:
            body = await service.require_image_template(image_template_id)
            self.note_image_template(image_template_id, body)
            outputs = VhdOutputs(service, self.destination, self.log, self.overwrite)
            return await outputs.copy(image_template_id, body, start_time, accepted_missing=accepted_missing)
