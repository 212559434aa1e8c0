from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.sdk_clients import done, every, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
PAGE, MEBIBYTE = 512, 1024**2


@pytest.fixture
async def disk(cloud: Cloud) -> Any:
    """Make a page blob of a mebibyte with three runs, and return its client."""
    client = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd")
    await done(client.create_page_blob(MEBIBYTE))
    for offset in (0, 8192, 65536):
        await write(client, offset, 4096)
    return client


async def write(client: Any, offset: int, length: int) -> None:
    """Write pages."""
    await done(client.upload_page(b"w" * length, offset=offset, length=length))


async def snapshot(client: Any) -> str:
    """Take a snapshot and return its time."""
    name: str = (await done(client.create_snapshot()))["snapshot"]
    return name


def spans(ranges: list[Any]) -> list[tuple[int, int, bool]]:
    """Return ranges as offset, length, and whether they were cleared."""
    return [(item.start, item.end - item.start + 1, item.cleared) for item in ranges]


async def test_touching_ranges_are_one(disk: Any) -> None:
    """Pages that were written one after the other are listed as one range."""
    for offset in (4096, 4608):
        await write(disk, offset, PAGE)
    assert spans(await every(disk.list_page_ranges()))[0] == (0, 4096 + 2 * PAGE, False)


async def test_ranges_come_page_by_page(cloud: Cloud, disk: Any) -> None:
    """A client gets at most as many ranges as it asks for, and the rest by following the marker."""
    cloud.thread.control.forget_requests()
    found = spans(await every(disk.list_page_ranges(results_per_page=2)))
    assert found == [(offset, 4096, False) for offset in (0, 8192, 65536)]
    calls = [call for call in cloud.thread.control.requests() if call["endpoint"] == "blob"]
    assert len(calls) == 2


async def test_ranges_of_a_window_are_cut(disk: Any) -> None:
    """A list for a window ends at its borders."""
    ranges = await every(disk.list_page_ranges(offset=2048, length=8192))
    assert spans(ranges) == [(2048, 2048, False), (8192, 2048, False)]


async def test_changes_since_a_snapshot(disk: Any) -> None:
    """What was written since a snapshot, over old pages or not, is listed, and what was cleared is marked."""
    before = await snapshot(disk)
    await write(disk, 1024, PAGE)
    await write(disk, 131072, PAGE)
    await done(disk.clear_page(offset=8192, length=4096))
    changes = spans(await every(disk.list_page_ranges(previous_snapshot=before)))
    assert sorted(changes) == [(1024, PAGE, False), (8192, 4096, True), (131072, PAGE, False)]


async def test_nothing_changed_is_an_empty_list(disk: Any) -> None:
    """Without any write there is no change."""
    before = await snapshot(disk)
    assert await every(disk.list_page_ranges(previous_snapshot=before)) == []


async def test_changes_come_page_by_page_and_for_a_window(disk: Any) -> None:
    """Changes are paged and cut as ranges are."""
    before = await snapshot(disk)
    await done(disk.clear_page(offset=0, length=MEBIBYTE))
    window = {"previous_snapshot": before, "offset": 2048, "length": 8192, "results_per_page": 1}
    assert spans(await every(disk.list_page_ranges(**window))) == [(2048, 2048, True), (8192, 2048, True)]


async def test_changes_between_snapshots(cloud: Cloud, disk: Any) -> None:
    """The changes from one snapshot to a later one do not contain what came afterwards."""
    first = await snapshot(disk)
    await write(disk, 131072, PAGE)
    second = await snapshot(disk)
    await write(disk, 262144, PAGE)
    later = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd", snapshot=second)
    assert spans(await every(later.list_page_ranges(previous_snapshot=first))) == [(131072, PAGE, False)]
    earlier = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd", snapshot=first)
    with refused("PreviousSnapshotCannotBeNewer", status=409):
        await every(earlier.list_page_ranges(previous_snapshot=second))


async def test_changes_need_a_snapshot_that_is_there(disk: Any) -> None:
    """Changes since a snapshot that does not exist are refused."""
    with refused("PreviousSnapshotNotFound", status=409):
        await every(disk.list_page_ranges(previous_snapshot="2026-01-01T00:00:00.0000000Z"))


async def test_snapshot_keeps_its_pages(cloud: Cloud, disk: Any) -> None:
    """What is written to a blob does not show in its snapshot."""
    before = await snapshot(disk)
    await done(disk.clear_page(offset=0, length=MEBIBYTE))
    old = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd", snapshot=before)
    assert [length for _, length, _ in spans(await every(old.list_page_ranges()))] == [4096] * 3
    assert await every(disk.list_page_ranges()) == []
