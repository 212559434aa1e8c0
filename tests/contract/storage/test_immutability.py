from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobImmutabilityPolicyMode, ImmutabilityPolicy

from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER = "imagestore", "images"
PAGE = 512
DAY = 86400.0
UNLOCKED, LOCKED = BlobImmutabilityPolicyMode.UNLOCKED, BlobImmutabilityPolicyMode.LOCKED
IMMUTABLE = "BlobImmutableDueToPolicy"


@pytest.fixture
def still(cloud: Cloud) -> Cloud:
    """Let the clock stand still."""
    cloud.thread.control.set_scale(0)
    return cloud


@pytest.fixture
async def log(still: Cloud) -> Any:
    """Make a block blob, and return its client."""
    client = still.blobs(ACCOUNT).get_blob_client(CONTAINER, "build.log")
    await done(client.upload_blob(b"kept"))
    return client


def policy(cloud: Cloud, days: float = 1, mode: BlobImmutabilityPolicyMode = UNLOCKED) -> ImmutabilityPolicy:
    """Return a policy that ends in so many emulated days."""
    return ImmutabilityPolicy(expiry_time=ends(cloud, days), policy_mode=mode)


def ends(cloud: Cloud, days: float) -> datetime:
    """Return the instant in so many emulated days, in whole seconds as storage writes it."""
    return (cloud.thread.emulator.world.clock.now() + timedelta(days=days)).replace(microsecond=0)


async def test_policy_is_set_shown_and_deleted(cloud: Cloud, log: Any) -> None:
    """A policy shows in the properties and in lists until it is deleted."""
    await done(log.set_immutability_policy(policy(cloud)))
    listing = cloud.blobs(ACCOUNT).get_container_client(CONTAINER).list_blobs(include=["immutabilitypolicy"])
    (listed,) = await every(listing)
    for shown in (await done(log.get_blob_properties()), listed):
        assert shown.immutability_policy.expiry_time == ends(cloud, 1)
        assert shown.immutability_policy.policy_mode.lower() == "unlocked"
    await done(log.delete_immutability_policy())
    assert (await done(log.get_blob_properties())).immutability_policy.expiry_time is None


@pytest.mark.parametrize("protection", ["policy", "hold"])
async def test_protected_blob_is_neither_changed_nor_deleted(cloud: Cloud, log: Any, protection: str) -> None:
    """While a policy or a hold lasts, nothing that would change or delete the blob is done; reading is free."""
    if protection == "policy":
        await done(log.set_immutability_policy(policy(cloud)))
    else:
        await done(log.set_legal_hold(True))
    other = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "other.log")
    await done(other.upload_blob(b"other"))
    changes: tuple[Any, ...] = (
        lambda: log.upload_blob(b"new", overwrite=True),
        lambda: log.set_blob_metadata({"a": "b"}),
        log.set_http_headers,
        lambda: log.start_copy_from_url(other.url),
        log.delete_blob,
        cloud.blobs(ACCOUNT).get_container_client(CONTAINER).delete_container,
    )
    for change in changes:
        with refused(IMMUTABLE, status=409):
            await done(change())
    assert await content(log.download_blob()) == b"kept"


async def test_protected_disk_takes_no_pages(still: Cloud) -> None:
    """Pages of a protected blob are neither written nor cleared, and it is not resized."""
    disk = still.blobs(ACCOUNT).get_blob_client(CONTAINER, "disk.vhd")
    await done(disk.create_page_blob(4 * PAGE))
    await done(disk.set_legal_hold(True))
    changes: tuple[Any, ...] = (
        lambda: disk.upload_page(bytes(PAGE), offset=0, length=PAGE),
        lambda: disk.clear_page(offset=0, length=PAGE),
        lambda: disk.resize_blob(8 * PAGE),
    )
    for change in changes:
        with refused(IMMUTABLE, status=409):
            await done(change())


async def test_protected_log_does_not_grow(still: Cloud) -> None:
    """Nothing is appended to a protected blob."""
    growing = still.blobs(ACCOUNT).get_blob_client(CONTAINER, "growing.log")
    await done(growing.create_append_blob())
    await done(growing.set_legal_hold(True))
    with refused(IMMUTABLE, status=409):
        await done(growing.append_block(b"line\n"))


async def test_policy_ends_by_the_emulated_clock(cloud: Cloud, log: Any) -> None:
    """Once the policy is over the blob can be deleted."""
    await done(log.set_immutability_policy(policy(cloud)))
    cloud.thread.control.advance(DAY + 1)
    await done(log.delete_blob())


async def test_lifted_hold_frees_the_blob(log: Any) -> None:
    """A hold lasts until it is lifted, however long that takes."""
    held = [await done(log.set_legal_hold(True)), await done(log.get_blob_properties())]
    assert (held[0]["legal_hold"], held[1].has_legal_hold) == (True, True)
    await done(log.set_legal_hold(False))
    assert not (await done(log.get_blob_properties())).has_legal_hold
    await done(log.delete_blob())


async def test_locked_policy_is_only_extended(cloud: Cloud, log: Any) -> None:
    """A locked policy is neither shortened, unlocked nor deleted; it can be made longer."""
    await done(log.set_immutability_policy(policy(cloud, days=2, mode=LOCKED)))
    changes: tuple[Any, ...] = (
        lambda: log.set_immutability_policy(policy(cloud, days=1, mode=LOCKED)),
        lambda: log.set_immutability_policy(policy(cloud, days=3)),
        log.delete_immutability_policy,
    )
    for change in changes:
        with refused(IMMUTABLE, status=409):
            await done(change())
    await done(log.set_immutability_policy(policy(cloud, days=3, mode=LOCKED)))
    assert (await done(log.get_blob_properties())).immutability_policy.expiry_time == ends(cloud, 3)


async def test_policy_of_the_past_is_refused(cloud: Cloud, log: Any) -> None:
    """A policy that is over already is none."""
    with refused("InvalidHeaderValue", status=400):
        await done(log.set_immutability_policy(policy(cloud, days=-1)))


async def test_blob_is_made_with_a_policy_and_a_hold(still: Cloud) -> None:
    """An upload can bring both along, for a blob in one piece and for one of blocks."""
    for name, options in (("one.log", {}), ("blocks.log", {"max_concurrency": 1})):
        client = still.blobs(ACCOUNT).get_blob_client(CONTAINER, name)
        protection = {"immutability_policy": policy(still), "legal_hold": True}
        await done(client.upload_blob(b"kept", **protection, **options))
        shown = await done(client.get_blob_properties())
        assert (shown.immutability_policy.expiry_time, shown.has_legal_hold) == (ends(still, 1), True)


async def test_copy_has_no_policy_of_its_source(cloud: Cloud, log: Any) -> None:
    """A copy is free, although its source is not."""
    await done(log.set_legal_hold(True))
    copy = cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, "copy.log")
    await done(copy.start_copy_from_url(log.url))
    await done(copy.delete_blob())


async def test_missing_blob_has_no_policy(still: Cloud) -> None:
    """Policy and hold of what is not there are refused."""
    missing = still.blobs(ACCOUNT).get_blob_client(CONTAINER, "missing.log")
    changes: tuple[Any, ...] = (
        lambda: missing.set_legal_hold(True),
        lambda: missing.set_immutability_policy(policy(still)),
    )
    for change in changes:
        with refused("BlobNotFound", status=404):
            await done(change())


async def test_reset_clears_protected_blobs_away(cloud: Cloud, log: Any) -> None:
    """The emulator itself can always begin anew."""
    await done(log.set_legal_hold(True))
    cloud.thread.control.reset()
    assert not await done(log.exists())
