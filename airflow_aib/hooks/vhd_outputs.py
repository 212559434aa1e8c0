"""Copy the VHDs that the last run has left, and mark that it is done; and those that were forgotten before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.archive import require_finished_run
from airflow_aib.hooks.guards import vhd_distributors, vhd_mark
from airflow_aib.hooks.leftovers import VHDS_SAVED_UNTIL, older_than, saved_until, unsaved
from airflow_aib.hooks.staging import StagedBlob, StagingArea
from airflow_aib.hooks.vhd_copy import VhdOrigin, copy_vhd
from airflow_aib.image_run.artifacts import artifacts_missing, match_artifacts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_aib.hooks.copy_progress import CopyProgress
    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.artifacts import ImageArtifact
    from airflow_aib.vhd.copy_plan import VhdCopyResult


@dataclass(frozen=True)
class VhdOutputs:
    """Copy what runs of an image template have left as VHDs.

    :param service: image templates and runs
    :param destination: container, and a folder in it
    :param overwrite: whether other content under the same name may be replaced
    :param log: where to say what is done and how far it is
    """

    service: ImageRuns
    destination: str
    log: TaskLog
    overwrite: bool = False

    async def copy(
        self,
        image_template_id: str,
        body: Mapping[str, Any],
        start_time: str | None,
        *,
        accepted_missing: Collection[str] = (),
    ) -> list[VhdCopyResult]:
        """Copy every VHD of the last run, verify and mark it; then what earlier runs have left that nobody has copied.

        A distributor without a VHD is an error, once all that is there has been saved.

        :param body: the image template
        :param start_time: verbatim start time of the run that is meant; another one is an error
        :param accepted_missing: run output names of which somebody has said that they may be missing
        """
        status = require_finished_run(image_template_id, body, start_time)
        distributors = vhd_distributors(body)
        if not distributors:
            self.log.info("The image template makes no VHD: there is nothing to copy.")
            return []
        run_outputs = await self.service.list_run_outputs(image_template_id)
        vhds, missing = match_artifacts(run_outputs, distributors)
        # Before the copies, which may take hours: what a later run leaves meanwhile is not saved by them.
        staged = await StagingArea(self.service.clients).list_vhds(body)
        copies = [await self._copy_output(image_template_id, body, vhd, status.start_time) for vhd in vhds]
        forgotten = older_than(unsaved(staged, body, VHDS_SAVED_UNTIL), status.started_at)
        if await self._copy_forgotten(image_template_id, forgotten):
            # Of a distributor that failed there may lie half a VHD: nobody calls that saved.
            saved = forgotten if missing else staged
            await self.service.merge_tags(image_template_id, {**saved_until(saved, VHDS_SAVED_UNTIL)})
        accepted = [name for name in missing if name in accepted_missing]
        if len(accepted) < len(missing):
            raise artifacts_missing([name for name in missing if name not in accepted], run_outputs)
        for name in accepted:
            self.log.info("The run has left no VHD %s, which was accepted: there is nothing to copy.", name)
            # Else nobody could ever replace or delete the image template.
            await self.service.merge_tags(image_template_id, {vhd_mark(name): status.start_time})
        return copies

    async def _copy_output(
        self, image_template_id: str, body: Mapping[str, Any], vhd: ImageArtifact, start_time: str
    ) -> VhdCopyResult:
        source = str(vhd.artifact_uri)
        account = await StagingArea(self.service.clients).find_account(body)
        is_staged = account is not None and source.startswith(f"{account.account_url}/")
        self.log.info("Copying VHD %s: %s", vhd.run_output_name, source)
        result = await self._copy(
            source,
            VhdOrigin(image_template_id, start_time, vhd.run_output_name),
            account.resource_id if account is not None and is_staged else None,
        )
        await self.service.merge_tags(image_template_id, {vhd_mark(vhd.run_output_name): start_time})
        return result

    async def _copy_forgotten(self, image_template_id: str, forgotten: list[StagedBlob]) -> bool:
        """Copy what earlier runs have left; False when not all of it could be."""
        all_saved = True
        for vhd in forgotten:
            source = vhd.address.url
            self.log.warning("An earlier run has left a VHD that nobody has copied, it is copied now: %s", source)
            try:
                await self._copy(source, VhdOrigin(image_template_id), vhd.account.resource_id)
            except VhdCopyError as error:
                # It may be what a failed run left half done. It stays unmarked, so that it cannot be lost unnoticed.
                self.log.warning("%s", error)
                all_saved = False
        return all_saved

    async def _copy(self, source: str, origin: VhdOrigin, source_account_id: str | None) -> VhdCopyResult:
        result = await copy_vhd(
            self.service.clients,
            source,
            self.destination,
            origin=origin,
            source_account_id=source_account_id,
            overwrite=self.overwrite,
            progress=self._tell,
        )
        self.log.info(
            "Copied and verified %s: %d bytes, %d of them allocated, sha256 %s",
            *(result.destination, result.length, result.allocated_bytes, result.sha256),
        )
        return result

    def _tell(self, progress: CopyProgress) -> None:
        self.log.info("%s", progress.message)
