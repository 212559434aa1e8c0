"""Copy a VHD between storage accounts, page by page without passing through this machine, and verify the copy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_aib.exceptions import ArmRequestError, VhdCopyError
from airflow_aib.hooks.blob_file import PAGE_BLOB, BlobFacts, BlobFile
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter
from airflow_aib.hooks.errors import CONFLICT
from airflow_aib.hooks.many_pieces import for_each, in_order, patiently
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.vhd.copy_plan import CopyPlan, VhdCopyResult, plan_copy
from airflow_aib.vhd.footer import FOOTER_SIZE, check_footer
from airflow_aib.vhd.page_ranges import AllocatedDigest, PageRange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.storage_address import BlobAddress
    from airflow_aib.vhd.copy_plan import Piece

CONCURRENCY = 8
PRECONDITION_FAILED = 412

# What the destination says about itself.
TEMPLATE_KEY, START_KEY, OUTPUT_KEY = "aib_image_template", "aib_run_start", "aib_run_output"
SOURCE_KEY, ETAG_KEY, DIGEST_KEY = "aib_source", "aib_source_etag", "aib_sha256"

# What is at the destination: nothing; an unfinished copy of this source, or of an older one; something else.
Found = Literal["nothing", "unfinished", "outdated", "other"]


@dataclass(frozen=True)
class VhdOrigin:
    """Say what a VHD is, for its copy's metadata.

    :param image_template_id: resource id
    :param run_start_time: verbatim start time of the run that left it
    :param run_output_name: of the distributor
    """

    image_template_id: str = ""
    run_start_time: str = ""
    run_output_name: str = ""


async def copy_vhd(
    clients: AzureClients,
    source_uri: str,
    destination: str,
    *,
    origin: VhdOrigin | None = None,
    blob_name: str | None = None,
    source_account_id: str | None = None,
    overwrite: bool = False,
    progress: Callable[[CopyProgress], None] | None = None,
    concurrency: int = CONCURRENCY,
    clock: Clock = SYSTEM_CLOCK,
) -> VhdCopyResult:
    """Copy a VHD into a container, and give the result once both sides are found equal.

    A copy that was broken off goes on where it was. The same content at the destination is success, other content is a
    `VhdCopyError`.

    :param clients: how Azure is reached
    :param source_uri: address of the VHD
    :param destination: container, and a folder in it
    :param origin: what the VHD is
    :param blob_name: name of the copy under the destination; that of the VHD by default
    :param source_account_id: resource id of the VHD's storage account, for the case that its key is needed
    :param overwrite: whether other content at the destination may be replaced
    :param progress: is told now and then how far it is
    :param concurrency: pieces under way at once
    :param clock: tells the time and waits
    """
    cloud = clients.settings.cloud
    source = cloud.blob_address(source_uri)
    target = cloud.container_address(destination).blob(blob_name or source.file_name)
    copy = _VhdCopy(
        source=_file(clients, source, source_account_id, clock),
        target=_file(clients, target, None, clock),
        origin=origin or VhdOrigin(),
        overwrite=overwrite,
        progress=progress or _tell_nobody,
        concurrency=concurrency,
        clock=clock,
    )
    try:
        return await copy.run()
    except ArmRequestError as error:
        raise copy.failed(error) from error


def _file(clients: AzureClients, address: BlobAddress, account_id: str | None, clock: Clock) -> BlobFile:
    # Pieces are tried again one by one, with the pauses that storage asks for: the SDK keeps out of it.
    return BlobFile(StorageAccess(clients, address.account_url, account_id=account_id, retries=0, clock=clock), address)


def _tell_nobody(_: CopyProgress) -> None:
    """Take the place of a progress callback."""


@dataclass(frozen=True)
class _Pinned:
    """Hold one version of the source: its facts, and what of it is allocated."""

    facts: BlobFacts
    ranges: tuple[PageRange, ...]


@dataclass(frozen=True)
class _VhdCopy:
    source: BlobFile
    target: BlobFile
    origin: VhdOrigin
    overwrite: bool
    progress: Callable[[CopyProgress], None]
    concurrency: int
    clock: Clock

    async def run(self) -> VhdCopyResult:
        source = await self._pin_source()
        present = await patiently(self.target.look, self.clock)
        found = judge_destination(source.facts, present)
        if found == "other" and present is not None:
            digest = await self._same_content(source, present)
            if digest is not None:
                return self._result(source, digest, copied_bytes=0)
            if not self.overwrite:
                raise self._error(
                    "the destination holds other content",
                    hint="Choose another blob name or destination, or allow overwriting.",
                )
        if found == "unfinished":
            copied = await self._copy(source, done=await self._ranges(self.target))
            digest = await self._same_content(source, await self._look_again())
            if digest is not None:
                return await self._finish(source, digest, copied)
            # Somebody wrote into the unfinished copy: what it holds cannot be trusted.
            present = await self._look_again()
        return await self._copy_anew(source, present)

    async def _copy_anew(self, source: _Pinned, present: BlobFacts | None) -> VhdCopyResult:
        await patiently(lambda: self._create(source, present), self.clock)
        copied = await self._copy(source, done=())
        digest = await self._same_content(source, await self._look_again())
        if digest is None:
            raise self._error(
                "the copy differs from its source",
                hint="Run the task again; if it stays so, look who else writes to the destination.",
            )
        return await self._finish(source, digest, copied)

    async def _create(self, source: _Pinned, present: BlobFacts | None) -> None:
        replacing = present.etag if present else None
        try:
            await self.target.create_pages(source.facts.size, self._metadata(source), replacing=replacing)
        except ArmRequestError as error:
            if error.status not in {CONFLICT, PRECONDITION_FAILED}:
                raise
            # Made by a request whose answer was lost, or by somebody who copies the same VHD: either will do.
            if judge_destination(source.facts, await self.target.look()) != "unfinished":
                raise

    async def _pin_source(self) -> _Pinned:
        facts = await patiently(self.source.look, self.clock)
        if facts is None:
            raise self._error(
                "there is no such VHD",
                hint="It lies in the staging resource group, and goes with the image template.",
            )
        if facts.kind != PAGE_BLOB:
            raise self._error(
                f"the source is a {facts.kind}, and a VHD is a page blob", hint="Look what has been put in its place."
            )
        footer = await patiently(
            lambda: self.source.read(facts.size - FOOTER_SIZE, FOOTER_SIZE, etag=facts.etag), self.clock
        )
        try:
            check_footer(footer, facts.size)
        except ValueError as error:
            raise self._error(
                f"the source is no VHD that Azure can use: {error}",
                hint="A run that was broken off may have left it half done: run the image template again.",
            ) from error
        return _Pinned(facts, await self._ranges(self.source, etag=facts.etag))

    async def _ranges(self, blob: BlobFile, *, etag: str | None = None) -> tuple[PageRange, ...]:
        return await patiently(lambda: blob.page_ranges(etag=etag), self.clock)

    async def _look_again(self) -> BlobFacts:
        present = await patiently(self.target.look, self.clock)
        if present is None:
            raise self._error(
                "the destination vanished during the copy", hint="See who deletes blobs there, and run the task again."
            )
        return present

    async def _copy(self, source: _Pinned, *, done: tuple[PageRange, ...]) -> int:
        """Copy what is missing, and give its bytes."""
        plan = plan_copy(source.ranges, source.facts.size, done=done)
        meter = ProgressMeter(self.progress, plan.allocated_bytes, plan.done_bytes, self.clock)

        async def copy(piece: Piece) -> None:
            await patiently(
                lambda: self.target.put_pages_from(self.source, piece, source_etag=source.facts.etag), self.clock
            )
            meter.add(piece.length)

        await for_each(plan.pieces, copy, concurrency=self.concurrency)
        return plan.left_bytes

    async def _same_content(self, source: _Pinned, present: BlobFacts) -> str | None:
        """Give the digest that both sides have in common; None when they differ in anything."""
        if present.kind != PAGE_BLOB or present.size != source.facts.size:
            return None
        if await self._ranges(self.target, etag=present.etag) != source.ranges:
            return None
        plan = plan_copy(source.ranges, source.facts.size)
        digests = await asyncio.gather(
            self._digest(self.source, plan, source.facts.etag), self._digest(self.target, plan, present.etag)
        )
        return digests[0] if digests[0] == digests[1] else None

    async def _digest(self, blob: BlobFile, plan: CopyPlan, etag: str) -> str:
        digest = AllocatedDigest(plan.pieces)

        async def read(piece: Piece) -> bytes:
            return await patiently(lambda: blob.read_piece(piece, etag=etag), self.clock)

        # Both sides are read at once: each gets half of what may be under way.
        async for piece, content in in_order(plan.pieces, read, concurrency=max(1, self.concurrency // 2)):
            await asyncio.to_thread(digest.update, piece.offset, content)
        return digest.hexdigest()

    async def _finish(self, source: _Pinned, digest: str, copied_bytes: int) -> VhdCopyResult:
        await patiently(lambda: self.target.set_metadata({**self._metadata(source), DIGEST_KEY: digest}), self.clock)
        return self._result(source, digest, copied_bytes=copied_bytes)

    def _metadata(self, source: _Pinned) -> dict[str, str]:
        known = {
            TEMPLATE_KEY: self.origin.image_template_id,
            START_KEY: self.origin.run_start_time,
            OUTPUT_KEY: self.origin.run_output_name,
            SOURCE_KEY: self.source.address.url,
            ETAG_KEY: plain_etag(source.facts.etag),
        }
        return {key: value for key, value in known.items() if value}

    def _result(self, source: _Pinned, digest: str, *, copied_bytes: int) -> VhdCopyResult:
        return VhdCopyResult(
            source=self.source.address.url,
            destination=self.target.address.url,
            run_output_name=self.origin.run_output_name,
            length=source.facts.size,
            allocated_bytes=sum(one.length for one in source.ranges),
            copied_bytes=copied_bytes,
            sha256=digest,
            source_etag=plain_etag(source.facts.etag),
        )

    def failed(self, error: ArmRequestError) -> VhdCopyError:
        """Make the error for a copy that Azure ended."""
        hint = error.hint or "Run the task again: the copy goes on where it is."
        if error.status == PRECONDITION_FAILED:
            hint = "The VHD or its copy was changed meanwhile. Run the task again: a changed VHD is copied anew."
        return self._error(error.message, hint=hint, code=error.code, status=error.status)

    def _error(self, reason: str, *, hint: str, **data: object) -> VhdCopyError:
        source, target = self.source.address.url, self.target.address.url
        return VhdCopyError(
            f"VHD {source} was not copied to {target}: {reason}", hint=hint, source=source, destination=target, **data
        )


def judge_destination(source: BlobFacts, present: BlobFacts | None) -> Found:
    """Judge what is at the destination by what it says about itself.

    Only a copy of ours that was not yet verified is continued, or replaced when its source has changed since.
    """
    if present is None:
        return "nothing"
    metadata: Mapping[str, str] = present.metadata
    if present.kind != PAGE_BLOB or ETAG_KEY not in metadata or DIGEST_KEY in metadata:
        return "other"
    is_same = metadata[ETAG_KEY] == plain_etag(source.etag) and present.size == source.size
    return "unfinished" if is_same else "outdated"


def plain_etag(etag: str) -> str:
    """Write an etag without its quotes, which some tools put around it and others do not."""
    return etag.removeprefix("W/").strip('"')
