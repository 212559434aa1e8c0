from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
PAGE = 512


@pytest.fixture
async def disk(cloud: Cloud) -> Any:
    """Make a page blob, and return its client."""
    client = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd")
    await done(client.create_page_blob(8 * PAGE))
    await write(client, 0)
    return client


async def write(client: Any, number: int) -> None:
    """Write one page."""
    await done(client.upload_page(bytes([number + 1]) * PAGE, offset=number * PAGE, length=PAGE))


async def snapshot(client: Any) -> str:
    """Take a snapshot and return its time."""
    name: str = (await done(client.create_snapshot()))["snapshot"]
    return name


def at(cloud: Cloud, name: str, snapshot_time: str | None = None) -> Any:
    """Return the client of a blob or of a snapshot of it."""
    return cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, name, snapshot=snapshot_time)


async def test_snapshots_of_one_instant_are_several(cloud: Cloud, disk: Any) -> None:
    """On a clock that stands still each snapshot has its own name and content, in order."""
    cloud.thread.control.set_scale(0)
    names = []
    for number in range(1, 4):
        names.append(await snapshot(disk))
        await write(disk, number)
    assert names == sorted(set(names))
    assert [len(await every(at(cloud, "disk.vhd", name).list_page_ranges())) for name in names] == [1, 1, 1]
    sizes = [(await every(at(cloud, "disk.vhd", name).list_page_ranges()))[0].end + 1 for name in names]
    assert sizes == [PAGE, 2 * PAGE, 3 * PAGE]


async def test_incremental_copy_makes_a_snapshot_of_its_own(cloud: Cloud, disk: Any) -> None:
    """Each incremental copy leaves a snapshot of the target that equals the one of the source."""
    target = at(cloud, "backup.vhd")
    for number in range(1, 3):
        taken = at(cloud, "disk.vhd", await snapshot(disk))
        answer = await done(target.start_copy_from_url(taken.url, incremental_copy=True))
        copied = (await done(target.get_blob_properties())).copy
        assert (copied.id, copied.incremental_copy) == (answer["copy_id"], True)
        backup = at(cloud, "backup.vhd", copied.destination_snapshot)
        assert await content(backup.download_blob()) == await content(taken.download_blob())
        await write(disk, number)
    listed = await every(cloud.blobs(ACCOUNT).get_container_client(CONTAINER).list_blobs(include=["snapshots"]))
    assert len([blob for blob in listed if blob.name == "backup.vhd" and blob.snapshot]) == 2


async def test_incremental_copy_goes_forward_only(cloud: Cloud, disk: Any) -> None:
    """Only snapshots are copied so, only onto a copy of the same blob, and no earlier one after a later one."""
    first, second = await snapshot(disk), await snapshot(disk)
    target, other = at(cloud, "backup.vhd"), at(cloud, "other.vhd")
    with refused("IncrementalCopySourceMustBeSnapshot", status=409):
        await done(target.start_copy_from_url(disk.url, incremental_copy=True))
    await done(other.create_page_blob(PAGE))
    with refused("IncrementalCopyBlobMismatch", status=409):
        await done(other.start_copy_from_url(at(cloud, "disk.vhd", first).url, incremental_copy=True))
    await done(target.start_copy_from_url(at(cloud, "disk.vhd", second).url, incremental_copy=True))
    with refused("IncrementalCopyOfEarlierVersionSnapshotNotAllowed", status=409):
        await done(target.start_copy_from_url(at(cloud, "disk.vhd", first).url, incremental_copy=True))
