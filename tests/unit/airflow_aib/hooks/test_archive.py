from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive import COPY_ATTEMPTS, copy_settled
from airflow_aib.hooks.blob_facts import BlobFacts
from airflow_aib.hooks.storage_address import BlobAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping

    from airflow_aib.hooks.archive_place import ArchivePlace
    from airflow_aib.hooks.blob_file import BlobFile, Content


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


async def copy(source: FakeBlob, destination: FakePlace) -> Content:
    """Copy a log."""
    observed, _ = await copy_settled(cast("BlobFile", source), cast("ArchivePlace", destination), "log.gz")
    return observed.content


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
