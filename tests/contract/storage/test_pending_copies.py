from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from aib_emulator.settings import MEBIBYTE
from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from typing import Any

    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
DATA = b"d" * 4096
HALF, WHOLE = 512 * 1024, MEBIBYTE


@pytest.fixture
def paced(cloud: Cloud) -> Cloud:
    """Let a mebibyte take a second of a clock that stands still."""
    cloud.thread.control.set_scale(0)
    cloud.thread.control.set_copy_pace(MEBIBYTE)
    return cloud


@pytest.fixture
async def source(paced: Cloud) -> Any:
    """Make a page blob of a mebibyte, with metadata, and return its client."""
    client = paced.blobs(ACCOUNT).get_blob_client(CONTAINER, "source.vhd")
    await done(client.create_page_blob(WHOLE, metadata={"build": "7"}))
    await done(client.upload_page(DATA, offset=8192, length=len(DATA)))
    return client


async def started(cloud: Cloud, source: Any, **options: Any) -> tuple[Any, str]:
    """Start a copy and return the client of its target, and its id."""
    target = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "target.vhd")
    answer = await done(target.start_copy_from_url(source.url, **options))
    assert answer["copy_status"] == "pending"
    return target, answer["copy_id"]


async def copy_of(target: Any) -> Any:
    """Return what the target's properties say of its copy."""
    return (await done(target.get_blob_properties())).copy


async def test_copy_goes_on_with_the_clock(paced: Cloud, source: Any) -> None:
    """A copy is pending, shows how far it is, and succeeds when the clock says so, with one id throughout."""
    target, copy_id = await started(paced, source)
    begun = paced.thread.emulator.world.clock.now()
    seen = [await copy_of(target)]
    for _ in range(2):
        paced.thread.control.advance(0.5)
        seen.append(await copy_of(target))
    assert [copy.status for copy in seen] == ["pending", "pending", "success"]
    assert [copy.progress for copy in seen] == [f"{copied}/{WHOLE}" for copied in (0, HALF, WHOLE)]
    assert {copy.id for copy in seen} == {copy_id}
    assert seen[-1].completion_time == (begun + timedelta(seconds=1)).replace(microsecond=0)


async def test_target_is_all_zeros_until_the_end(paced: Cloud, source: Any) -> None:
    """The target of a pending copy has its length and the source's metadata, and no page; then it is the source."""
    target, _ = await started(paced, source)
    properties = await done(target.get_blob_properties())
    assert (properties.size, properties.metadata) == (WHOLE, {"build": "7"})
    assert await every(target.list_page_ranges()) == []
    paced.thread.control.advance(1)
    assert await content(target.download_blob()) == await content(source.download_blob())


async def test_block_blob_is_empty_until_the_end(paced: Cloud) -> None:
    """The target of a pending copy of a block blob has no bytes; then it has them all, with its properties."""
    source = paced.blobs(ACCOUNT).get_blob_client(CONTAINER, "source.log")
    await done(source.upload_blob(DATA, metadata={"build": "7"}))
    target, _ = await started(paced, source, metadata={"copied": "yes"})
    assert (await done(target.get_blob_properties())).size == 0
    paced.thread.control.advance(1)
    assert await content(target.download_blob()) == DATA
    assert (await done(target.get_blob_properties())).metadata == {"copied": "yes"}


async def test_listing_shows_the_copy(paced: Cloud, source: Any) -> None:
    """List Blobs tells of copies what the properties tell."""
    _, copy_id = await started(paced, source)
    paced.thread.control.advance(0.5)
    listed = await every(paced.blobs(ACCOUNT).get_container_client(CONTAINER).list_blobs(include=["copy"]))
    copies = {blob.name: blob.copy for blob in listed}
    assert (copies["target.vhd"].id, copies["target.vhd"].status) == (copy_id, "pending")
    assert copies["target.vhd"].progress == f"{HALF}/{WHOLE}"


async def test_aborted_copy_leaves_an_empty_blob(paced: Cloud, source: Any) -> None:
    """Abort Copy Blob leaves no length and full metadata; what is over cannot be aborted again."""
    target, copy_id = await started(paced, source)
    paced.thread.control.advance(0.5)
    with refused("CopyIdMismatch", status=409):
        await done(target.abort_copy("11111111-1111-4111-8111-111111111111"))
    await done(target.abort_copy(copy_id))
    properties = await done(target.get_blob_properties())
    assert (properties.copy.status, properties.size, properties.metadata) == ("aborted", 0, {"build": "7"})
    assert properties.copy.progress == f"{HALF}/{WHOLE}"
    with refused("NoPendingCopyOperation", status=409):
        await done(target.abort_copy(copy_id))
    paced.thread.control.advance(1)
    assert (await copy_of(target)).status == "aborted"


async def test_finished_copy_is_not_aborted(paced: Cloud, source: Any) -> None:
    """A copy that has succeeded by the clock is not aborted, although nobody looked at it before."""
    target, copy_id = await started(paced, source)
    paced.thread.control.advance(1)
    with refused("NoPendingCopyOperation", status=409):
        await done(target.abort_copy(copy_id))
    assert await content(target.download_blob()) == await content(source.download_blob())


async def test_pending_target_is_not_changed(paced: Cloud, source: Any) -> None:
    """Nobody writes to, leases, overwrites or deletes the target of a pending copy; reading is free."""
    target, _ = await started(paced, source)
    for refusing in (
        lambda: target.upload_page(DATA, offset=0, length=len(DATA)),
        lambda: target.acquire_lease(-1),
        lambda: target.start_copy_from_url(source.url),
        target.delete_blob,
    ):
        with refused("PendingCopyOperation", status=409):
            await done(refusing())
    assert len(await content(target.download_blob())) == WHOLE
    paced.thread.control.advance(1)
    await done(target.delete_blob())


async def test_copy_fails_where_it_was_planned(paced: Cloud, source: Any) -> None:
    """A source that cannot be read any further fails the copy there, with the service's words, and leaves no length."""
    paced.thread.control.set_copy_pace(MEBIBYTE, fail_at_bytes=HALF)
    target, _ = await started(paced, source)
    paced.thread.control.advance(1)
    properties = await done(target.get_blob_properties())
    assert (properties.copy.status, properties.size) == ("failed", 0)
    assert properties.copy.progress == f"{HALF}/{WHOLE}"
    assert properties.copy.status_description == '500 OperationCancelled "The copy failed when reading the source."'


@pytest.mark.parametrize(("change", "reason"), [("deleted", "404 BlobNotFound"), ("written", "412 ")])
async def test_source_that_changes_fails_the_copy(paced: Cloud, source: Any, change: str, reason: str) -> None:
    """A source that is deleted or written to meanwhile fails the copy where it is, and the reason is told."""
    target, _ = await started(paced, source)
    paced.thread.control.advance(0.5)
    if change == "deleted":
        await done(source.delete_blob())
    else:
        await done(source.upload_page(DATA, offset=0, length=len(DATA)))
    paced.thread.control.advance(1)
    copy = await copy_of(target)
    assert (copy.status, copy.progress) == ("failed", f"{HALF}/{WHOLE}")
    assert copy.status_description.startswith(reason)
    assert copy.status_description.endswith('"Copy failed when reading the source."')


async def test_source_may_change_afterwards(paced: Cloud, source: Any) -> None:
    """What happens to the source after the copy's end does not matter, although nobody looked at it in between."""
    before = await content(source.download_blob())
    target, _ = await started(paced, source)
    paced.thread.control.advance(1)
    await done(source.clear_page(offset=0, length=WHOLE))
    assert await content(target.download_blob()) == before


async def test_copies_do_not_share_their_pages(paced: Cloud, source: Any) -> None:
    """Two copies of one source and the source itself are three blobs: a write to one does not show in another."""
    service = paced.blobs(ACCOUNT)
    copies = [service.get_blob_client(CONTAINER, f"copy{number}.vhd") for number in range(2)]
    for copy in copies:
        await done(copy.start_copy_from_url(source.url))
    paced.thread.control.advance(1)
    before = await content(source.download_blob())
    await done(copies[0].clear_page(offset=0, length=WHOLE))
    assert [await content(blob.download_blob()) for blob in (copies[1], source)] == [before, before]


async def test_synchronous_copy_takes_no_time(paced: Cloud, source: Any) -> None:
    """Copy Blob From URL is done when it is answered, whatever the pace."""
    target = paced.blobs(ACCOUNT).get_blob_client(CONTAINER, "target.vhd")
    answer = await done(
        target.start_copy_from_url(source.url, requires_sync=True, source_authorization=await paced.token())
    )
    assert answer["copy_status"] == "success"


async def test_pace_can_be_lifted(paced: Cloud, source: Any) -> None:
    """Without a pace, as at first, a copy is done when it is answered."""
    paced.thread.control.clear_copy_pace()
    target = paced.blobs(ACCOUNT).get_blob_client(CONTAINER, "target.vhd")
    assert (await done(target.start_copy_from_url(source.url)))["copy_status"] == "success"


@pytest.mark.parametrize("pace", [{"bytes_per_second": 0}, {"bytes_per_second": 1, "fail_at_bytes": -1}])
def test_impossible_pace_is_refused(emulator: EmulatorThread, pace: dict[str, Any]) -> None:
    """A pace that makes no sense is refused."""
    with pytest.raises(HTTPError, match="400"):
        emulator.control.set_copy_pace(**pace)
