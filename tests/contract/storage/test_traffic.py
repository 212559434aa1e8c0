from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

ACCOUNT = "imagestore"


async def test_planned_error_strikes_as_often_as_planned(cloud: Cloud) -> None:
    """A fault of the blob endpoint answers as the service does, with a code, and then it is over."""
    cloud.thread.control.plan_fault(method="GET", path=f"^/{ACCOUNT}", status=503, count=1)
    with refused("ServerBusy", status=503):
        await every(cloud.blobs(ACCOUNT).list_containers())
    assert len(await every(cloud.blobs(ACCOUNT).list_containers())) == 1


async def test_answer_is_lost_after_the_effect(cloud: Cloud) -> None:
    """A connection that is dropped afterwards loses the answer, not the write."""
    # Twice: aiohttp by itself repeats a PUT whose connection was dropped.
    cloud.thread.control.plan_fault(method="PUT", path="a.txt$", action="reset", moment="after", count=2)
    client = cloud.blobs(ACCOUNT).get_blob_client("images", "a.txt")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await done(client.upload_blob(b"hello", overwrite=True))
    assert await content(client.download_blob()) == b"hello"


async def test_answer_to_a_large_read_is_lost_as_well(cloud: Cloud) -> None:
    """A fault afterwards takes the place of a large answer too, and the next call is answered as ever."""
    client = cloud.blobs(ACCOUNT).get_blob_client("images", "large")
    await done(client.upload_blob(bytes(4 * 1024 * 1024), overwrite=True))
    cloud.thread.control.plan_fault(method="GET", path="large$", status=403, moment="after")
    with refused("AuthorizationFailure", status=403):
        await done(client.download_blob())
    assert len(await content(client.download_blob())) == 4 * 1024 * 1024


async def test_calls_are_recorded_without_their_secrets(cloud: Cloud) -> None:
    """The record has each call with its status, and no query: that may hold a signature."""
    with refused("AuthorizationFailure", status=403):
        await done(cloud.blobs(ACCOUNT, "sv=1&sig=secret").get_container_client("none").get_container_properties())
    seen = [request for request in cloud.thread.control.requests() if request["endpoint"] == "blob"]
    assert [(request["method"], request["path"], request["status"]) for request in seen] == [
        ("GET", f"/{ACCOUNT}/none", 403)
    ]
    assert "secret" not in str(seen)
