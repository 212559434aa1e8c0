from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.storage.blob import generate_container_sas

from aib_emulator.settings import MEBIBYTE
from tests.contract.clients.azcopy_program import AzCopy, missing
from tests.contract.needed import needs
from tests.contract.sdk_clients import Cloud, content, done, every

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aib_emulator.server import EmulatorThread

pytestmark = needs("azcopy", missing())

SOURCE, SOURCE_CONTAINER, TARGET, CONTAINER = "stagingstore", "vhds", "imagestore", "images"
NAME = "disk.vhd"
SIZE, ALLOCATED = 32 * MEBIBYTE, MEBIBYTE


@pytest.fixture
async def cloud(emulator: EmulatorThread) -> AsyncIterator[Cloud]:
    """Sign in at the emulator, to prepare what AzCopy finds and to look at what it leaves."""
    found = Cloud(emulator, "sync")
    yield found
    await found.close()


@pytest.fixture
def azcopy(emulator: EmulatorThread, tmp_path: Path) -> AzCopy:
    """Hand out AzCopy."""
    return AzCopy(emulator, tmp_path)


@pytest.fixture
async def source(cloud: Cloud) -> Any:
    """Leave a sparse VHD as a build does, and return its client."""
    await cloud.make_account(SOURCE)
    making = cloud.thread.emulator.world.blobs.put_sparse_vhd(
        SOURCE, SOURCE_CONTAINER, NAME, size_bytes=SIZE, allocated_bytes=ALLOCATED, seed="azcopy"
    )
    cloud.on_emulator(making)
    return cloud.blobs(SOURCE).get_blob_client(SOURCE_CONTAINER, NAME)


@pytest.fixture
def target(cloud: Cloud) -> Any:
    """Return the client of the copy that is to be made."""
    return cloud.blobs(TARGET).get_blob_client(CONTAINER, NAME)


async def signed(cloud: Cloud, client: Any, permission: str) -> str:
    """Return the address of a blob with a signature for its container."""
    key = (await cloud.keys(client.account_name))[0]
    expiry = datetime.now(UTC) + timedelta(hours=1)
    names = (client.account_name, client.container_name)
    return f"{client.url}?{generate_container_sas(*names, account_key=key, permission=permission, expiry=expiry)}"


async def digest(client: Any) -> str:
    """Return the SHA-256 of a blob."""
    return hashlib.sha256(await content(client.download_blob())).hexdigest()


async def allocated(client: Any) -> int:
    """Return how many bytes of a page blob are in allocated pages."""
    return sum(pages.end - pages.start + 1 for pages in await every(client.list_page_ranges()))


async def assert_copied(source: Any, target: Any) -> None:
    """Compare content and allocated bytes of both sides."""
    assert await digest(target) == await digest(source)
    assert await allocated(target) == await allocated(source) == ALLOCATED


async def test_vhd_is_copied_with_signatures(cloud: Cloud, azcopy: AzCopy, source: Any, target: Any) -> None:
    """A copy from account to account with a signature for each is equal, and as sparse as its source."""
    addresses = (await signed(cloud, source, "rl"), await signed(cloud, target, "racwdl"))
    assert "Final Job Status: Completed" in azcopy.run("copy", *addresses, "--from-to", "BlobBlob")
    await assert_copied(source, target)


async def test_vhd_is_copied_by_a_service_principal(azcopy: AzCopy, source: Any, target: Any) -> None:
    """A copy with a bearer token for both sides is equal, and as sparse as its source."""
    said = azcopy.run("copy", source.url, target.url, "--from-to", "BlobBlob", is_signed_in=True)
    assert "Final Job Status: Completed" in said
    await assert_copied(source, target)


async def test_copy_outlives_a_busy_service(cloud: Cloud, azcopy: AzCopy, source: Any, target: Any) -> None:
    """AzCopy takes ServerBusy for what it is, since the code is in its header, and tries again."""
    cloud.thread.control.plan_fault(method="PUT", path=f"^/{TARGET}/{CONTAINER}/{NAME}$", status=503, skip=1, count=2)
    azcopy.run("copy", source.url, target.url, "--from-to", "BlobBlob", is_signed_in=True)
    await assert_copied(source, target)


async def test_vhd_is_downloaded(cloud: Cloud, azcopy: AzCopy, source: Any, tmp_path: Path) -> None:
    """A downloaded VHD is equal byte for byte, its empty pages included."""
    file = tmp_path / "local.vhd"
    azcopy.run("copy", await signed(cloud, source, "rl"), str(file), "--from-to", "BlobLocal")
    assert file.stat().st_size == SIZE + 512
    assert hashlib.sha256(file.read_bytes()).hexdigest() == await digest(source)


async def test_vhd_is_uploaded(azcopy: AzCopy, target: Any, tmp_path: Path) -> None:
    """A local file becomes a page blob of the same content."""
    file = tmp_path / "local.vhd"
    file.write_bytes(b"b" * 4096 + bytes(MEBIBYTE) + b"f" * 512)
    azcopy.run("copy", str(file), target.url, "--from-to", "LocalBlob", "--blob-type", "PageBlob", is_signed_in=True)
    assert await content(target.download_blob()) == file.read_bytes()


async def test_log_is_copied_as_a_block_blob(cloud: Cloud, azcopy: AzCopy, source: Any) -> None:
    """A small block blob and one of several blocks go from account to account."""
    sizes = {"small.log": 1000, "large.log": 17 * MEBIBYTE}
    for name, size in sizes.items():
        log = cloud.blobs(SOURCE).get_blob_client(source.container_name, name)
        await done(log.upload_blob(name.encode() * (size // len(name))))
        copy = cloud.blobs(TARGET).get_blob_client(CONTAINER, name)
        azcopy.run("copy", log.url, copy.url, "--from-to", "BlobBlob", is_signed_in=True)
        assert await digest(copy) == await digest(log)


@pytest.mark.parametrize("right", ["token", "signature"])
async def test_container_is_listed(cloud: Cloud, azcopy: AzCopy, source: Any, right: str) -> None:
    """`azcopy list` names the blob and its size."""
    address = source.url if right == "token" else await signed(cloud, source, "rl")
    container = address.replace(f"/{NAME}", "")
    said = azcopy.run("list", container, "--location", "Blob", "--machine-readable", is_signed_in=right == "token")
    assert f"{NAME}; Content Length: {SIZE + 512}" in said
