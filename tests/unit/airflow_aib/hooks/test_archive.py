from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive import archive_logs, logs_left
from airflow_aib.hooks.blob_facts import BlobFacts
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.settled_copy import COPY_ATTEMPTS, ENDLESS_TIME, SETTLING_TIME, Settling, copy_settled
from airflow_aib.hooks.staging import StagedBlob
from airflow_aib.hooks.staging_account import StorageAccount
from airflow_aib.hooks.storage_address import BlobAddress
from airflow_aib.image_run.run_status import read_last_run_status
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    fake_clients,
    image_template,
    run_status,
    start_time,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping
    from datetime import datetime

    from airflow_aib.hooks.archive_place import ArchivePlace
    from airflow_aib.hooks.blob_file import BlobFile, Content

WHOLE = b"begin and end\nPACKER ERR 2026/01/05 03:00:00 [INFO] (telemetry) Finalizing.\n"


@dataclass
class FakeBlob:
    """Be a log that grows between two looks."""

    contents: list[bytes] = field(default_factory=lambda: [b""])
    address = BlobAddress("https://s.blob.core.windows.net", "packerlogs", "g/customization.log")

    async def look(self) -> BlobFacts:
        """Describe it as it is; it may have grown by the next look."""
        content = self.contents[0]
        if len(self.contents) > 1:
            self.contents.pop(0)
        return BlobFacts(len(content), hashlib.sha256(content).hexdigest(), "AppendBlob")

    async def read(self, offset: int, length: int) -> bytes:
        """Read some bytes."""
        return self.contents[0][offset : offset + length]


@dataclass
class FakePlace:
    """Keep one file."""

    content: bytes = b""

    async def write(self, name: str, pieces: AsyncIterable[bytes], metadata: Mapping[str, str]) -> None:
        """Take what is copied."""
        assert (name, metadata) == ("log.gz", {"aib_source": FakeBlob.address.url})
        self.content = gzip.decompress(b"".join([piece async for piece in pieces]))


async def copy(source: FakeBlob, destination: FakePlace, settling: Settling | None = None) -> Content:
    """Copy a log."""
    observed, _ = await copy_settled(cast("BlobFile", source), cast("ArchivePlace", destination), "log.gz", settling)
    return observed.content


def settling_of(
    clock: FakeClock,
    state: str = "Succeeded",
    message: str = "",
    ended_at: datetime = START,
    file_name: str = "customization.log",
) -> Settling:
    """Wait for a log of a run that has ended so."""
    end_time = ended_at.isoformat().replace("+00:00", "Z")
    status = read_last_run_status(image_template(run_status(state, message=message) | {"endTime": end_time}))
    assert status is not None
    return Settling.of_log(file_name, status, clock)


async def test_a_log_that_is_whole_is_copied_once() -> None:
    """Nothing changes any more after the end of most runs."""
    destination = FakePlace()

    written = await copy(FakeBlob([b"all"]), destination)

    assert (destination.content, written.size) == (b"all", 3)


async def test_a_log_that_grew_during_the_copy_is_copied_again() -> None:
    """The end of a log may come after the end of its run, and is the part that tells why."""
    destination = FakePlace()

    written = await copy(FakeBlob([b"be", b"begin", b"begin and end"]), destination)

    assert (destination.content, written.size) == (b"begin and end", 13)


async def test_a_log_that_never_rests_is_not_called_archived() -> None:
    """Half a log is no archive."""
    growing = FakeBlob([b"x" * count for count in range(1, 2 * COPY_ATTEMPTS + 2)])

    with pytest.raises(ArmRequestError, match=r"has changed during each of 3 copies.* archive it again"):
        await copy(growing, FakePlace())


async def test_the_end_of_a_log_is_waited_for() -> None:
    """A log may rest for a while without its end, which comes when the run has been over for some seconds."""
    clock, destination = FakeClock(), FakePlace()
    growing = FakeBlob([b"begin", b"begin", b"begin", b"begin and", b"begin and", b"begin and", WHOLE])

    written = await copy(growing, destination, settling_of(clock))

    assert (destination.content, written.size) == (WHOLE, len(WHOLE))


async def test_a_log_with_its_end_is_not_waited_for() -> None:
    """Whoever archives the log of most runs loses no time."""
    clock = FakeClock()

    await copy(FakeBlob([WHOLE]), FakePlace(), settling_of(clock))

    assert clock.pauses == []


@pytest.mark.parametrize(
    ("state", "message", "within"),
    [
        ("Succeeded", "", SETTLING_TIME),
        ("Failed", "Build failed.", SETTLING_TIME),
        ("Failed", "context deadline exceeded", ENDLESS_TIME),
        ("Canceled", "", ENDLESS_TIME),
    ],
)
async def test_an_end_that_does_not_come_is_waited_for_a_bounded_time(
    state: str, message: str, within: timedelta
) -> None:
    """What is there is archived then; the log of a build that broke off is not expected to have an end."""
    clock, destination = FakeClock(), FakePlace()

    await copy(FakeBlob([b"begin"]), destination, settling_of(clock, state, message))

    assert destination.content == b"begin"
    assert clock.now() - START == within


async def test_the_end_of_a_validations_log_is_waited_for_briefly() -> None:
    """Nobody knows what its last words are, so that it cannot be told whether they have come."""
    clock = FakeClock()

    await copy(FakeBlob([b"begin"]), FakePlace(), settling_of(clock, file_name="validation.log"))

    assert clock.now() - START == ENDLESS_TIME


async def test_a_log_of_long_ago_is_not_waited_for() -> None:
    """The time counts from the run's end, by which the service's clock may be ahead of ours."""
    clock = FakeClock()
    await copy(FakeBlob([b"begin"]), FakePlace(), settling_of(clock, ended_at=START - SETTLING_TIME))
    assert clock.pauses == []

    await copy(FakeBlob([b"begin"]), FakePlace(), settling_of(clock, ended_at=START + timedelta(hours=1)))
    assert clock.now() - START == SETTLING_TIME


@pytest.mark.parametrize("meant", [start_time("A"), start_time("B")], ids=["cancelled", "earlier"])
async def test_only_the_run_that_is_meant_is_waited_for(meant: str) -> None:
    """Of one that is not, or that follows the one that is cancelled, only the fact is told."""
    azure = FakeImageBuilder(image_template(run_status("Canceling", None, start="A")))
    azure.then("get", None, None, azure.runs(run_status(start="C")))
    clock = FakeClock()

    with pytest.raises(ArmRequestError, match="no longer shows the run that started") as caught:
        await archive_logs(
            ImageTemplateService(fake_clients(azure), clock=clock), IMAGE_TEMPLATE_ID, "account/logs", start_time=meant
        )
    assert caught.value.code == "RunReplaced"
    assert len(clock.pauses) == (1 if meant == start_time("A") else 0)


async def test_a_wait_for_a_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Where a run has left no log, the task says at once that it looks again and for how long, and says it once."""
    clock = FakeClock()

    async def look() -> list[StagedBlob]:
        return []

    with caplog.at_level("INFO", "airflow_aib.hooks.archive"):
        assert await logs_left(look, clock) == []

    assert (clock.now() - START) >= timedelta(minutes=1)
    assert [record.message for record in caplog.records] == [
        "The run has left no log yet: looking again for up to 60 seconds."
    ]


async def test_a_log_that_is_there_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of a wait that there is not."""
    clock = FakeClock()
    log_file = StagedBlob(StorageAccount("/a", "https://s"), "packerlogs", "g/customization.log", 0)

    async def look() -> list[StagedBlob]:
        return [log_file]

    with caplog.at_level("INFO", "airflow_aib.hooks.archive"):
        assert await logs_left(look, clock) == [log_file]

    assert (clock.pauses, caplog.records) == ([], [])
