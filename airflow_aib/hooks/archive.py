"""Archive the logs of a run, compressed, in storage of the user's, and mark that it is done."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive_place import open_place
from airflow_aib.hooks.blob_file import digest
from airflow_aib.hooks.compression import decompressed
from airflow_aib.hooks.guards import LOG_MARK
from airflow_aib.hooks.image_runs import CANCEL_TIMEOUT
from airflow_aib.hooks.leftovers import LOGS_SAVED_UNTIL, older_than, saved_until, unsaved_logs
from airflow_aib.hooks.resource_id import parse_image_template_id
from airflow_aib.hooks.run_requests import busy
from airflow_aib.hooks.settled_copy import Settling, copy_settled
from airflow_aib.hooks.staging import CUSTOMIZATION_LOG, VALIDATION_LOG, StagedBlob, StagingArea
from airflow_aib.hooks.waiting import Patience, Wait
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_run
from airflow_aib.image_run.log_archive import DIAGNOSIS, EARLIER, INDEX, run_folder, with_run
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from airflow_aib.hooks.archive_place import ArchivePlace
    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.image_run.customization_log import CustomizationLog

log = logging.getLogger(__name__)

INDEX_ATTEMPTS = 5
CANCEL_PATIENCE = Patience(DEFAULT_POLL_INTERVAL, CANCEL_TIMEOUT)
# A run that has just ended may still be handing over its log.
LOG_PATIENCE = Patience(poll_interval=10, within=timedelta(minutes=1))


@dataclass(frozen=True)
class ArchivedFile:
    """Say where a log was archived.

    :param name: of the file, `customization.log.gz`
    :param url: where it lies
    :param bytes: how long the log is
    :param sha256: digest of the log, in hex
    """

    name: str
    url: str
    bytes: int
    sha256: str


async def archive_logs(
    service: ImageRuns,
    image_template_id: str,
    destination: str,
    *,
    start_time: str | None = None,
    after_cancel: Patience = CANCEL_PATIENCE,
) -> dict[str, Any]:
    """Copy the logs of the last run to `<destination>/<image template>/<start time>_<outcome>/`, check and mark it.

    Each is compressed with gzip, read back and compared. A log that lacks its end, shortly after the run, is waited
    for. `<destination>/<image template>/index.json` lists the runs,
    the newest first. Beside the logs of a run that ended badly lies its diagnosis. A run that is being cancelled is
    waited for: whoever has ended its task wants to know why as well. What is already there is replaced by the same
    content: archiving twice does no harm. Logs of earlier runs that nobody has archived are saved besides, in
    `<destination>/<image template>/earlier/`.

    :param service: image templates and runs
    :param image_template_id: resource id
    :param destination: `account/container[/folder]`, or a path that `ObjectStoragePath` takes
    :param start_time: verbatim start time of the run that is meant; another one is an error
    :param after_cancel: how long to wait for the end of a run that is being cancelled, and how often to look
    """
    body = await _after_cancel(service, image_template_id, start_time, after_cancel)
    status = require_finished_run(image_template_id, body, start_time)
    place = open_place(service.clients, destination)
    name = parse_image_template_id(image_template_id).name
    folder = run_folder(name, status)
    logs = await _find_logs(service, body, status)
    archived = {
        log_file.file_name: await archive_log(
            service.clients,
            log_file,
            place,
            f"{folder}/{log_file.file_name}.gz",
            Settling.of_log(log_file.file_name, status, service.clock),
        )
        for log_file in logs
    }
    diagnosis = None
    if not status.has_succeeded:
        read = {name: log_read for name, (_, log_read) in archived.items()}
        diagnosis = await _archive_diagnosis(body, status, read, place, f"{folder}/{DIAGNOSIS}")
    archive = {
        "image_template_id": image_template_id,
        "start_time": status.start_time,
        "run_state": status.run_state,
        "location": place.url(folder),
        "files": [asdict(file) for file, _ in archived.values()],
        "diagnosis": diagnosis,
    }
    await note_in_index(place, f"{name}/{INDEX}", {**archive, "end_time": status.end_time})
    earlier = await _save_earlier_logs(service, body, status, place, f"{name}/{EARLIER}")
    if logs or not status.may_have_made_images:
        await service.merge_tags(
            image_template_id, {LOG_MARK: status.start_time, **saved_until((*earlier, *logs), LOGS_SAVED_UNTIL)}
        )
    return archive


async def _archive_diagnosis(
    body: Mapping[str, Any],
    status: LastRunStatus,
    logs: Mapping[str, CustomizationLog],
    place: ArchivePlace,
    name: str,
) -> dict[str, Any]:
    """Write down why a run ended badly."""
    properties: Mapping[str, Any] = body.get("properties") or {}
    diagnosis = diagnose(evidence_of_run(status, properties, logs.get(CUSTOMIZATION_LOG), logs.get(VALIDATION_LOG)))
    content = json.dumps(diagnosis.to_json(), indent=1).encode()
    if not await place.replace_small(name, content, instead_of=await place.read_small(name)):
        log.info("Somebody else has written %s at the same time, and it says the same.", place.url(name))
    return {"url": place.url(name), "failure_class": diagnosis.failure_class}


async def note_in_index(place: ArchivePlace, name: str, run: Mapping[str, Any]) -> None:
    """Add a run to the index of its image template; what others write into it meanwhile stays.

    :param place: where the archive is
    :param name: of the index
    :param run: what is said of the run, with its `start_time`
    """
    for _ in range(INDEX_ATTEMPTS):
        known = await place.read_small(name)
        if await place.replace_small(name, with_run(known.content if known else None, run), instead_of=known):
            return
    raise ArmRequestError(
        f"Index {place.url(name)} was written by others each of {INDEX_ATTEMPTS} times that it was read",
        hint="The logs are archived; archive again to have them in the index.",
        code="IndexBusy",
        target=place.url(name),
    )


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


async def _after_cancel(
    service: ImageRuns, image_template_id: str, start_time: str | None, patience: Patience
) -> dict[str, Any]:
    """Give the image template's body, once the run that is meant is not being cancelled any more."""
    body = await service.require_image_template(image_template_id)
    status = read_last_run_status(body)
    if status is None or status.run_state != RunState.CANCELING or start_time not in {None, status.start_time}:
        return body
    # Of the run that may follow at once, there is nothing to wait for.
    handle = ImageRunHandle(image_template_id, service.clock.now().isoformat(), start_time=status.start_time)
    await service.wait_until_over(
        image_template_id, handle=handle, poll_interval=patience.poll_interval, within=patience.within
    )
    return await service.require_image_template(image_template_id)


async def _save_earlier_logs(
    service: ImageRuns, body: Mapping[str, Any], status: LastRunStatus, place: ArchivePlace, folder: str
) -> list[StagedBlob]:
    """Archive what earlier runs have left, for which the task that should have done it has failed."""
    left = older_than(await unsaved_logs(StagingArea(service.clients), body), status.started_at)
    for log_file in left:
        await archive_log(service.clients, log_file, place, f"{folder}/{log_file.name}.gz")
    return left


async def _find_logs(service: ImageRuns, body: Mapping[str, Any], status: LastRunStatus) -> list[StagedBlob]:
    staging = StagingArea(service.clients)
    return await logs_left(lambda: staging.find_logs(body, status), service.clock)


async def logs_left(look: Callable[[], Awaitable[list[StagedBlob]]], clock: Clock) -> list[StagedBlob]:
    """Wait a little for the logs of a run that is over, and say so; none where it has left none.

    :param look: asks for them
    :param clock: tells the time and waits
    """
    is_told = False

    def are_there(found: list[StagedBlob]) -> bool:
        nonlocal is_told
        if not found and not is_told:
            is_told = True
            within = LOG_PATIENCE.within.total_seconds()
            log.info("The run has left no log yet: looking again for up to %d seconds.", within)
        return bool(found)

    def none_yet(_: list[StagedBlob] | None) -> ArmRequestError:
        return ArmRequestError("The run left no log", hint="It may have failed before there was one.", code="NoLog")

    try:
        return await Wait(look, are_there, none_yet, LOG_PATIENCE, clock).until_done()
    except ArmRequestError as error:
        if error.code == "NoLog":
            # It failed before there was anything to write down; then nothing is lost either.
            return []
        raise


async def archive_log(
    clients: AzureClients, source: StagedBlob, place: ArchivePlace, name: str, settling: Settling | None = None
) -> tuple[ArchivedFile, CustomizationLog]:
    """Copy a log of any length in constant memory, then read the copy back and compare; give also what it says.

    :param settling: how long its end may still be on its way; None where it has come long ago
    """
    observed, read = await copy_settled(StagingArea(clients).file(source), place, name, settling)
    written, url = observed.content, place.url(name)
    found = await digest(decompressed(place.read(name), target=url))
    if found != written:
        raise ArmRequestError(
            f"The archived log {url} is not what was written: {found.size} bytes with SHA-256 "
            f"{found.sha256} instead of {written.size} with {written.sha256}",
            hint="Somebody else may have written it at the same time: archive it again.",
            code="ArchiveDiffers",
            target=url,
        )
    return ArchivedFile(name.rpartition("/")[2], url, written.size, written.sha256), read.result(
        clients.settings.masker
    )
