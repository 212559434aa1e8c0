"""The blob that becomes the copy of a VHD: begun, finished, and kept from changes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_aib.exceptions import ArmRequestError, VhdCopyError
from airflow_aib.hooks.blob_copying import abort_copy, start_copy, wait_for_copy
from airflow_aib.hooks.blob_facts import PAGE_BLOB
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter
from airflow_aib.hooks.errors import CONFLICT, PRECONDITION_FAILED
from airflow_aib.hooks.many_pieces import patiently
from airflow_aib.hooks.vhd_marks import Found, describe_copy, is_unfinished, judge_destination, sequence_number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_aib.hooks.blob_facts import BlobFacts
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.page_blob import PageBlob
    from airflow_aib.hooks.vhd_source import PinnedVhd
    from airflow_aib.vhd.copy_options import CopyOptions

    Metadata = dict[str, str]

# What Copy Blob has brought over: nothing, since none was begun; all of it; or something that is of no use.
Outcome = Literal["nothing", "everything", "refuse"]

# What storage says to whoever wants to make a blob where somebody else has made or changed one since the look.
LOST_RACES = frozenset({"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"})

OTHER_HINT = "Choose another blob name or destination, or allow overwriting."
UNFINISHED_HINT = (
    "Its task may still be at it: choose another destination for one of the two. If nobody goes on with it any more, "
    "delete it, or allow overwriting."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VhdDestination:
    """Work on the blob that becomes the copy.

    :param source: the VHD
    :param target: its copy
    :param options: how to copy
    :param clock: tells the time and waits
    """

    source: PageBlob
    target: PageBlob
    options: CopyOptions
    clock: Clock

    def judge(self, source: PinnedVhd, metadata: Metadata, present: BlobFacts | None) -> Found:
        """Judge what is there, against the copy that is to be made."""
        return judge_destination(metadata, source.facts.size, present)

    async def begin(self, source: PinnedVhd, present: BlobFacts | None, metadata: Metadata, method: str) -> bool:
        """Make the destination, empty or by Copy Blob, instead of what is there; False when that is another by now.

        :param present: what is there, as it was judged
        :param metadata: of the copy
        :param method: `pages` or `copy_blob`
        """
        if present is not None and present.copy is not None and present.is_being_copied:
            await abort_copy(self.target, present.copy, self.clock)
            return False
        try:
            if method == "copy_blob" and await self._begin_copy_blob(source, present, metadata):
                return True
            await patiently(lambda: self._create(source, present, metadata), self.clock)
        except ArmRequestError as error:
            if error.code not in LOST_RACES:
                raise
            return False
        return True

    async def _begin_copy_blob(self, source: PinnedVhd, present: BlobFacts | None, metadata: Metadata) -> bool:
        replacing = present.etag if present else None
        try:
            await patiently(
                lambda: start_copy(self.source, self.target, source.facts, metadata, replacing=replacing), self.clock
            )
        except ArmRequestError as error:
            if await self._is_begun(source, metadata):
                return True
            is_over = error.status == PRECONDITION_FAILED or error.code in LOST_RACES
            if self.options.method == "copy_blob" or is_over:
                raise
            log.warning("Copy Blob was refused, pieces are copied instead: %s", error)
            return False
        return True

    async def _create(self, source: PinnedVhd, present: BlobFacts | None, metadata: Metadata) -> None:
        replacing, number = present.etag if present else None, sequence_number_of(metadata)
        try:
            await self.target.create_pages(source.facts.size, metadata, sequence_number=number, replacing=replacing)
        except ArmRequestError as error:
            # Made by a request whose answer was lost, or by somebody who copies the same VHD: either will do.
            is_made = error.status in {CONFLICT, PRECONDITION_FAILED} and await self._is_begun(source, metadata)
            if not is_made:
                raise

    async def _is_begun(self, source: PinnedVhd, metadata: Metadata) -> bool:
        return self.judge(source, metadata, await self.target.look()) == "unfinished"

    async def await_copy_blob(self, source: PinnedVhd, progress: Callable[[CopyProgress], None]) -> Outcome:
        """Wait for a Copy Blob, should one be what makes the copy, and say what it has brought over."""
        state = (await self.look_again()).copy
        if state is not None and state.is_pending and self.options.method == "pages":
            log.info("Copy Blob to %s goes on, and is not wanted: pieces are copied instead.", self.target.address.url)
            return "refuse"
        if state is not None and state.is_pending:
            meter = ProgressMeter(progress, source.facts.size, 0, self.clock)
            state = await wait_for_copy(self.target, meter, self.clock)
        if state is None:
            return "nothing"
        if state.status == "success":
            return "everything"
        reason = f"Copy Blob ended, {state.status}: {state.reason or 'no reason given'}"
        if self.options.method == "copy_blob":
            raise VhdCopyError(reason, hint="Run the task again, or use method='pages'.")
        log.warning("%s. Pieces are copied instead.", reason)
        return "refuse"

    async def finish(self, metadata: Metadata, present: BlobFacts) -> None:
        """Write down what the copy is, if it is still what was compared."""

        async def write() -> None:
            try:
                await self.target.set_metadata(metadata, etag=present.etag)
            except ArmRequestError as error:
                # Written by a request whose answer was lost.
                if error.status != PRECONDITION_FAILED or (await self.look_again()).metadata != metadata:
                    raise

        await patiently(write, self.clock)

    async def protect(self, present: BlobFacts) -> None:
        """Keep the copy from being changed, where that is asked for and not so already."""
        options = self.options
        if options.retain_for is not None:
            until = (present.created_at or self.clock.now()) + options.retain_for
            if until > self.clock.now() and (present.retained_until is None or present.retained_until < until):
                await patiently(lambda: self.target.retain(until, is_locked=options.lock_retention), self.clock)
        if options.legal_hold and not present.has_legal_hold:
            await patiently(self.target.hold, self.clock)

    async def look(self) -> BlobFacts | None:
        """Describe what is there; None when there is nothing."""
        return await patiently(self.target.look, self.clock)

    async def look_again(self) -> BlobFacts:
        """Describe the copy that has been begun."""
        present = await self.look()
        if present is None:
            raise VhdCopyError(
                "the destination vanished during the copy", hint="See who deletes blobs there, and run the task again."
            )
        return present

    async def has_same_pages(self, source: PinnedVhd, present: BlobFacts) -> bool:
        """Whether a page blob of the source's length is there, with the same pages allocated."""
        if present.kind != PAGE_BLOB or present.size != source.facts.size:
            return False
        return await patiently(lambda: self.target.page_ranges(etag=present.etag), self.clock) == source.ranges


def other_content(present: BlobFacts) -> VhdCopyError:
    """Make the error for a destination where something else is; it says whose, where the blob says so."""
    whose = describe_copy(present)
    return VhdCopyError(
        f"the destination holds other content{f': {whose}' if whose else ''}",
        hint=UNFINISHED_HINT if is_unfinished(present) else OTHER_HINT,
    )
