"""Copy Blob beside pieces: chosen where it wins, waited for, continued, ended, replaced by pieces where it fails."""

from __future__ import annotations

import asyncio

import pytest

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.blob_copying import STALLED_AFTER
from airflow_aib.hooks.vhd_marks import DIGEST_KEY
from airflow_aib.hooks.vhd_outputs import abort_copies
from tests.fakes import START, FakeClock
from tests.integration.hooks.azure import Azure
from tests.integration.hooks.vhd import DESTINATION, Vhd

SLOW = 1024 * 1024.0
"""Bytes in an emulated second: a VHD of 64 MiB takes a minute of them, which is a fraction of a real one."""


async def until_begun(vhd: Vhd, url: str = "") -> None:
    """Wait until storage copies by itself."""
    while True:
        present = await vhd.file(url or vhd.copy_url).look()
        if present is not None and present.is_being_copied:
            return
        await asyncio.sleep(0.05)


async def leave_copy_blob(vhd: Vhd, blob_name: str | None = None) -> None:
    """Have storage copy slowly, and watch it no more."""
    vhd.azure.control.set_copy_pace(SLOW / 1024)
    copying = asyncio.create_task(vhd.copy(blob_name=blob_name, method="copy_blob"))
    await until_begun(vhd, vhd.copy_url.replace(f"/{vhd.azure.name}/{vhd.name}", f"/{blob_name}") if blob_name else "")
    copying.cancel()
    await asyncio.wait({copying})


async def kept_by_user(vhd: Vhd) -> Vhd:
    """Copy a VHD to the user's account, and take that copy for the VHD: then both sides are in one account."""
    vhd.uri = (await vhd.copy("imagestore/images/first")).destination
    vhd.azure.control.forget_requests()
    return vhd


async def test_copy_blob_is_used_inside_an_account(vhd: Vhd) -> None:
    """One request has storage copy the whole VHD, which is then compared on both sides, and that is told too."""
    result = await (await kept_by_user(vhd)).copy()

    assert (result.method, result.copied_bytes) == ("copy_blob", result.allocated_bytes)
    assert (vhd.told[-1].doing, vhd.told[-1].copied_bytes) == ("verified", result.allocated_bytes)
    assert "PUT /{account}/{container}/{blob}?comp=page" not in vhd.azure.control.count_requests(endpoint="blob")
    assert await vhd.content(result.destination) == await vhd.content()


@pytest.mark.parametrize(("wanted", "used"), [("auto", "copy_blob"), ("pages", "pages")])
async def test_a_copy_inside_an_account_is_verified_like_any_other(vhd: Vhd, wanted: str, used: str) -> None:
    """By whatever way it came: same length, same digest as the copy before, and it says what it is a copy of."""
    first = await vhd.copy("imagestore/images/first")
    vhd.uri = first.destination

    result = await vhd.copy(method=wanted)

    present = await vhd.file(result.destination).look()
    assert present is not None
    assert (result.method, result.length, result.sha256) == (used, first.length, first.sha256)
    assert present.metadata[DIGEST_KEY] == first.sha256
    assert present.metadata["aib_source"] == first.destination
    assert await vhd.content(result.destination) == await vhd.content()


async def test_what_was_written_into_a_copy_blob_is_found(vhd: Vhd) -> None:
    """Nothing vouches for what Copy Blob has brought: both sides are read, and the source's bytes win."""
    await kept_by_user(vhd)
    vhd.azure.control.set_copy_pace(SLOW / 1024)
    first = asyncio.create_task(vhd.copy())
    await until_begun(vhd)
    first.cancel()
    await asyncio.wait({first})
    vhd.azure.control.advance(100_000)
    (pages, *_) = await vhd.file(vhd.uri).page_ranges()
    await vhd.file(vhd.copy_url).client.upload_page(b"\x07" * 512, offset=pages.offset, length=512)

    result = await vhd.copy()

    assert await vhd.content(result.destination) == await vhd.content()


async def test_pieces_are_used_between_accounts(vhd: Vhd) -> None:
    """Between accounts Copy Blob goes in the service's spare time: pieces are copied."""
    assert (await vhd.copy()).method == "pages"


@pytest.mark.parametrize("method", ["pages", "copy_blob"])
async def test_the_method_may_be_given(vhd: Vhd, method: str) -> None:
    """Whoever knows better says so; between accounts Copy Blob reads with a signature of the identity's own."""
    result = await vhd.copy(method=method)

    assert result.method == method
    assert await vhd.content(result.destination) == await vhd.content()
    assert vhd.azure.control.requests(path="listKeys$") == []


async def test_a_slow_copy_blob_is_waited_for(vhd: Vhd) -> None:
    """While storage copies, progress is told; then the copy is verified like any other."""
    vhd.azure.control.set_copy_pace(SLOW)

    result = await vhd.copy(method="copy_blob")

    assert any(0 < told.copied_bytes < result.length for told in vhd.told)
    assert await vhd.content(result.destination) == await vhd.content()


async def test_a_copy_blob_goes_on_without_us(vhd: Vhd) -> None:
    """A copy whose watcher was killed is waited for by the next, and not begun again."""
    vhd.azure.control.set_copy_pace(SLOW / 16)
    first = asyncio.create_task(vhd.copy(method="copy_blob"))
    await until_begun(vhd)
    first.cancel()
    await asyncio.wait({first})
    vhd.azure.control.set_copy_pace(1e12)
    vhd.azure.control.advance(3600)

    result = await vhd.copy(method="copy_blob")

    starts = vhd.azure.control.count_requests(endpoint="blob")["PUT /{account}/{container}/{blob}"]
    assert starts == 1
    assert result.method == "copy_blob"
    assert await vhd.content(result.destination) == await vhd.content()


async def test_pieces_take_over_where_copy_blob_is_not_wanted_any_more(vhd: Vhd) -> None:
    """Whoever asks for pieces does not wait for a Copy Blob that an earlier task has begun."""
    vhd.azure.control.set_copy_pace(SLOW / 1024)
    first = asyncio.create_task(vhd.copy(method="copy_blob"))
    await until_begun(vhd)
    first.cancel()
    await asyncio.wait({first})

    result = await vhd.copy(method="pages")

    assert result.method == "pages"
    assert await vhd.content(result.destination) == await vhd.content()


async def test_pieces_take_over_where_copy_blob_fails(vhd: Vhd) -> None:
    """Where the tool chose Copy Blob and that breaks, pieces are copied instead."""
    await kept_by_user(vhd)
    vhd.azure.control.set_copy_pace(SLOW, fail_at_bytes=1024)

    result = await vhd.copy()

    assert result.method == "pages"
    assert await vhd.content(result.destination) == await vhd.content()


async def test_pieces_take_over_where_copy_blob_is_refused(vhd: Vhd) -> None:
    """A refusal of Copy Blob is told, and pieces are copied."""
    await kept_by_user(vhd)
    vhd.azure.control.plan_fault(method="PUT", path="/imagestore/images/vhds", status=400)

    assert (await vhd.copy()).method == "pages"


async def test_pieces_take_over_where_copy_blob_stands_still(vhd: Vhd) -> None:
    """A copy that has made no progress for ten minutes is ended, once, and its pieces are copied."""
    await kept_by_user(vhd)
    vhd.azure.control.set_scale(0)
    vhd.azure.control.set_copy_pace(SLOW)
    vhd.clock = FakeClock()

    result = await vhd.copy()

    calls = vhd.azure.control.count_requests(endpoint="blob")
    assert calls["PUT /{account}/{container}/{blob}?comp=copy"] == 1
    assert (result.method, result.copied_bytes) == ("pages", result.allocated_bytes)
    assert vhd.clock.now() - START > STALLED_AFTER
    assert await vhd.content(result.destination) == await vhd.content()


async def test_a_copy_blob_that_was_asked_for_fails_loudly(vhd: Vhd) -> None:
    """Where the user has chosen Copy Blob, its end is the task's."""
    vhd.azure.control.set_copy_pace(SLOW, fail_at_bytes=1024)

    with pytest.raises(VhdCopyError, match="method='pages'"):
        await vhd.copy(method="copy_blob")


@pytest.mark.parametrize("has_folder", [True, False])
async def test_a_copy_blob_that_nobody_wants_is_ended(vhd: Vhd, *, has_folder: bool) -> None:
    """Storage does not go on copying for a task that a person has ended; a second time there is nothing to end."""
    await leave_copy_blob(vhd, blob_name=None if has_folder else vhd.name)

    ended = [await abort_copies(vhd.azure.service, vhd.azure.image_template_id, DESTINATION) for _ in range(2)]

    assert ended == [1, 0]
    result = await vhd.copy()
    assert result.destination.endswith(f"/vhds/base/{vhd.name}" if has_folder else f"/vhds/{vhd.name}")
    assert await vhd.content(result.destination) == await vhd.content()


async def test_a_copy_blob_of_another_one_goes_on(vhd: Vhd) -> None:
    """Whoever ends a copy does not end that of another image template's VHD under the same file name."""
    other = Vhd(Azure(vhd.azure.emulator, vhd.azure.service, "other"), vhd.uri)
    await leave_copy_blob(other, blob_name=vhd.name)

    assert await abort_copies(vhd.azure.service, vhd.azure.image_template_id, DESTINATION) == 0


async def test_a_copy_blob_of_an_older_vhd_is_ended_first(vhd: Vhd) -> None:
    """What storage still copies of a version that is gone makes room for the new one."""
    await leave_copy_blob(vhd)
    (first, *_) = await vhd.file(vhd.uri).page_ranges()
    await vhd.file(vhd.uri).client.upload_page(b"\x07" * 512, offset=first.offset, length=512)

    result = await vhd.copy(method="pages")

    assert await vhd.content(result.destination) == await vhd.content()
