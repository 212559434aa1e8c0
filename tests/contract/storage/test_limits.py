from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import SequenceNumberAction

from tests.contract.sdk_clients import content, done, refused

if TYPE_CHECKING:
    from typing import Any

    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
PAGE, MEBIBYTE, TEBIBYTE = 512, 1024**2, 1024**4


@pytest.fixture
async def disk(cloud: Cloud) -> Any:
    """Make a page blob of 16 MiB, and return its client."""
    client = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd")
    await done(client.create_page_blob(16 * MEBIBYTE))
    return client


@pytest.mark.parametrize("size", [8 * TEBIBYTE + PAGE, PAGE + 1])
async def test_impossible_size_is_refused(cloud: Cloud, disk: Any, size: int) -> None:
    """A page blob has whole pages and at most 8 TiB, when it is made and when it is resized."""
    other = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "other.vhd")
    for call in (other.create_page_blob, disk.resize_blob):
        # The SDK itself may refuse sizes that are not whole pages.
        with pytest.raises((HttpResponseError, ValueError)) as caught:
            await done(call(size))
        assert getattr(caught.value, "error_code", "InvalidHeaderValue") == "InvalidHeaderValue"


async def test_largest_page_blob_costs_nothing(cloud: Cloud) -> None:
    """A page blob of 8 TiB can be made: what is not written is not kept."""
    client = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "huge.vhd")
    await done(client.create_page_blob(8 * TEBIBYTE))
    await done(client.upload_page(b"e" * PAGE, offset=8 * TEBIBYTE - PAGE, length=PAGE))
    assert await content(client.download_blob(offset=8 * TEBIBYTE - PAGE, length=PAGE)) == b"e" * PAGE


async def test_write_beyond_four_mebibytes_is_refused(disk: Any) -> None:
    """Put Page takes 4 MiB at most; clearing has no such limit."""
    length = 4 * MEBIBYTE + PAGE
    with refused("RequestBodyTooLarge", status=413):
        await done(disk.upload_page(bytes(length), offset=0, length=length))
    await done(disk.clear_page(offset=0, length=16 * MEBIBYTE))


async def test_sequence_number_guards_writes(disk: Any) -> None:
    """A write that wants a lower sequence number is refused; the number goes up, is set, and has a highest value."""
    await done(disk.set_sequence_number(SequenceNumberAction.Update, "5"))
    await done(disk.set_sequence_number(SequenceNumberAction.Increment))
    await done(disk.upload_page(b"a" * PAGE, offset=0, length=PAGE, if_sequence_number_lte=6))
    with refused("SequenceNumberConditionNotMet", status=412):
        await done(disk.upload_page(b"b" * PAGE, offset=0, length=PAGE, if_sequence_number_lt=6))
    with refused("InvalidHeaderValue", status=400):
        await done(disk.set_sequence_number(SequenceNumberAction.Update, str(2**63)))
    assert (await done(disk.get_blob_properties())).page_blob_sequence_number == 6


async def test_busy_blob_says_when_to_come_back(cloud: Cloud, disk: Any) -> None:
    """Beyond the chosen rate a blob answers ServerBusy with Retry-After, and other blobs go on; then time helps."""
    cloud.thread.control.set_scale(0)
    cloud.thread.control.set_blob_limits(requests_per_second=2, retry_after=3)
    for _ in range(2):
        await done(disk.get_blob_properties())
    with pytest.raises(HttpResponseError) as caught:
        await done(disk.get_blob_properties())
    answer: Any = caught.value.response
    assert (answer.status_code, answer.headers["x-ms-error-code"], answer.headers["Retry-After"]) == (
        503,
        "ServerBusy",
        "3",
    )
    await done(cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "other.log").upload_blob(b""))
    cloud.thread.control.advance(1)
    await done(disk.get_blob_properties())


async def test_bandwidth_of_a_blob_can_be_limited(cloud: Cloud, disk: Any) -> None:
    """A blob that took more than its bandwidth is busy until time has made up for it; a lifted limit is gone."""
    cloud.thread.control.set_scale(0)
    cloud.thread.control.set_blob_limits(bytes_per_second=MEBIBYTE)
    await done(disk.upload_page(bytes(4 * MEBIBYTE), offset=0, length=4 * MEBIBYTE))
    cloud.thread.control.advance(2)
    with refused("ServerBusy", status=503):
        await done(disk.upload_page(bytes(PAGE), offset=0, length=PAGE))
    cloud.thread.control.clear_blob_limits()
    await done(disk.upload_page(bytes(PAGE), offset=0, length=PAGE))


@pytest.mark.parametrize("limits", [{}, {"requests_per_second": -1}, {"bytes_per_second": 1, "retry_after": -1}])
def test_impossible_limits_are_refused(emulator: EmulatorThread, limits: dict[str, Any]) -> None:
    """Limits that make no sense are refused."""
    with pytest.raises(HTTPError, match="400"):
        emulator.control.set_blob_limits(**limits)
