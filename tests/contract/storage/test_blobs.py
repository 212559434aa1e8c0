from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings

from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
MEBIBYTE = 1024 * 1024


def blob(cloud: Cloud, name: str = "a.txt", account: str = ACCOUNT) -> Any:
    """Return a client of a blob in the container that is there from the start."""
    return cloud.blobs(account).get_blob_client(CONTAINER, name)


async def test_block_blob_comes_back_as_it_was_sent(cloud: Cloud) -> None:
    """Content, properties, metadata with its casing, and tags survive a round trip."""
    client = blob(cloud, "folder/with space+plus%25.txt")
    settings = ContentSettings(content_type="text/plain", cache_control="no-cache")
    await done(client.upload_blob(b"hello", metadata={"MixedCase": "v_1"}, content_settings=settings))
    properties = await done(client.get_blob_properties())
    assert await content(client.download_blob()) == b"hello"
    assert properties.metadata == {"MixedCase": "v_1"}
    assert (properties.content_settings.content_type, properties.size) == ("text/plain", 5)


async def test_large_blob_streams_both_ways(cloud: Cloud) -> None:
    """A blob of many blocks is put together and read in ranges."""
    data = bytes(range(256)) * (9 * MEBIBYTE // 256)
    client = blob(cloud, "large.bin")
    await done(client.upload_blob(data, max_concurrency=2))
    assert await content(client.download_blob(max_concurrency=2)) == data
    assert await content(client.download_blob(offset=1_000_000, length=11)) == data[1_000_000:1_000_011]


async def test_blocks_are_staged_and_committed(cloud: Cloud) -> None:
    """Staged blocks become the blob in the order of the block list."""
    client = blob(cloud)
    for name in ("one", "two"):
        await done(client.stage_block(name, name.encode()))
    await done(client.commit_block_list([BlobBlock("two"), BlobBlock("one")]))
    assert await content(client.download_blob()) == b"twoone"


async def test_append_blob_grows(cloud: Cloud) -> None:
    """Appended blocks are read as they come, from any offset."""
    client = blob(cloud, "customization.log")
    await done(client.create_append_blob())
    await done(client.append_block(b"first\n"))
    await done(client.append_block(b"second\n"))
    assert await content(client.download_blob(offset=6)) == b"second\n"


async def test_page_blob_shows_what_is_allocated(cloud: Cloud) -> None:
    """Pages that were written are listed, cleared ones are not, and the rest reads as zeros."""
    client = blob(cloud, "disk.vhd")
    await done(client.create_page_blob(MEBIBYTE))
    await done(client.upload_page(b"x" * 1024, offset=512, length=1024))
    await done(client.upload_page(b"y" * 512, offset=MEBIBYTE - 512, length=512))
    await done(client.clear_page(offset=1024, length=512))
    ranges = [(pages.start, pages.end) for pages in await every(client.list_page_ranges())]
    assert ranges == [(512, 1023), (MEBIBYTE - 512, MEBIBYTE - 1)]
    assert await content(client.download_blob(offset=0, length=1536)) == b"\0" * 512 + b"x" * 512 + b"\0" * 512


async def test_blobs_and_containers_are_listed(cloud: Cloud) -> None:
    """Lists name what is there, by prefix and page by page."""
    service = cloud.blobs(ACCOUNT)
    container = service.get_container_client(CONTAINER)
    for name in ("logs/1", "logs/2", "vhds/1"):
        await done(container.upload_blob(name, b""))
    assert [item.name for item in await every(container.list_blobs(name_starts_with="logs/"))] == ["logs/1", "logs/2"]
    assert len(await every(container.list_blobs(results_per_page=1))) == 3
    assert [item.name for item in await every(service.list_containers())] == [CONTAINER]


async def test_container_is_made_once(cloud: Cloud) -> None:
    """Making a container again is answered with ContainerAlreadyExists."""
    container = cloud.blobs(ACCOUNT).get_container_client("more")
    await done(container.create_container())
    with refused("ContainerAlreadyExists"):
        await done(container.create_container())


async def test_missing_blob_is_not_found(cloud: Cloud) -> None:
    """A HEAD of what is not there has no body and still names the code."""
    with refused("BlobNotFound"):
        await done(blob(cloud).get_blob_properties())


async def test_condition_that_is_not_met_is_refused(cloud: Cloud) -> None:
    """A write with the etag of an older state is refused."""
    client = blob(cloud)
    before = await done(client.upload_blob(b"one"))
    await done(client.upload_blob(b"two", overwrite=True))
    with refused("ConditionNotMet"):
        await done(client.set_blob_metadata({}, etag=before["etag"], match_condition=MatchConditions.IfNotModified))


async def test_lease_keeps_others_away(cloud: Cloud) -> None:
    """A leased blob is written by the holder of the lease only."""
    client = blob(cloud)
    await done(client.upload_blob(b"mine"))
    lease = await done(client.acquire_lease(-1))
    with refused("LeaseIdMissing"):
        await done(client.upload_blob(b"other", overwrite=True))
    await done(client.upload_blob(b"again", overwrite=True, lease=lease))


async def test_account_of_a_wrong_secret_is_refused(cloud: Cloud) -> None:
    """A well-formed account key that is not the account's own is refused."""
    wrong = {"account_name": ACCOUNT, "account_key": "d3Jvbmc="}
    with refused("AuthenticationFailed", status=403):
        await every(cloud.blobs(ACCOUNT, wrong).list_containers())
