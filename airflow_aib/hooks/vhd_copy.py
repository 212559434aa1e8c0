"""Copy a VHD between storage accounts without passing through this machine's disk, and verify the copy."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError, VhdCopyError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter, readable_bytes
from airflow_aib.hooks.errors import PRECONDITION_FAILED
from airflow_aib.hooks.many_pieces import Lanes, patiently
from airflow_aib.hooks.page_blob import PageBlob
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.vhd_destination import VhdDestination, other_content
from airflow_aib.hooks.vhd_marks import (
    DIGEST_KEY,
    VhdOrigin,
    is_copy_of,
    is_unfinished,
    known_digest,
    metadata_of,
    plain_etag,
)
from airflow_aib.hooks.vhd_pieces import PieceCopier, digest_pieces
from airflow_aib.hooks.vhd_place import copy_names, holds_copy_of
from airflow_aib.hooks.vhd_source import PinnedVhd, pin_vhd
from airflow_aib.vhd.content_digest import content_digest
from airflow_aib.vhd.copy_options import CopyOptions, choose_method
from airflow_aib.vhd.copy_plan import VhdCopyResult, plan_copy
from airflow_aib.vhd.page_ranges import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_aib.hooks.blob_facts import BlobFacts
    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.storage_address import BlobAddress

log = logging.getLogger(__name__)

# A source that has changed so often is one that somebody writes to.
MOST_VERSIONS = 3
# How often somebody else may be quicker at the destination.
MOST_CLAIMS = 3
# What storage says when pages are to be written into another copy than the one that was begun.
REPLACED = "SequenceNumberConditionNotMet"


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
    :param blob_name: name of the copy under the destination; by default `<image template>/<name of the VHD>`, and the
        latter alone where no image template is known, or where a copy of this VHD has it already
    :param source_account_id: resource id of the VHD's storage account, for the case that its key is needed
    :param progress: is told now and then how far it is
    :param clock: tells the time and waits
    """
    cloud = clients.settings.cloud
    source = cloud.blob_address(source_uri)
    origin, options = origin or VhdOrigin(), options or CopyOptions()
    names = (blob_name,) if blob_name else copy_names(origin.image_template_id, source.file_name)
    place = cloud.container_address(destination)
    target = page_blob(clients, place.blob(names[0]), None, clock)
    earlier = [PageBlob(target.access, place.blob(name)) for name in names[1:]]
    source_blob = page_blob(clients, source, source_account_id, clock)
    copy = _VhdCopy(
        source=source_blob,
        place=VhdDestination(source_blob, target, options, clock),
        origin=origin,
        options=options,
        progress=progress or _tell_nobody,
        clock=clock,
    )
    try:
        return await (await copy.where_begun(earlier)).run()
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

    async def where_begun(self, places: Iterable[PageBlob]) -> _VhdCopy:
        """Give the same copy at the place where it was begun or made before, if that is one of these."""
        for blob in places:
            if await holds_copy_of(blob, self.origin.image_template_id, self.source.address.url, self.clock):
                return replace(self, place=replace(self.place, target=blob))
        return self

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
        result = await self._claim(source, choose_method(self.options.method, *self._account_urls))
        result = result or await self._complete(source)
        if result is None:
            # What somebody wrote there beside the copy, or what a broken Copy Blob has left, is of no use.
            result = await self._claim(source, "pages", is_anew=True) or await self._complete(source)
        if result is None:
            raise VhdCopyError(
                "the copy differs from its source",
                hint="Run the task again; if it stays so, look who else writes to the destination.",
            )
        return result

    async def _claim(self, source: PinnedVhd, method: str, *, is_anew: bool = False) -> VhdCopyResult | None:
        """Have an unfinished copy of the source at the destination; give the result where all of it is there already.

        :param is_anew: whether an unfinished copy is to be replaced
        """
        metadata = self._metadata(source)
        for _ in range(MOST_CLAIMS):
            present = await self.place.look()
            found = self.place.judge(source, metadata, present)
            if found == "unfinished" and not is_anew:
                return None
            if found == "other" and present is not None:
                result = await self._find_done(source, present)
                if result is not None:
                    return result
                if not self.options.overwrite:
                    raise other_content(present)
            if await self.place.begin(source, present, metadata, method):
                return None
        raise VhdCopyError(
            "somebody else writes to the destination all the while",
            hint="Look who that is, and choose another destination for one of the two.",
        )

    async def _find_done(self, source: PinnedVhd, present: BlobFacts) -> VhdCopyResult | None:
        """Give the result when the same content is there; what another one has begun may still change."""
        digest = None if is_unfinished(present) else await self._same_content(source, present)
        if digest is None:
            return None
        await self.place.protect(present)
        return self._result(source, digest, copied_bytes=0, method="none")

    @property
    def _account_urls(self) -> tuple[str, str]:
        return self.source.access.account_url, self.target.access.account_url

    async def _complete(self, source: PinnedVhd) -> VhdCopyResult | None:
        """Bring an unfinished copy to its end, and give the result; None when it is not equal in the end."""
        outcome = await self.place.await_copy_blob(source, self.progress)
        if outcome == "refuse":
            return None
        is_copied = outcome == "everything"
        metadata, begun = self._metadata(source), await self.place.look_again()
        if not is_copy_of(metadata, begun):
            return None
        done = await patiently(self.target.page_ranges, self.clock)
        # A disk may have a hundred thousand ranges: off the loop.
        plan = await asyncio.to_thread(plan_copy, source.ranges, source.facts.size, done=done)
        if plan.held:
            log.info("%s has %s already, which are compared.", self.target.address.url, readable_bytes(plan.done_bytes))
        meter = ProgressMeter(self.progress, plan.allocated_bytes, plan.done_bytes, self.clock)
        copier = PieceCopier(self.source, self.target, source.facts.etag, begun.sequence_number, self._lanes(), meter)
        try:
            digest = content_digest(await copier.complete(plan))
        except ArmRequestError as error:
            if error.code != REPLACED:
                raise
            return None
        present = await self.place.look_again()
        if not is_copy_of(metadata, present) or not await self.place.has_same_pages(source, present):
            return None
        await self.place.finish({**metadata, DIGEST_KEY: digest}, present)
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
        known = known_digest(self._metadata(source), present)
        # Pieces of both sides lie in memory at once: each side has half of them.
        sides = 1 if known else 2
        digest, held = await asyncio.gather(
            self._digest_source(source, known, self._lanes(sides)),
            digest_pieces(self.target, cut(source.ranges), present.etag, self._lanes(sides)),
        )
        return digest if content_digest(held) == digest else None

    async def _digest_source(self, source: PinnedVhd, known: str | None, lanes: Lanes) -> str:
        # This version of it was read before, when it was copied.
        return known or content_digest(await digest_pieces(self.source, cut(source.ranges), source.facts.etag, lanes))

    def _metadata(self, source: PinnedVhd) -> dict[str, str]:
        return metadata_of(self.origin, self.source.address.url, source.facts)

    def _lanes(self, sharers: int = 1) -> Lanes:
        return Lanes(max(1, self.options.concurrency // sharers), self.clock)

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
