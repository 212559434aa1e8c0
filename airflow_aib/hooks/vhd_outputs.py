"""Save the VHDs that the last run has left, and mark that it is done; and those that were forgotten before."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.archive import require_finished_run
from airflow_aib.hooks.blob_copying import abort_copy
from airflow_aib.hooks.guards import vhd_distributors, vhd_mark
from airflow_aib.hooks.leftovers import VHDS_SAVED_UNTIL, older_than, saved_until, unsaved
from airflow_aib.hooks.many_pieces import patiently
from airflow_aib.hooks.staging import StagedBlob, StagingArea
from airflow_aib.hooks.vhd_copy import copy_vhd, page_blob
from airflow_aib.hooks.vhd_marks import VhdOrigin, is_copy_from
from airflow_aib.hooks.vhd_place import copy_names
from airflow_aib.hooks.vhd_verify import verify_vhd
from airflow_aib.image_run.artifacts import artifacts_missing, match_artifacts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from airflow_aib.hooks.copy_progress import CopyProgress
    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.staging_account import StorageAccount
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.artifacts import ImageArtifact
    from airflow_aib.vhd.copy_options import CopyOptions
    from airflow_aib.vhd.copy_plan import VhdCopyResult

T = TypeVar("T")

# VHDs that are worked on at once; each has its own limit from storage.
SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class VhdOutputs:
    """Save what runs of an image template have left as VHDs.

    :param service: image templates and runs
    :param destination: container, and a folder in it
    :param log: where to say what is done and how far it is
    :param options: how to copy
    """

    service: ImageRuns
    destination: str
    log: TaskLog
    options: CopyOptions
    _marking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIDE_BY_SIDE))

    async def save(
        self,
        image_template_id: str,
        body: Mapping[str, Any],
        start_time: str | None,
        *,
        accepted_missing: Collection[str] = (),
    ) -> list[VhdCopyResult]:
        """Copy every VHD of the last run, verify and mark it; then what earlier runs have left that nobody has copied.

        A VHD that the run has put to an address of the user's is verified there. One that cannot be saved does not keep
        the others from it. A distributor without a VHD is an error, once all that is there has been saved.

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
        staging = StagingArea(self.service.clients)
        staged = await staging.list_vhds(body)
        account = await staging.find_account(body)
        self._refuse_staging(account)
        copies = await self._all(
            self._save_output(image_template_id, body, vhd, status.start_time, account) for vhd in vhds
        )
        forgotten = older_than(unsaved(staged, body, VHDS_SAVED_UNTIL), status.started_at)
        if all(await self._all(self._copy_forgotten(image_template_id, vhd) for vhd in forgotten)):
            # Of a distributor that failed there may lie half a VHD: nobody calls that saved.
            saved = forgotten if missing else staged
            await self._mark(image_template_id, saved_until(saved, VHDS_SAVED_UNTIL))
        accepted = [name for name in missing if name in accepted_missing]
        if len(accepted) < len(missing):
            raise artifacts_missing([name for name in missing if name not in accepted], run_outputs)
        for name in accepted:
            self.log.info("The run has left no VHD %s, which was accepted: there is nothing to copy.", name)
            # Else nobody could ever replace or delete the image template.
            await self._mark(image_template_id, {vhd_mark(name): status.start_time})
        return copies

    def _refuse_staging(self, account: StorageAccount | None) -> None:
        """Refuse a destination that goes with the image template: nothing would be saved there."""
        place = self.service.clients.settings.cloud.container_address(self.destination)
        if account is not None and place.account_url.casefold() == account.account_url.casefold():
            raise VhdCopyError(
                f"Storage account {account.resource_id} cannot keep VHDs: it goes with the image template",
                hint="Name a container in an account of your own as the destination.",
                destination=place.account_url,
            )

    async def _all(self, works: Iterable[Awaitable[T]]) -> list[T]:
        """Do everything, a few at once, and to its end; the first error is raised then, and the others are told."""

        async def one(work: Awaitable[T]) -> T:
            async with self._free:
                return await work

        ended = await asyncio.gather(*map(one, works), return_exceptions=True)
        errors = [error for error in ended if isinstance(error, BaseException)]
        for error in errors[1:]:
            self.log.log(logging.ERROR, "%s", error)
        if errors:
            raise errors[0]
        return [result for result in ended if not isinstance(result, BaseException)]

    async def _save_output(
        self,
        image_template_id: str,
        body: Mapping[str, Any],
        vhd: ImageArtifact,
        start_time: str,
        account: StorageAccount | None,
    ) -> VhdCopyResult:
        origin = VhdOrigin(image_template_id, start_time, vhd.run_output_name)
        if has_address(body, vhd):
            result = await self._verify(str(vhd.artifact_uri), origin)
        else:
            is_staged = account is not None and str(vhd.artifact_uri).startswith(f"{account.account_url}/")
            account_id = account.resource_id if account is not None and is_staged else None
            result = await self._copy(str(vhd.artifact_uri), origin, account_id)
        await self._mark(image_template_id, {vhd_mark(vhd.run_output_name): start_time})
        return result

    async def _mark(self, image_template_id: str, tags: Mapping[str, str]) -> None:
        # One after the other: tags are read, changed and written back.
        async with self._marking:
            await self.service.merge_tags(image_template_id, {**tags})

    async def _copy_forgotten(self, image_template_id: str, vhd: StagedBlob) -> bool:
        """Copy what an earlier run has left; False when that could not be done."""
        source = vhd.address.url
        self.log.warning("An earlier run has left a VHD that nobody has copied, it is copied now: %s", source)
        try:
            await self._copy(source, VhdOrigin(image_template_id), vhd.account.resource_id)
        except VhdCopyError as error:
            # It may be what a failed run left half done. It stays unmarked, so that it cannot be lost unnoticed.
            self.log.warning("%s", error)
            return False
        return True

    async def _verify(self, uri: str, origin: VhdOrigin) -> VhdCopyResult:
        self.log.info("VHD %s lies where it was wanted, and is verified there: %s", origin.run_output_name, uri)
        result = await verify_vhd(
            self.service.clients, uri, run_output_name=origin.run_output_name, concurrency=self.options.concurrency
        )
        self._report("Verified", result)
        return result

    async def _copy(self, source: str, origin: VhdOrigin, source_account_id: str | None) -> VhdCopyResult:
        name = origin.run_output_name or source.rpartition("/")[2]
        self.log.info("Copying VHD %s: %s", name, source)
        result = await copy_vhd(
            self.service.clients,
            source,
            self.destination,
            origin=origin,
            options=self.options,
            source_account_id=source_account_id,
            progress=self._teller(name),
        )
        self._report("Copied and verified", result)
        return result

    def _report(self, what: str, result: VhdCopyResult) -> None:
        self.log.info(
            "%s %s: %d bytes, %d of them allocated, %d copied this time (%s), sha256 %s",
            what,
            *(result.destination, result.length, result.allocated_bytes, result.copied_bytes, result.method),
            result.sha256,
        )

    def _teller(self, name: str) -> Callable[[CopyProgress], None]:
        return lambda progress: self.log.info("%s: %s", name, progress.message)


def has_address(body: Mapping[str, Any], vhd: ImageArtifact) -> bool:
    """Whether the distributor that made a VHD names the address at which it lies."""
    name = vhd.run_output_name.casefold()
    return any(
        item.get("uri") and str(item.get("runOutputName", "")).casefold() == name for item in vhd_distributors(body)
    )


async def abort_copies(service: ImageRuns, image_template_id: str, destination: str) -> int:
    """End the copies of an image template's VHDs that storage goes on with by itself; give how many there were."""
    body = await service.get_image_template(image_template_id)
    staged = await StagingArea(service.clients).list_vhds(body) if body is not None else []
    place = service.clients.settings.cloud.container_address(destination)

    async def abort(source_url: str, name: str) -> bool:
        copy = page_blob(service.clients, place.blob(name), None, service.clock)
        present = await patiently(copy.look, service.clock)
        if present is None or present.copy is None or not present.is_being_copied:
            return False
        if not is_copy_from(image_template_id, source_url, present):
            return False
        await abort_copy(copy, present.copy, service.clock)
        return True

    ended = await asyncio.gather(
        *(
            abort(vhd.address.url, name)
            for vhd in staged
            for name in copy_names(image_template_id, vhd.address.file_name)
        )
    )
    return sum(ended)
