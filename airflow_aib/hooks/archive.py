"""Archive the logs of a run in storage of the user's, and mark that it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import BlobFile, Content, digest
from airflow_aib.hooks.guards import LOG_MARK
from airflow_aib.hooks.image_runs import busy
from airflow_aib.hooks.leftovers import LOGS_SAVED_UNTIL, older_than, saved_until, unsaved_logs
from airflow_aib.hooks.resource_id import parse_image_template_id
from airflow_aib.hooks.staging import MEBIBYTE, StagedBlob, StagingArea
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.waiting import Patience, Wait
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.storage_address import BlobAddress, ContainerAddress

PIECE_BYTES = 4 * MEBIBYTE
COPY_ATTEMPTS = 3
# A run that has just ended may still be handing over its log.
LOG_PATIENCE = Patience(poll_interval=10, within=timedelta(minutes=1))


@dataclass(frozen=True)
class ArchivedFile:
    """Say where a log was archived.

    :param name: of the log
    :param url: where its copy lies
    :param bytes: how long it is
    :param sha256: digest of its content, in hex
    """

    name: str
    url: str
    bytes: int
    sha256: str


async def archive_logs(
    service: ImageRuns, image_template_id: str, destination: str, *, start_time: str | None = None
) -> dict[str, Any]:
    """Copy the logs of the last run to `<destination>/<image template>/<start time>/`, check and mark it.

    A run that is being cancelled is waited for: whoever has ended its task wants to know why as well.
    What is already there is replaced by the same content: archiving twice does no harm. Logs of earlier runs that
    nobody has archived are saved besides, in `<destination>/<image template>/earlier/`.

    :param service: image templates and runs
    :param image_template_id: resource id
    :param destination: container, and a folder in it
    :param start_time: verbatim start time of the run that is meant; another one is an error
    """
    body = await _after_cancel(service, image_template_id)
    status = require_finished_run(image_template_id, body, start_time)
    container = service.clients.settings.cloud.container_address(destination)
    folder = archive_folder(image_template_id, status.start_time)
    logs = await _find_logs(service, body, status)
    files = [
        await copy_verified(service.clients, log_file, container.blob(f"{folder}/{log_file.file_name}"))
        for log_file in logs
    ]
    earlier = await _save_earlier_logs(service, image_template_id, body, status, container)
    if logs or not status.may_have_made_images:
        await service.merge_tags(
            image_template_id, {LOG_MARK: status.start_time, **saved_until((*earlier, *logs), LOGS_SAVED_UNTIL)}
        )
    return {
        "image_template_id": image_template_id,
        "start_time": status.start_time,
        "run_state": status.run_state,
        "location": location(container, folder),
        "files": [asdict(file) for file in files],
    }


def archive_folder(image_template_id: str, start_time: str) -> str:
    """Give the folder for a run's logs; a colon in a name troubles too many tools that download."""
    return f"{parse_image_template_id(image_template_id).name}/{start_time.replace(':', '-')}"


def location(container: ContainerAddress, folder: str) -> str:
    """Give the address of the folder."""
    return container.blob(folder).url


def require_finished_run(
    image_template_id: str, body: Mapping[str, Any], start_time: str | None = None
) -> LastRunStatus:
    """Give the status of the last run, which must be over, and the one that is meant."""
    status = read_last_run_status(body)
    if status is None:
        raise ArmRequestError(
            f"Image template {image_template_id} has never run",
            hint="Run it first; then there is a log.",
            code="NoRun",
            target=image_template_id,
        )
    if start_time is not None and status.start_time != start_time:
        raise ArmRequestError(
            f"Image template {image_template_id} no longer shows the run that started {start_time}, but one that "
            f"started {status.start_time}",
            hint="Collect what a run left before the next one starts.",
            code="RunReplaced",
            target=image_template_id,
        )
    if not status.is_over:
        raise busy(image_template_id, status)
    return status


async def _after_cancel(service: ImageRuns, image_template_id: str) -> dict[str, Any]:
    body = await service.require_image_template(image_template_id)
    status = read_last_run_status(body)
    if status is None or status.run_state != RunState.CANCELING:
        return body
    await service.wait_until_over(image_template_id)
    return await service.require_image_template(image_template_id)


async def _save_earlier_logs(
    service: ImageRuns,
    image_template_id: str,
    body: Mapping[str, Any],
    status: LastRunStatus,
    container: ContainerAddress,
) -> list[StagedBlob]:
    """Archive what earlier runs have left, for which the task that should have done it has failed."""
    left = older_than(await unsaved_logs(StagingArea(service.clients), body), status.started_at)
    name = parse_image_template_id(image_template_id).name
    for log_file in left:
        await copy_verified(service.clients, log_file, container.blob(f"{name}/earlier/{log_file.name}"))
    return left


async def _find_logs(service: ImageRuns, body: Mapping[str, Any], status: LastRunStatus) -> list[StagedBlob]:
    staging = StagingArea(service.clients)

    async def look() -> list[StagedBlob]:
        return await staging.find_logs(body, status)

    def none_yet(_: list[StagedBlob] | None) -> ArmRequestError:
        return ArmRequestError("The run left no log", hint="It may have failed before there was one.", code="NoLog")

    try:
        return await Wait(look, bool, none_yet, LOG_PATIENCE, service.clock).until_done()
    except ArmRequestError as error:
        if error.code == "NoLog":
            # It failed before there was anything to write down; then nothing is lost either.
            return []
        raise


async def copy_verified(clients: AzureClients, source: StagedBlob, destination: BlobAddress) -> ArchivedFile:
    """Copy a blob of any length in constant memory, then read the copy back and compare."""
    reading = StagingArea(clients).file(source)
    writing = BlobFile(StorageAccess(clients, destination.account_url), destination)
    written = await copy_settled(reading, writing)
    found = await digest(_pieces(writing))
    if found != written:
        raise ArmRequestError(
            f"The archived log {destination.url} is not what was written: {found.size} bytes with SHA-256 "
            f"{found.sha256} instead of {written.size} with {written.sha256}",
            hint="Somebody else may have written it at the same time: archive it again.",
            code="ArchiveDiffers",
            target=destination.url,
        )
    return ArchivedFile(source.file_name, destination.url, written.size, written.sha256)


async def copy_settled(reading: BlobFile, writing: BlobFile) -> Content:
    """Copy a blob that nobody changed meanwhile: the service may still be handing over the end of a log."""
    for _ in range(COPY_ATTEMPTS):
        before = await reading.look()
        written = await writing.write(_pieces(reading), {"aib_source": reading.address.url})
        if await reading.look() == before:
            return written
    raise ArmRequestError(
        f"Log {reading.address.url} has changed during each of {COPY_ATTEMPTS} copies",
        hint="It is still being written: archive it again in a few minutes.",
        code="LogChanges",
        target=reading.address.url,
    )


async def _pieces(blob: BlobFile) -> AsyncIterator[bytes]:
    offset = 0
    while piece := await blob.read(offset, PIECE_BYTES):
        offset += len(piece)
        yield piece
