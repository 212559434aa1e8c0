from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, ImageTemplateInUseError
from airflow_aib.hooks.archive import archive_logs, note_in_index
from airflow_aib.hooks.archive_place import BlobPlace
from airflow_aib.hooks.blob_file import BlobFile, digest
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.compression import decompressed
from airflow_aib.hooks.guards import LOG_MARK
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.storage_access import StorageAccess
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from airflow_aib.image_run.run_status import LastRunStatus
    from tests.integration.hooks.azure import Azure

DESTINATION = "imagestore/images/archive"


async def archived(azure: Azure, url: str) -> bytes:
    """Read an archived log."""
    return gzip.decompress(await stored(azure, url))


async def stored(azure: Azure, url: str) -> bytes:
    """Read a file of the archive as it lies there."""
    address = azure.clients.settings.cloud.blob_address(url)
    return await BlobFile(StorageAccess(azure.clients, address.account_url), address).read(0, 1 << 24)


def archive_url(azure: Azure) -> str:
    """Return the address of the archive."""
    return azure.clients.settings.cloud.container_address(DESTINATION).blob("").url.rstrip("/")


async def index(azure: Azure) -> list[dict[str, Any]]:
    """Read the index of the image template's runs."""
    runs: list[dict[str, Any]] = json.loads(await stored(azure, f"{archive_url(azure)}/base/index.json"))["runs"]
    return runs


async def original(azure: Azure, body: dict[str, Any], status: LastRunStatus) -> bytes:
    """Read a run's log where the service left it."""
    staging = StagingArea(azure.clients)
    log_file = await staging.find_customization_log(body, status)
    assert log_file is not None
    return (await staging.read_log_from(log_file, 0, 1 << 24)).content


async def test_the_log_is_archived_byte_for_byte_and_marked(azure: Azure) -> None:
    """The copy lies under template, start time and outcome, is the log, and the run is marked as saved."""
    body, status = await azure.build()

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    (file,) = archive["files"]
    content = await archived(azure, file["url"])
    assert content == await original(azure, body, status)
    assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert file["url"] == f"{archive['location']}/customization.log.gz"
    folder = f"{status.start_time.replace(':', '-')}_Succeeded"
    assert archive["location"].endswith(f"/imagestore/images/archive/base/{folder}")
    assert len(await stored(azure, file["url"])) < len(content) / 2
    marked = await azure.service.require_image_template(azure.image_template_id)
    assert marked["tags"][LOG_MARK] == archive["start_time"] == status.start_time


async def test_a_failed_runs_log_is_archived_too(azure: Azure) -> None:
    """It is for failed runs that logs are kept."""
    azure.control.plan_failure(kind="customizer", output=["it broke here"])
    await azure.build()

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    assert archive["run_state"] == "Failed"
    assert b"it broke here" in await archived(azure, archive["files"][0]["url"])


class HandingOver(FakeClock):
    """Hand over the end of a log while somebody waits for it."""

    def __init__(self, log_file: BlobFile, content: bytes) -> None:
        super().__init__()
        self._log_file = log_file
        self._content = content

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        await super().sleep(seconds)
        await self._log_file.client.upload_blob(self._content, overwrite=True)


async def test_the_end_of_a_log_that_comes_late_is_archived_too(azure: Azure) -> None:
    """Right after a run, a log that lacks its end is not yet all there is."""
    body, status = await azure.build()
    whole, staging = await original(azure, body, status), StagingArea(azure.clients)
    log_file = await staging.find_customization_log(body, status)
    assert log_file is not None
    await staging.file(log_file).client.upload_blob(whole[: len(whole) // 2], overwrite=True)
    service = ImageTemplateService(azure.clients, clock=HandingOver(staging.file(log_file), whole))

    archive = await archive_logs(service, azure.image_template_id, DESTINATION)

    assert await archived(azure, archive["files"][0]["url"]) == whole


async def test_archiving_twice_does_no_harm(azure: Azure) -> None:
    """The same log gives the same archive."""
    await azure.build()
    first = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    assert await archive_logs(azure.service, azure.image_template_id, DESTINATION) == first


async def test_each_run_has_its_own_folder(azure: Azure) -> None:
    """The logs of two runs lie side by side."""
    await azure.build()
    first = await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    _, status = await azure.run()
    second = await archive_logs(azure.service, azure.image_template_id, DESTINATION, start_time=status.start_time)

    assert first["location"] != second["location"]
    assert await archived(azure, first["files"][0]["url"]) != await archived(azure, second["files"][0]["url"])


async def test_the_index_lists_every_run_once(azure: Azure) -> None:
    """Beside the runs' folders an index says how each ended and where its logs are, the newest first."""
    await azure.build()
    first = await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    azure.control.plan_failure(kind="customizer")
    _, status = await azure.run()
    second = await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    runs = await index(azure)

    assert [run["run_state"] for run in runs] == ["Failed", "Succeeded"]
    assert [run["location"] for run in runs] == [second["location"], first["location"]]
    assert runs[0]["end_time"] == status.end_time
    assert runs[0]["files"] == second["files"]


async def test_the_index_keeps_what_others_write_meanwhile(azure: Azure) -> None:
    """Two tasks that archive at once are both in the index."""
    place = BlobPlace(azure.clients, azure.clients.settings.cloud.container_address(DESTINATION))
    runs = [{"start_time": f"2026-01-0{day}T00:00:00Z"} for day in range(1, 5)]

    await asyncio.gather(*(note_in_index(place, "busy/index.json", run) for run in runs))

    kept = await place.read_small("busy/index.json")
    assert kept is not None
    assert [run["start_time"] for run in json.loads(kept.content)["runs"]] == [run["start_time"] for run in runs[::-1]]


async def test_an_archive_that_was_spoilt_is_noticed(azure: Azure) -> None:
    """What was read back and is no log, or only half of one, is no archive."""
    place = BlobPlace(azure.clients, azure.clients.settings.cloud.container_address(DESTINATION))

    with pytest.raises(ArmRequestError, match="its end is missing"):
        await digest(decompressed(as_pieces(gzip.compress(b"half a log")[:-4]), target=place.url("x.gz")))


@pytest.mark.parametrize("name", ["customization.log$", "customization.log.gz$"])
async def test_what_is_spoilt_on_its_way_is_not_archived(azure: Azure, name: str) -> None:
    """Of a log, or of its archive, something else comes than was sent: that is an error, and the next try is good."""
    body, status = await azure.build()
    azure.control.plan_fault(method="GET", path=name, action="malformed")

    with pytest.raises(ArmRequestError, match="bytes came"):
        await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    (file,) = (await archive_logs(azure.service, azure.image_template_id, DESTINATION))["files"]

    assert await archived(azure, file["url"]) == await original(azure, body, status)


def local(url: str) -> bytes:
    """Read a file of this machine."""
    return Path(url.removeprefix("file://")).read_bytes()


async def as_pieces(content: bytes) -> AsyncIterator[bytes]:
    """Give content as one piece."""
    yield content


async def test_the_archive_may_be_anywhere(azure: Azure, tmp_path: Path) -> None:
    """Any path that Airflow's `ObjectStoragePath` takes will do; what lies there is checked as well."""
    body, status = await azure.build()

    archive = await archive_logs(azure.service, azure.image_template_id, f"file://{tmp_path}/logs")

    (file,) = archive["files"]
    assert file["url"] == f"{archive['location']}/customization.log.gz"
    assert gzip.decompress(local(file["url"])) == await original(azure, body, status)
    listed = json.loads(local(f"file://{tmp_path}/logs/base/index.json"))["runs"]
    assert [run["start_time"] for run in listed] == [status.start_time]
    marked = await azure.service.require_image_template(azure.image_template_id)
    assert marked["tags"][LOG_MARK] == status.start_time
    assert await archive_logs(azure.service, azure.image_template_id, f"file://{tmp_path}/logs") == archive


@pytest.mark.parametrize(
    ("destination", "error", "words"),
    [
        ("file:///proc/nowhere", ArmRequestError, r"Could not write file:///proc/nowhere/base/.*customization.log.gz"),
        ("carrier-pigeon://roof/a", ArmRequestError, "Could not reach carrier-pigeon://roof/a"),
        ("file://", ImageTemplateError, "names no place behind its scheme"),
    ],
)
async def test_a_place_that_cannot_be_written_is_named(
    azure: Azure, destination: str, error: type[Exception], words: str
) -> None:
    """The error says which file could not be written, and no mark says that the log is safe."""
    await azure.build()

    with pytest.raises(error, match=words):
        await archive_logs(azure.service, azure.image_template_id, destination)

    assert LOG_MARK not in (await azure.service.require_image_template(azure.image_template_id)).get("tags", {})


async def test_a_run_that_goes_on_is_not_archived(azure: Azure) -> None:
    """Half a log is no archive."""
    await azure.create()
    azure.control.set_scale(1)
    await azure.service.start_run(azure.image_template_id)

    with pytest.raises(ImageTemplateInUseError):
        await archive_logs(azure.service, azure.image_template_id, DESTINATION)


async def test_a_run_that_is_being_cancelled_is_waited_for(azure: Azure) -> None:
    """Who ends a run's task by hand still gets its log."""
    await azure.create()
    azure.control.set_scale(30)
    handle = await azure.service.start_run(azure.image_template_id)
    await azure.service.cancel_run(azure.image_template_id)

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION, start_time=handle.start_time)

    assert archive["run_state"] == "Canceled"


async def test_another_run_than_the_one_meant_is_not_archived(azure: Azure) -> None:
    """Who means a run that is no longer the last one is told so."""
    await azure.build()

    with pytest.raises(ArmRequestError, match="no longer shows the run that started yesterday"):
        await archive_logs(azure.service, azure.image_template_id, DESTINATION, start_time="yesterday")


async def test_without_a_run_there_is_nothing_to_archive(azure: Azure) -> None:
    """An image template that never ran has no log."""
    await azure.create()

    with pytest.raises(ArmRequestError, match="never run"):
        await archive_logs(azure.service, azure.image_template_id, DESTINATION)


@pytest.mark.parametrize("fails", [True, False])
async def test_a_run_without_a_log(azure: Azure, *, fails: bool) -> None:
    """A failed run without a log has nothing to keep; the log of a good one must be somewhere: it stays unmarked."""
    if fails:
        azure.control.plan_failure(kind="customizer")
    body, status = await azure.build()
    staging = StagingArea(azure.clients)
    log_file = await staging.find_customization_log(body, status)
    assert log_file is not None
    await staging.file(log_file).client.delete_blob()
    service = ImageTemplateService(azure.clients, clock=FakeClock())

    archive = await archive_logs(service, azure.image_template_id, DESTINATION)

    assert archive["files"] == []
    tags = (await service.require_image_template(azure.image_template_id))["tags"]
    assert tags.get(LOG_MARK) == (status.start_time if fails else None)


async def test_a_container_that_is_not_there_is_named(azure: Azure) -> None:
    """Nothing is created behind the user's back, and nothing is marked."""
    await azure.build()

    with pytest.raises(ArmRequestError, match="Create the container first"):
        await archive_logs(azure.service, azure.image_template_id, "imagestore/absent")
    assert LOG_MARK not in (await azure.service.require_image_template(azure.image_template_id))["tags"]


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500}, {"action": "reset"}])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_faults_of_storage_are_borne(azure: Azure, method: str, fault: dict[str, object]) -> None:
    """A fault while reading or writing does not end the archiving."""
    body, status = await azure.build()
    azure.control.plan_fault(method=method, path=r"customization\.log", **fault)

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    assert await archived(azure, archive["files"][0]["url"]) == await original(azure, body, status)


async def test_keys_are_used_where_tokens_are_refused_and_it_is_said(
    azure: Azure, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a data role the accounts' keys do it, on both sides, and the log names the better remedy."""
    body, status = await azure.build()
    azure.control.set_data_role("none")

    with caplog.at_level(logging.WARNING):
        archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    assert await archived(azure, archive["files"][0]["url"]) == await original(azure, body, status)
    warnings = [record.getMessage() for record in caplog.records if "account key" in record.getMessage()]
    assert len(warnings) == 2
    assert all("Storage Blob Data" in warning for warning in warnings)


async def test_keys_are_not_used_where_the_connection_forbids_it(azure: Azure) -> None:
    """Then the refusal stands, with the role that lacks."""
    await azure.build()
    azure.control.set_data_role("none")

    async with shared_clients(azure.settings(allow_account_keys=False)) as clients:
        with pytest.raises(ArmRequestError, match="Storage Blob Data Reader") as caught:
            await archive_logs(ImageTemplateService(clients), azure.image_template_id, DESTINATION)
    assert caught.value.status == 403
    assert azure.count("POST", "/listKeys") == 0


async def test_a_failed_run_is_archived_with_its_diagnosis(azure: Azure) -> None:
    """Beside the log lies why the run failed, for programs; beside a good one lies none."""
    azure.control.plan_failure(kind="customizer", exit_code=3, output=["E: it broke here"])
    await azure.build()

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    content = json.loads(await stored(azure, archive["diagnosis"]["url"]))
    assert archive["diagnosis"] == {
        "url": f"{archive['location']}/diagnosis.json",
        "failure_class": "customizer-failed",
    }
    assert (content["failure_class"], content["exit_code"]) == ("customizer-failed", 3)
    assert content["error_lines"] == ["E: it broke here"]
    await azure.run()
    assert (await archive_logs(azure.service, azure.image_template_id, DESTINATION))["diagnosis"] is None
