"""Read the logs of a run, however long they are, for a diagnosis of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive_place import blob_pieces
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.staging import VALIDATION_LOG, StagingArea
from airflow_aib.hooks.waiting import Patience, Wait
from airflow_aib.image_run.customization_log import CustomizationLog, LogReading
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_bytes import LogBytes, LogUnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.staging import StagedBlob
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.masking import Masker

# Without its log a failure may look as if it could pass: a fault in reading it must not cost another build.
READING_PATIENCE = Patience(poll_interval=8, within=timedelta(minutes=1), error_budget=timedelta(minutes=1))


@dataclass(frozen=True)
class RunLogs:
    """Hold the logs of a run, read.

    :param customization: of the build; None where there is none, or it cannot be read
    :param validation: of the validators
    :param location: address of the build's log in the staging resource group
    """

    customization: CustomizationLog | None = None
    validation: CustomizationLog | None = None
    location: str | None = None


async def read_log(pieces: AsyncIterable[bytes], masker: Masker, *, target: str) -> CustomizationLog:
    """Read a log, plain or compressed with gzip, in bounded memory and off the event loop.

    :param pieces: its bytes
    :param masker: takes secrets out of what is kept
    :param target: its address, for the error
    """
    reading = LogReading(log_signs())
    content = LogBytes(reading)
    try:
        async for piece in pieces:
            await asyncio.to_thread(content.feed, piece)
    except LogUnreadableError as error:
        raise ArmRequestError(
            f"Log {target} cannot be read: {error}",
            hint="Take the file as it was archived, or decompress it yourself.",
            code="LogUnreadable",
            target=target,
        ) from error
    content.finish()
    return reading.result(masker)


async def read_run_logs(
    clients: AzureClients,
    body: Mapping[str, object],
    status: LastRunStatus,
    log: TaskLog,
    *,
    known: CustomizationLog | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> RunLogs:
    """Read the logs of a run, again for a while where that fails; in the end trouble with them is only told.

    :param known: the build's log, where it was read already
    :param clock: tells the time and waits
    """

    async def read() -> RunLogs:
        return await _read_all(StagingArea(clients), body, status, known)

    def overdue(_: RunLogs | None) -> ArmRequestError:
        return ArmRequestError("Time was up", hint="Archive the log, and read it there.")

    try:
        return await Wait(read, lambda _: True, overdue, READING_PATIENCE, clock).until_done()
    except ArmRequestError as error:
        log.warning("The customization log cannot be read: %s", error)
        return RunLogs(known)


async def _read_all(
    staging: StagingArea, body: Mapping[str, object], status: LastRunStatus, known: CustomizationLog | None
) -> RunLogs:
    by_kind = {blob.file_name == VALIDATION_LOG: blob for blob in await staging.find_logs(body, status)}
    location = by_kind[False].address.url if False in by_kind else None
    to_read = {kind: blob for kind, blob in by_kind.items() if kind or known is None}
    read = {kind: await _read_blob(staging, blob) for kind, blob in to_read.items()}
    return RunLogs(known or read.get(False), read.get(True), location)


async def _read_blob(staging: StagingArea, blob: StagedBlob) -> CustomizationLog:
    masker = staging.clients.settings.masker
    return await read_log(blob_pieces(staging.file(blob)), masker, target=blob.address.url)
