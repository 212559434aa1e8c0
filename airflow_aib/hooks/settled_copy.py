"""Copy a log as a whole: when a run is over, the service may still be handing over the end of its log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive_place import blob_pieces
from airflow_aib.hooks.compression import Observed, compressed
from airflow_aib.hooks.staging import CUSTOMIZATION_LOG
from airflow_aib.image_run.customization_log import LogReading
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.late_success import has_timed_out
from airflow_aib.image_run.log_bytes import LogBytes

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_aib.hooks.archive_place import ArchivePlace
    from airflow_aib.hooks.blob_facts import BlobFacts
    from airflow_aib.hooks.blob_file import BlobFile
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.image_run.run_status import LastRunStatus

log = logging.getLogger(__name__)

COPY_ATTEMPTS = 3
# How long after a run's end the end of its log is waited for; and where none may come, or nobody knows what it is like:
# the build was broken off, and the log with it, or it is the log of a validation.
SETTLING_TIME = timedelta(minutes=1)
ENDLESS_TIME = timedelta(seconds=10)
# Seconds.
LOOK_INTERVAL = 5.0


@dataclass(frozen=True)
class Settling:
    """Say until when a log that lacks its end may still get it.

    :param ends_at: when nobody waits for it any more
    :param clock: tells the time and waits
    """

    ends_at: datetime
    clock: Clock

    @classmethod
    def of_log(cls, file_name: str, status: LastRunStatus, clock: Clock) -> Self:
        """Count from the end of the run that has written a log."""
        now = clock.now()
        has_end = file_name == CUSTOMIZATION_LOG and not has_timed_out(status)
        within = SETTLING_TIME if has_end else ENDLESS_TIME
        # The service tells the end by its own clock, which may be fast.
        return cls(min(status.ended_at or now, now) + within, clock)

    async def has_grown(self, blob: BlobFile, since: BlobFacts | None) -> bool:
        """Wait until a log is another one than it was, or the time is over; say whether it is."""
        while (left := (self.ends_at - self.clock.now()).total_seconds()) > 0:
            await self.clock.sleep(min(LOOK_INTERVAL, left))
            if await blob.look() != since:
                return True
        return False


async def copy_settled(
    blob: BlobFile, place: ArchivePlace, name: str, settling: Settling | None = None
) -> tuple[Observed, LogReading]:
    """Copy a log that nobody changed meanwhile; one that lacks its end, again as soon as it has grown.

    Should the end not come in time, what is there is all that there is: a build that was broken off has left no more.

    :param blob: the log
    :param place: where the copy goes
    :param name: of the copy
    :param settling: how long its end may still be on its way; None where it has come long ago
    """
    attempts = COPY_ATTEMPTS
    while attempts:
        before = await blob.look()
        observed, reading = await _copy(blob, place, name)
        if await blob.look() != before:
            attempts -= 1
        elif reading.is_complete or settling is None or not await settling.has_grown(blob, before):
            if blob.address.blob.endswith(CUSTOMIZATION_LOG) and not reading.is_complete:
                log.info("Log %s has no end; it is archived as far as it goes.", blob.address.url)
            return observed, reading
    raise ArmRequestError(
        f"Log {blob.address.url} has changed during each of {COPY_ATTEMPTS} copies",
        hint="It is still being written: archive it again in a few minutes.",
        code="LogChanges",
        target=blob.address.url,
    )


async def _copy(blob: BlobFile, place: ArchivePlace, name: str) -> tuple[Observed, LogReading]:
    reading = LogReading(log_signs())
    observed = Observed(LogBytes(reading))
    await place.write(name, compressed(observed.watch(blob_pieces(blob))), {"aib_source": blob.address.url})
    return observed, reading
