"""Copy a VHD between storage accounts without passing through this machine's disk, and verify the copy."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError, VhdCopyError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter, readable_bytes
from airflow_aib.hooks.errors import PRECONDITION_FAILED
from airflow_aib.hooks.many_pieces import Lanes, patiently
from airflow_aib.hooks.page_blob import PageBlob
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.vhd_destination import VhdDestination
from airflow_aib.hooks.vhd_marks import (
    DIGEST_KEY,
    VhdOrigin,
    is_copy_of,
    judge_destination,
    known_digest,
    metadata_of,
    plain_etag,
)
from airflow_aib.hooks.vhd_pieces import PieceCopier, digest_pieces
from airflow_aib.hooks.vhd_source import PinnedVhd, pin_vhd
from airflow_aib.vhd.content_digest import content_digest
from airflow_aib.vhd.copy_options import CopyOptions, choose_method
from airflow_aib.vhd.copy_plan import VhdCopyResult, plan_copy
from airflow_aib.vhd.page_ranges import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_aib.hooks.blob_facts import BlobFacts
    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.storage_address import BlobAddress

log = logging.getLogger(__name__)

# A source that has changed so often is one that somebody writes to.
MOST_VERSIONS = 3


async def copy_vhd(
    clients: AzureClients,
    source_uri: str,
    destination: str,
    *,
    origin: VhdOrigin | None = None,
    options: CopyOptions | None = None,
    blob_name: str | None = None,
    source_account_id: str | None = None,
    progress: Callable[[CopyProgress], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> VhdCopyResult:
    """Copy a VHD into a container, and give the result once both sides are found equal.

    A copy that was broken off goes on where it was. The same content at the destination is success, other content is a
    `VhdCopyError`. A source that changes meanwhile is copied anew.

    :param clients: how Azure is reached
    :param source_uri: address of the VHD
    :param destination: container, and a folder in it
    :param origin: what the VHD is
    :param options: how to copy
    :param blob_name: name of the copy under the destination; that of the VHD by default
    :param source_account_id: resource id of the VHD's storage account, for the case that its key is needed
    :param progress: is told now and then how far it is
    :param clock: tells the time and waits
    """
    cloud = clients.settings.cloud
    source = cloud.blob_address(source_uri)
    target = cloud.container_address(destination).blob(blob_name or source.file_name)
    options = options or CopyOptions()
    source_blob = page_blob(clients, source, source_account_id, clock)
    copy = _VhdCopy(
        source=source_blob,
        place=VhdDestination(source_blob, page_blob(clients, target, None, clock), options, clock),
        origin=origin or VhdOrigin(),
        options=options,
        progress=progress or _tell_nobody,
        clock=clock,
    )
    try:
        return await copy.run()
    except (ArmRequestError, VhdCopyError) as error:
        raise copy.failed(error) from error


def page_blob(clients: AzureClients, address: BlobAddress, account_id: str | None, clock: Clock) -> PageBlob:
    """Give a page blob to work on in pieces."""
    # Pieces are tried again one by one, with the pauses that storage asks for: the SDK keeps out of it.
    return PageBlob(StorageAccess(clients, address.account_url, account_id=account_id, retries=0, clock=clock), address)


def _tell_nobody(_: CopyProgress) -> None:
    """Take the place of a progress callback."""


@dataclass(frozen=True)
class _VhdCopy:
    source: PageBlob
    place: VhdDestination
    origin: VhdOrigin
    options: CopyOptions
    progress: Callable[[CopyProgress], None]
    clock: Clock

    @property
    def target(self) -> PageBlob:
        return self.place.target

    async def run(self) -> VhdCopyResult:
        for _ in range(MOST_VERSIONS - 1):
            source = await pin_vhd(self.source, self.clock)
            try:
                return await self._bring_over(source)
            except ArmRequestError as error:
                if error.status != PRECONDITION_FAILED or not await self._has_changed(source):
                    raise
                log.warning("VHD %s changed while it was copied: its copy begins anew.", self.source.address.url)
        return await self._bring_over(await pin_vhd(self.source, self.clock))

    async def _has_changed(self, source: PinnedVhd) -> bool:
        present = await patiently(self.source.look, self.clock)
        return present is not None and present.etag != source.facts.etag

    async def _bring_over(self, source: PinnedVhd) -> VhdCopyResult:
        present = await self.place.look()
        found = judge_destination(source.facts, present)
        if found == "other" and present is not None:
            digest = await self._same_content(source, present)
            if digest is not None:
                await self.place.protect(present)
                return self._result(source, digest, copied_bytes=0, method="none")
            self._require_overwrite()
        if found != "unfinished":
            await self.place.begin(
                source, present, self._metadata(source), choose_method(self.options.method, *self._account_urls)
            )
        result = await self._complete(source)
        if result is None:
            # What somebody wrote there beside the copy, or what a broken Copy Blob has left, is of no use.
            await self.place.begin(source, await self.place.look(), self._metadata(source), "pages")
            result = await self._complete(source)
        if result is None:
            raise VhdCopyError(
                "the copy differs from its source",
                hint="Run the task again; if it stays so, look who else writes to the destination.",
            )
        return result

    @property
    def _account_urls(self) -> tuple[str, str]:
        return self.source.access.account_url, self.target.access.account_url

    def _require_overwrite(self) -> None:
        if not self.options.overwrite:
            raise VhdCopyError(
                "the destination holds other content",
                hint="Choose another blob name or destination, or allow overwriting.",
            )

    async def _complete(self, source: PinnedVhd) -> VhdCopyResult | None:
        """Bring an unfinished copy to its end, and give the result; None when it is not equal in the end."""
        outcome = await self.place.await_copy_blob(source, self.progress)
        if outcome == "refuse":
            return None
        is_copied = outcome == "everything"
        done = await patiently(self.target.page_ranges, self.clock)
        # A disk may have a hundred thousand ranges: off the loop.
        plan = await asyncio.to_thread(plan_copy, source.ranges, source.facts.size, done=done)
        if plan.held:
            log.info("%s has %s already, which are compared.", self.target.address.url, readable_bytes(plan.done_bytes))
        meter = ProgressMeter(self.progress, plan.allocated_bytes, plan.done_bytes, self.clock)
        copier = PieceCopier(self.source, self.target, source.facts.etag, self._lanes(), meter)
        digest = content_digest(await copier.complete(plan))
        present = await self.place.look_again()
        if not is_copy_of(source.facts, present) or not await self.place.has_same_pages(source, present):
            return None
        await self.place.finish({**self._metadata(source), DIGEST_KEY: digest}, present)
        await self.place.protect(present)
        return self._result(
            source,
            digest,
            copied_bytes=copier.copied_bytes + (source.allocated_bytes if is_copied else 0),
            method="copy_blob" if is_copied else "pages",
        )

    async def _same_content(self, source: PinnedVhd, present: BlobFacts) -> str | None:
        """Give the digest that both sides have in common; None when they differ in anything."""
        if not await self.place.has_same_pages(source, present):
            return None
        digest, held = await asyncio.gather(
            self._digest_source(source, known_digest(self.source.address.url, source.facts, present)),
            digest_pieces(self.target, cut(source.ranges), present.etag, self._lanes()),
        )
        return digest if content_digest(held) == digest else None

    async def _digest_source(self, source: PinnedVhd, known: str | None) -> str:
        # This version of it was read before, when it was copied.
        return known or content_digest(
            await digest_pieces(self.source, cut(source.ranges), source.facts.etag, self._lanes())
        )

    def _metadata(self, source: PinnedVhd) -> dict[str, str]:
        return metadata_of(self.origin, self.source.address.url, source.facts)

    def _lanes(self) -> Lanes:
        return Lanes(self.options.concurrency, self.clock)

    def _result(self, source: PinnedVhd, digest: str, *, copied_bytes: int, method: str) -> VhdCopyResult:
        return VhdCopyResult(
            source=self.source.address.url,
            destination=self.target.address.url,
            run_output_name=self.origin.run_output_name,
            length=source.facts.size,
            allocated_bytes=source.allocated_bytes,
            copied_bytes=copied_bytes,
            sha256=digest,
            source_etag=plain_etag(source.facts.etag),
            method=method,
        )

    def failed(self, error: ArmRequestError | VhdCopyError) -> VhdCopyError:
        """Make the error for a copy that has come to a bad end."""
        source, target = self.source.address.url, self.target.address.url
        data: dict[str, object] = {}
        hint = error.hint or "Run the task again: the copy goes on where it is."
        if isinstance(error, ArmRequestError):
            data = {"code": error.code, "status": error.status}
            if error.status == PRECONDITION_FAILED:
                hint = "The VHD or its copy was changed meanwhile. Run the task again: a changed VHD is copied anew."
        return VhdCopyError(
            f"VHD {source} was not copied to {target}: {error.message}",
            hint=hint,
            source=source,
            destination=target,
            diagnosis=error.diagnosis,
            **data,
        )
