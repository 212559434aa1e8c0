"""The operator that copies VHDs out of the staging resource group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.archive import require_finished_run
from airflow_aib.hooks.guards import vhd_mark
from airflow_aib.hooks.run_async import run_async
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.vhd_copy import VhdOrigin, copy_vhd
from airflow_aib.image_run.artifacts import read_artifacts
from airflow_aib.operators.base import ImageTemplateOperator, read_start_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_aib.hooks.copy_progress import CopyProgress
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.image_run.artifacts import ImageArtifact
    from airflow_aib.vhd.copy_plan import VhdCopyResult


class AzureImageVhdCopyOperator(ImageTemplateOperator):
    """
    Copy every VHD that an image template's last run has left to storage of yours, and verify the copies.

    A VHD lies in the staging resource group, which goes away with the image template. Only what has been found equal to
    its copy is marked, so that the image template may be replaced or deleted. Only allocated pages travel, and not
    through the worker; a copy that was broken off goes on where it was; twice does no harm. A run without VHDs is fine.
    Returns one item per VHD: `run_output_name`, `destination`, `length`, `allocated_bytes`, `copied_bytes`, `sha256`.

    The worker stays with the copy: pieces must be asked for one by one, so there is nothing for a trigger to wait for.

    :param destination: `account/container[/folder]`, or the container's https address
    :param run_task_id: task that started the run, in the same DAG run: only that run's VHDs are copied
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
        image_template_id = self.find_image_template_id()
        self.note_image_template(image_template_id)
        return [copy.to_json() for copy in run_async(self._copy_all(image_template_id, start_time))]

    async def _copy_all(self, image_template_id: str, start_time: str | None) -> list[VhdCopyResult]:
        async with self.open_service() as service:
            body = await service.require_image_template(image_template_id)
            self.note_image_template(image_template_id, body)
            status = require_finished_run(image_template_id, body, start_time)
            vhds = await _list_vhds(service, image_template_id, body)
            if not vhds:
                self.log.info("The image template makes no VHD: there is nothing to copy.")
            return [await self._copy(service, body, vhd, status.start_time) for vhd in vhds]

    async def _copy(
        self, service: ImageTemplateService, body: Mapping[str, Any], vhd: ImageArtifact, start_time: str
    ) -> VhdCopyResult:
        image_template_id, source = str(body["id"]), str(vhd.artifact_uri)
        account = await StagingArea(service.clients).find_account(body)
        is_staged = account is not None and source.startswith(f"{account.account_url}/")
        self.log.info("Copying VHD %s: %s", vhd.run_output_name, source)
        result = await copy_vhd(
            service.clients,
            source,
            self.destination,
            origin=VhdOrigin(image_template_id, start_time, vhd.run_output_name),
            source_account_id=account.resource_id if account is not None and is_staged else None,
            overwrite=self.overwrite,
            progress=self._tell,
        )
        await service.merge_tags(image_template_id, {vhd_mark(vhd.run_output_name): start_time})
        self.log.info(
            "Copied and verified %s: %d bytes, %d of them allocated, sha256 %s",
            *(result.destination, result.length, result.allocated_bytes, result.sha256),
        )
        return result

    def _tell(self, progress: CopyProgress) -> None:
        self.log.info("%s", progress.message)


async def _list_vhds(
    service: ImageTemplateService, image_template_id: str, body: Mapping[str, Any]
) -> list[ImageArtifact]:
    distribute = (body.get("properties") or {}).get("distribute") or []
    vhds = [item for item in distribute if str(item.get("type", "")).casefold() == "vhd"]
    return read_artifacts(await service.list_run_outputs(image_template_id), vhds) if vhds else []
