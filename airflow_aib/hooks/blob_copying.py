"""Copy Blob: storage copies a blob as a whole, in its own time, also while nobody watches."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.many_pieces import patiently

if TYPE_CHECKING:
    from airflow_aib.hooks.blob_facts import BlobFacts, CopyState
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.copy_progress import ProgressMeter
    from airflow_aib.hooks.page_blob import PageBlob

log = logging.getLogger(__name__)

# Seconds between two looks: they grow.
FIRST_LOOK, LONGEST_LOOK = 0.5, 15.0
# A copy that has not got on for so long is ended, and its pieces are copied instead.
STALLED_AFTER = timedelta(minutes=10)
# An address that another account may read while its copy lasts; it cannot be renewed on the way.
COPY_SIGNATURE_LIFE = timedelta(days=1)


async def start_copy(
    source: PageBlob, target: PageBlob, facts: BlobFacts, metadata: dict[str, str], *, replacing: str | None
) -> None:
    """Begin to copy one version of a blob.

    :param facts: of the source
    :param replacing: etag of the blob that it may replace; None means that there must be none
    """
    url = source.address.url
    if source.access.account_url != target.access.account_url:
        # Storage takes no token for another account here.
        url = await source.access.signed_url(source.address, COPY_SIGNATURE_LIFE)
    await target.start_copy_from(url, metadata, source_etag=facts.etag, replacing=replacing)


async def wait_for_copy(target: PageBlob, meter: ProgressMeter, clock: Clock) -> CopyState | None:
    """Wait until the copy is over, and say how it ended; None when no copy made this blob.

    One that does not get on is ended.
    """
    pause, moved, seen = FIRST_LOOK, clock.now(), 0
    while True:
        facts = await patiently(target.look, clock)
        state = facts.copy if facts is not None else None
        if state is None or not state.is_pending:
            return state
        if state.copied_bytes > seen:
            meter.add(state.copied_bytes - seen)
            seen, moved = state.copied_bytes, clock.now()
        elif clock.now() - moved > STALLED_AFTER:
            log.warning("Copy Blob to %s has not got on for %s, it is ended.", target.address.url, STALLED_AFTER)
            await abort_copy(target, state, clock)
        await clock.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK)


async def abort_copy(target: PageBlob, state: CopyState, clock: Clock) -> None:
    """End a copy; what it has copied is gone. One that is over by itself is fine."""
    try:
        await patiently(lambda: target.abort_copy(state.copy_id), clock)
    except ArmRequestError as error:
        if error.code != "NoPendingCopyOperation":
            raise
