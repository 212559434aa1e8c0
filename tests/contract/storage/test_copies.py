from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.core import MatchConditions
from azure.storage.blob import ContentSettings, generate_blob_sas

from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

SOURCE, TARGET, CONTAINER = "stagingstore", "imagestore", "images"
WINDOW = 64 * 1024
RUNS = {0: b"b" * 1024, 20480: b"c" * 4096, WINDOW + 512: b"d" * 512}
"""Allocated bytes of the source by offset; the last run lies in the second window."""


@pytest.fixture
async def source(cloud: Cloud) -> Any:
    """Make a sparse page blob in an account of its own, and return its client."""
    await cloud.make_account(SOURCE)
    service = cloud.blobs(SOURCE)
    await done(service.create_container("vhds"))
    client = service.get_blob_client("vhds", "disk 1.vhd")
    await done(client.create_page_blob(2 * WINDOW))
    for offset, data in RUNS.items():
        await done(client.upload_page(data, offset=offset, length=len(data)))
    return client


@pytest.fixture
async def target(cloud: Cloud) -> Any:
    """Make an empty page blob of the same size, and return its client."""
    client = cloud.blobs(TARGET).get_blob_client(CONTAINER, "copy.vhd")
    await done(client.create_page_blob(2 * WINDOW))
    return client


async def signed(cloud: Cloud, client: Any, permission: str = "r") -> str:
    """Return the address of a blob with a signature made with its account's key."""
    key = (await cloud.keys(client.account_name))[0]
    expiry = datetime.now(UTC) + timedelta(hours=1)
    names = (client.account_name, client.container_name, client.blob_name)
    return f"{client.url}?{generate_blob_sas(*names, account_key=key, permission=permission, expiry=expiry)}"


async def ranges(client: Any) -> list[tuple[int, int]]:
    """Return the allocated ranges of a page blob as offset and length."""
    return [(pages.start, pages.end - pages.start + 1) for pages in await every(client.list_page_ranges())]


async def put_pages(client: Any, source_url: str, *, length: int = 2 * WINDOW, **options: Any) -> Any:
    """Copy pages from the start of the source."""
    return await done(client.upload_pages_from_url(source_url, offset=0, length=length, source_offset=0, **options))


async def test_pages_are_copied_with_a_signed_source(cloud: Cloud, source: Any, target: Any) -> None:
    """Put Page From URL copies what is allocated, byte for byte, and nothing else."""
    answer = await put_pages(target, await signed(cloud, source))
    assert answer["etag"] == (await done(target.get_blob_properties())).etag
    assert await ranges(target) == await ranges(source) == [(offset, len(data)) for offset, data in RUNS.items()]
    assert await content(target.download_blob()) == await content(source.download_blob())


async def test_pages_are_copied_with_a_bearer_for_the_source(cloud: Cloud, source: Any, target: Any) -> None:
    """Put Page From URL reads the source with the token of x-ms-copy-source-authorization."""
    await put_pages(target, source.url, source_authorization=await cloud.token())
    assert await content(target.download_blob()) == await content(source.download_blob())


@pytest.mark.parametrize("credential", ["key", "sas"])
async def test_pages_are_copied_by_an_owner_of_the_target(
    cloud: Cloud, source: Any, target: Any, credential: str
) -> None:
    """The target takes its own account key, and a signature, as well as a token."""
    if credential == "key":
        secret = {"account_name": TARGET, "account_key": (await cloud.keys(TARGET))[0]}
        client = cloud.blobs(TARGET, secret).get_blob_client(CONTAINER, "copy.vhd")
    else:
        client = cloud.blob_at(await signed(cloud, target, "rw"))
    await put_pages(client, await signed(cloud, source))
    assert await content(target.download_blob()) == await content(source.download_blob())


async def test_pages_move_to_another_offset(cloud: Cloud, source: Any, target: Any) -> None:
    """Source and target ranges need not be at the same place."""
    url = await signed(cloud, source)
    await done(target.upload_pages_from_url(url, offset=WINDOW, length=4096, source_offset=20480))
    assert await ranges(target) == [(WINDOW, 4096)]
    assert await content(target.download_blob(offset=WINDOW, length=4096)) == RUNS[20480]


async def test_copied_range_replaces_what_was_there(cloud: Cloud, source: Any, target: Any) -> None:
    """Where the source is empty, old pages of the target are gone; outside of the range they stay."""
    for offset in (8192, WINDOW):
        await done(target.upload_page(b"o" * 512, offset=offset, length=512))
    await put_pages(target, await signed(cloud, source), length=WINDOW)
    assert await ranges(target) == [(0, 1024), (20480, 4096), (WINDOW, 512)]


async def test_empty_range_is_copied_as_nothing(cloud: Cloud, source: Any, target: Any) -> None:
    """A range without any page leaves the target's range without any."""
    await done(target.upload_page(b"o" * 512, offset=8192, length=512))
    url = await signed(cloud, source)
    await done(target.upload_pages_from_url(url, offset=8192, length=4096, source_offset=8192))
    assert await ranges(target) == []


async def test_source_condition_holds(cloud: Cloud, source: Any, target: Any) -> None:
    """The etag of the source as it is passes; the etag of an older state is refused and nothing is written."""
    etag = (await done(source.get_blob_properties())).etag
    url = await signed(cloud, source)
    condition = {"source_match_condition": MatchConditions.IfNotModified}
    await put_pages(target, url, length=512, source_etag=etag, **condition)
    before = (await done(target.get_blob_properties())).etag
    await done(source.clear_page(offset=0, length=512))
    with refused("SourceConditionNotMet", status=412):
        await put_pages(target, url, length=512, source_etag=etag, **condition)
    assert (await done(target.get_blob_properties())).etag == before


async def test_target_condition_holds_for_a_copy_of_several_runs(cloud: Cloud, source: Any, target: Any) -> None:
    """The target's etag is that of the state before the copy, however many writes the copy takes."""
    url = await signed(cloud, source)
    etag = (await done(target.get_blob_properties())).etag
    condition = {"match_condition": MatchConditions.IfNotModified, "etag": etag}
    await put_pages(target, url, **condition)
    with refused("ConditionNotMet", status=412):
        await put_pages(target, url, **condition)


async def test_md5_of_the_source_is_checked(cloud: Cloud, source: Any, target: Any) -> None:
    """A digest of the source's range, empty pages included, lets right content through and wrong content not."""
    url = await signed(cloud, source)
    data = await content(source.download_blob(offset=0, length=WINDOW))
    digest = bytearray(hashlib.md5(data, usedforsecurity=False).digest())
    await put_pages(target, url, length=WINDOW, source_content_md5=digest)
    with refused("Md5Mismatch", status=400):
        await put_pages(target, url, length=WINDOW, source_content_md5=bytearray(16))


async def test_crc64_of_the_source_is_checked(cloud: Cloud, source: Any, target: Any) -> None:
    """The same with the CRC-64 that storage itself tells, for pages, blocks and appended blocks."""
    url = await signed(cloud, source)
    right = base64.b64encode((await put_run(target))["content_crc64"]).decode()
    block = cloud.blobs(TARGET).get_blob_client(CONTAINER, "blocks.bin")
    growing = cloud.blobs(TARGET).get_blob_client(CONTAINER, "growing.log")
    await done(growing.create_append_blob())
    place = {"source_offset": 20480, "source_length": 4096}
    calls: tuple[Any, ...] = (
        lambda **more: target.upload_pages_from_url(url, offset=0, length=4096, source_offset=20480, **more),
        lambda **more: block.stage_block_from_url("one", url, **place, **more),
        lambda **more: growing.append_block_from_url(url, **place, **more),
    )
    for call in calls:
        await done(call(headers={"x-ms-source-content-crc64": right}))
        with refused("Crc64Mismatch", status=400):
            await done(call(headers={"x-ms-source-content-crc64": "AAAAAAAAAAA="}))
    assert await content(growing.download_blob()) == RUNS[20480]


async def put_run(client: Any) -> Any:
    """Write the run that lies at 20480 in the source, and return the answer."""
    return await done(client.upload_page(RUNS[20480], offset=20480, length=4096))


async def test_pages_are_copied_in_windows_that_fit(cloud: Cloud, source: Any, target: Any) -> None:
    """A range that is too long, not of whole pages, or beyond the source's end is refused."""
    url = await signed(cloud, source)
    for status, code, offset, length in (
        (413, "RequestBodyTooLarge", 0, 4 * 1024 * 1024 + 512),
        (416, "InvalidRange", 2 * WINDOW, 512),
    ):
        with refused(code, status=status):
            await done(target.upload_pages_from_url(url, offset=0, length=length, source_offset=offset))


async def test_unreadable_source_is_refused(cloud: Cloud, source: Any, target: Any) -> None:
    """Without a right to the source, with one that is no good, or without the source, nothing is copied."""
    with refused("CannotVerifyCopySource", status=409):
        await put_pages(target, source.url)
    with refused("CannotVerifyCopySource", status=401):
        await put_pages(target, source.url, source_authorization="Bearer nonsense")
    url = await signed(cloud, source)
    with refused("CannotVerifyCopySource", status=403):
        await put_pages(target, url.replace("sig=", "sig=AA"))
    missing = cloud.blobs(SOURCE).get_blob_client("vhds", "missing.vhd")
    with refused("CannotVerifyCopySource", status=404):
        await put_pages(target, await signed(cloud, missing))
    with refused("CannotVerifyCopySource", status=404):
        await put_pages(target, "https://elsewhere.example/vhds/disk.vhd")


async def test_principal_needs_a_role_on_the_source(cloud: Cloud, source: Any, target: Any) -> None:
    """The bearer for the source needs a data role there, and a reader's is enough."""
    control = cloud.thread.control
    control.set_data_role("none", account=SOURCE)
    with refused("CannotVerifyCopySource", status=403):
        await put_pages(target, source.url, source_authorization=await cloud.token())
    control.set_data_role("reader", account=SOURCE)
    await put_pages(target, source.url, source_authorization=await cloud.token())


async def test_wrong_key_for_the_target_is_refused(cloud: Cloud, source: Any, target: Any) -> None:
    """A signature made with another account's key does not write."""
    foreign = {"account_name": TARGET, "account_key": (await cloud.keys(SOURCE))[0]}
    client = cloud.blobs(TARGET, foreign).get_blob_client(CONTAINER, "copy.vhd")
    with refused("AuthenticationFailed", status=403):
        await put_pages(client, await signed(cloud, source))
    assert await ranges(target) == []


@pytest.mark.parametrize("offset", [0, 2 * WINDOW - 512])
async def test_range_outside_of_the_source_is_refused(cloud: Cloud, source: Any, target: Any, offset: int) -> None:
    """A range that ends behind the source is refused."""
    url = await signed(cloud, source)
    with refused("InvalidRange", status=416):
        await done(target.upload_pages_from_url(url, offset=0, length=2 * WINDOW, source_offset=offset + 512))


async def test_range_above_four_mebibytes_is_refused(cloud: Cloud, source: Any, target: Any) -> None:
    """One call copies at most 4 MiB."""
    with refused("RequestBodyTooLarge", status=413):
        await put_pages(target, await signed(cloud, source), length=4 * 1024 * 1024 + 512)


async def test_block_blob_is_a_source_of_pages(cloud: Cloud, source: Any, target: Any) -> None:
    """Pages can be copied from a block blob too: all of it is data."""
    data = bytes(range(256)) * 4
    block = cloud.blobs(SOURCE).get_blob_client(source.container_name, "block.bin")
    await done(block.upload_blob(data))
    await put_pages(target, await signed(cloud, block), length=1024)
    assert await content(target.download_blob(offset=0, length=1024)) == data


async def test_block_is_staged_from_a_range_of_another_blob(cloud: Cloud, source: Any) -> None:
    """Put Block From URL takes a range of the source, with either right to it."""
    block = cloud.blobs(TARGET).get_blob_client(CONTAINER, "joined.bin")
    await done(block.stage_block_from_url("one", await signed(cloud, source), source_offset=20480, source_length=4096))
    bearer = {"source_authorization": await cloud.token()}
    await done(block.stage_block_from_url("two", source.url, source_offset=0, source_length=1024, **bearer))
    await done(block.commit_block_list(["one", "two"]))
    assert await content(block.download_blob()) == RUNS[20480] + RUNS[0]


async def test_blob_is_put_from_another_one(cloud: Cloud, source: Any) -> None:
    """Put Blob From URL copies content and, unless told otherwise, properties."""
    log = cloud.blobs(SOURCE).get_blob_client(source.container_name, "customization.log")
    await done(log.upload_blob(b"line\n" * 1000, content_settings=ContentSettings(content_type="text/plain")))
    archived = cloud.blobs(TARGET).get_blob_client(CONTAINER, "archived.log")
    await done(archived.upload_blob_from_url(await signed(cloud, log), metadata={"build": "1"}))
    properties = await done(archived.get_blob_properties())
    assert await content(archived.download_blob()) == b"line\n" * 1000
    assert (properties.content_settings.content_type, properties.metadata) == ("text/plain", {"build": "1"})
    own = ContentSettings(content_type="text/x-log")
    await done(
        archived.upload_blob_from_url(
            log.url, source_authorization=await cloud.token(), overwrite=True, content_settings=own
        )
    )
    assert (await done(archived.get_blob_properties())).content_settings.content_type == "text/x-log"


async def test_log_is_appended_from_another_one(cloud: Cloud, source: Any) -> None:
    """Append Block From URL appends a range of the source; a wrong digest appends nothing."""
    log = cloud.blobs(SOURCE).get_blob_client(source.container_name, "customization.log")
    await done(log.upload_blob(b"0123456789"))
    url = await signed(cloud, log)
    archived = cloud.blobs(TARGET).get_blob_client(CONTAINER, "archived.log")
    await done(archived.create_append_blob())
    await done(archived.append_block_from_url(url, source_offset=2, source_length=3))
    with refused("Md5Mismatch", status=400):
        wrong = bytearray(base64.b64decode("AAAAAAAAAAAAAAAAAAAAAA=="))
        await done(archived.append_block_from_url(url, source_offset=0, source_length=3, source_content_md5=wrong))
    assert await content(archived.download_blob()) == b"234"


async def test_copied_page_blob_is_its_own(cloud: Cloud, source: Any) -> None:
    """After Copy Blob a write to one side does not show on the other."""
    copy = cloud.blobs(TARGET).get_blob_client(CONTAINER, "copied.vhd")
    started = await done(copy.start_copy_from_url(await signed(cloud, source)))
    assert started["copy_status"] == "success"
    before = await content(source.download_blob())
    assert await content(copy.download_blob()) == before
    await done(copy.upload_page(b"n" * 512, offset=8192, length=512))
    await done(copy.clear_page(offset=0, length=1024))
    assert await content(source.download_blob()) == before
    await done(source.clear_page(offset=20480, length=4096))
    assert await content(copy.download_blob(offset=20480, length=4096)) == RUNS[20480]


async def test_copied_log_is_its_own(cloud: Cloud, source: Any) -> None:
    """After Copy Blob of an append blob, what is appended to one side does not show on the other."""
    log = cloud.blobs(SOURCE).get_blob_client(source.container_name, "customization.log")
    await done(log.create_append_blob())
    await done(log.append_block(b"one\n"))
    copy = cloud.blobs(SOURCE).get_blob_client(source.container_name, "copied.log")
    await done(copy.start_copy_from_url(log.url))
    await done(copy.append_block(b"two\n"))
    assert await content(log.download_blob()) == b"one\n"
    assert await content(copy.download_blob()) == b"one\ntwo\n"


async def test_copy_within_an_account_needs_no_second_right(cloud: Cloud, source: Any) -> None:
    """Who may use the account may copy inside it; from another account the source needs a right of its own."""
    same = cloud.blobs(SOURCE).get_blob_client("vhds", "again.vhd")
    await done(same.start_copy_from_url(source.url))
    assert await ranges(same) == await ranges(source)
    other = cloud.blobs(TARGET).get_blob_client(CONTAINER, "again.vhd")
    with refused("CannotVerifyCopySource", status=409):
        await done(other.start_copy_from_url(source.url))
    bearer = {"source_authorization": await cloud.token(), "requires_sync": True}
    await done(other.start_copy_from_url(source.url, **bearer))
    assert await ranges(other) == await ranges(source)


async def test_copy_of_a_missing_source_is_refused(cloud: Cloud, source: Any) -> None:
    """Copy Blob of what is not there is refused, and leaves nothing behind."""
    missing = cloud.blobs(SOURCE).get_blob_client(source.container_name, "missing.vhd")
    copy = cloud.blobs(TARGET).get_blob_client(CONTAINER, "copied.vhd")
    with refused("CannotVerifyCopySource", status=404):
        await done(copy.start_copy_from_url(await signed(cloud, missing)))
    assert not await done(copy.exists())


async def test_copy_keeps_the_type_of_its_target(cloud: Cloud, target: Any) -> None:
    """A block blob is not replaced by the copy of a page blob, nor the other way round."""
    log = cloud.blobs(TARGET).get_blob_client(CONTAINER, "some.log")
    await done(log.upload_blob(b"line"))
    for one, other in ((target, log), (log, target)):
        with refused("InvalidBlobType", status=409):
            await done(other.start_copy_from_url(one.url))
    assert await content(log.download_blob()) == b"line"
