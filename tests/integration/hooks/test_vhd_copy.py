from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, VhdCopyError
from airflow_aib.hooks.vhd_marks import DIGEST_KEY
from airflow_aib.vhd.content_digest import digest_of
from airflow_aib.vhd.copy_plan import plan_copy
from airflow_aib.vhd.page_ranges import PAGE_SIZE, PageRange
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from airflow_aib.hooks.copy_progress import CopyProgress
    from tests.integration.hooks.vhd import Vhd


async def test_a_vhd_is_copied_byte_for_byte(vhd: Vhd) -> None:
    """Content, allocation, digest and metadata of the copy are right, and progress was told from 0 to 100 %."""
    result = await vhd.copy()

    original = await vhd.content()
    assert await vhd.content(result.destination) == original
    source, copy = vhd.file(vhd.uri), vhd.file(result.destination)
    ranges = await source.page_ranges()
    assert await copy.page_ranges() == ranges
    assert result.sha256 == digest_of(ranges, original)
    assert (result.length, result.allocated_bytes) == (len(original), sum(one.length for one in ranges))
    assert result.copied_bytes == result.allocated_bytes < result.length
    facts = await copy.look()
    assert facts is not None
    assert facts.metadata == {
        "aib_image_template": vhd.azure.image_template_id,
        "aib_run_start": "2026-01-05T03:00:42.169984039Z",
        "aib_run_output": "disk",
        "aib_source": vhd.uri,
        "aib_source_etag": result.source_etag,
        DIGEST_KEY: result.sha256,
    }
    assert (vhd.told[0].copied_bytes, vhd.told[-1].copied_bytes) == (0, result.allocated_bytes)


async def test_only_allocated_pages_travel(vhd: Vhd) -> None:
    """Beside making the blob and its last metadata there is one request for each piece of the plan."""
    result = await vhd.copy()

    plan = plan_copy(await vhd.file(vhd.uri).page_ranges(), result.length)
    assert vhd.azure.count("PUT", result.destination.rsplit("/", 1)[1]) == len(plan.pieces) + 2


async def test_each_piece_is_read_once(vhd: Vhd) -> None:
    """Both services vouch for the pieces: the source is read once, to digest it, and the copy not at all."""
    pieces = plan_copy(await vhd.file(vhd.uri).page_ranges(), len(await vhd.content())).pieces
    vhd.azure.control.forget_requests()

    await vhd.copy()

    footer = 1
    calls = vhd.azure.control.count_requests(by="path", method="GET", endpoint="blob")
    lists = vhd.azure.control.count_requests(method="GET", endpoint="blob")[
        "GET /{account}/{container}/{blob}?comp=pagelist"
    ]
    assert sum(calls.values()) - lists == len(pieces) + footer


async def test_what_comes_spoilt_is_read_again(vhd: Vhd) -> None:
    """A piece whose bytes have another checksum than the service computed is no piece."""
    vhd.clock = FakeClock()
    (first, *_) = plan_copy(await vhd.file(vhd.uri).page_ranges(), len(await vhd.content())).pieces
    footer_and_page_lists = 3
    vhd.azure.control.plan_fault(
        method="GET",
        path=r"\.vhd",
        skip=footer_and_page_lists,
        status=206,
        body="x" * first.length,
        headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
    )

    result = await vhd.copy(concurrency=1)

    assert await vhd.content(result.destination) == await vhd.content()


@pytest.mark.parametrize("fault", [{"status": 500}, {"action": "reset"}])
async def test_a_destination_that_was_made_unnoticed_is_used(vhd: Vhd, fault: dict[str, object]) -> None:
    """When the answer to making the blob is lost, the blob is recognised as ours."""
    vhd.azure.control.plan_fault(method="PUT", path="/imagestore/images/vhds", moment="after", **fault)

    result = await vhd.copy()

    assert await vhd.content(result.destination) == await vhd.content()


async def test_the_same_content_again_is_success(vhd: Vhd) -> None:
    """A copy that is there is verified, and nothing travels."""
    first = await vhd.copy()
    again = await vhd.copy()

    assert again.copied_bytes == 0
    assert (again.sha256, again.destination) == (first.sha256, first.destination)


async def test_other_content_is_an_error_unless_it_may_be_overwritten(vhd: Vhd) -> None:
    """What is there and differs is kept, until the user gives it up."""
    result = await vhd.copy()
    copy = vhd.file(result.destination)
    await copy.client.upload_page(b"\xff" * PAGE_SIZE, offset=0, length=PAGE_SIZE)

    with pytest.raises(VhdCopyError, match="other content") as caught:
        await vhd.copy()
    assert caught.value.destination == result.destination

    again = await vhd.copy(overwrite=True)
    assert again.copied_bytes == again.allocated_bytes
    assert await vhd.content(again.destination) == await vhd.content()


async def test_a_blob_of_another_kind_is_other_content(vhd: Vhd) -> None:
    """A text file of the same name is not overwritten."""
    result = await vhd.copy()
    await vhd.file(result.destination).client.upload_blob(b"text", blob_type="BlockBlob", overwrite=True)

    with pytest.raises(VhdCopyError, match="other content"):
        await vhd.copy()


async def test_a_copy_that_was_broken_off_goes_on(vhd: Vhd) -> None:
    """What the destination holds already does not travel again."""
    await vhd.interrupt(after=1)

    result = await vhd.copy()

    assert 0 < result.copied_bytes < result.allocated_bytes
    assert await vhd.content(result.destination) == await vhd.content()
    assert [told.copied_bytes for told in vhd.told if told.doing == "copied"][-1] == result.allocated_bytes
    assert vhd.told[-1].doing == "verified"


async def test_an_unfinished_copy_that_was_spoilt_is_mended(vhd: Vhd) -> None:
    """A piece of an unfinished copy into which somebody wrote is found by the comparison, and copied again."""
    await vhd.interrupt(after=1)
    copy = vhd.file(vhd.copy_url)
    (first, *_) = await copy.page_ranges()
    await copy.client.upload_page(b"\xff" * PAGE_SIZE, offset=first.offset, length=PAGE_SIZE)

    result = await vhd.copy()

    assert first.length <= result.copied_bytes <= result.allocated_bytes
    assert await vhd.content(result.destination) == await vhd.content()


async def test_pages_beside_the_source_are_not_kept(vhd: Vhd) -> None:
    """Where somebody wrote into an unfinished copy what the source does not have, the copy is made anew."""
    await vhd.interrupt(after=1)
    gap = (await vhd.file(vhd.uri).page_ranges())[0].end
    await vhd.file(vhd.copy_url).client.upload_page(b"\xff" * PAGE_SIZE, offset=gap, length=PAGE_SIZE)

    result = await vhd.copy()

    assert result.copied_bytes == result.allocated_bytes
    assert await vhd.content(result.destination) == await vhd.content()


async def test_an_unfinished_copy_of_an_older_vhd_is_replaced(vhd: Vhd) -> None:
    """When the source has changed since, its copy begins anew."""
    await vhd.interrupt(after=1)
    source = vhd.file(vhd.uri)
    (first, *_) = await source.page_ranges()
    await source.client.upload_page(b"\x07" * PAGE_SIZE, offset=first.offset, length=PAGE_SIZE)

    result = await vhd.copy()

    assert result.copied_bytes == result.allocated_bytes
    assert await vhd.content(result.destination) == await vhd.content()


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500}, {"status": 429}, {"action": "reset"}])
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
async def test_faults_are_borne_piece_by_piece(vhd: Vhd, method: str, fault: dict[str, object]) -> None:
    """A fault of storage costs a repetition of that piece, and nothing else."""
    vhd.clock = FakeClock()
    vhd.azure.control.plan_fault(method=method, path=r"\.vhd", count=2, **fault)

    result = await vhd.copy()

    assert await vhd.content(result.destination) == await vhd.content()


async def test_a_source_that_changes_meanwhile_is_not_mixed(vhd: Vhd) -> None:
    """A piece of another version of the source is refused, and the error says what to do."""
    body = {"error": {"code": "SourceConditionNotMet", "message": "The source was changed."}}
    vhd.azure.control.plan_fault(
        method="PUT",
        path="/imagestore/images/vhds",
        skip=2,
        status=412,
        body=body,
        headers={"x-ms-error-code": "SourceConditionNotMet"},
    )

    with pytest.raises(VhdCopyError, match="changed meanwhile"):
        await vhd.copy(concurrency=1)


async def test_a_source_that_changes_meanwhile_is_copied_anew(vhd: Vhd) -> None:
    """The version of the source that its copy began with is gone: it begins anew, with the new one."""
    (first, *_) = await vhd.file(vhd.uri).page_ranges()
    rewritten = asyncio.Event()

    async def rewrite() -> None:
        await vhd.file(vhd.uri).client.upload_page(b"\x07" * PAGE_SIZE, offset=first.offset, length=PAGE_SIZE)
        rewritten.set()

    def tell(_: CopyProgress) -> None:
        if len(changing) == 0:
            changing.append(asyncio.get_running_loop().create_task(rewrite()))

    changing: list[asyncio.Task[None]] = []
    vhd.azure.control.plan_fault(method="PUT", path="/imagestore/images/vhds", skip=1, count=4, status=503)
    vhd.listener = tell

    result = await vhd.copy()

    assert rewritten.is_set()
    original = await vhd.content()
    assert original[first.offset] == 7
    assert await vhd.content(result.destination) == original
    assert result.copied_bytes == result.allocated_bytes


async def test_half_an_answer_is_no_content(vhd: Vhd) -> None:
    """Who asks for a piece gets all of it, or an error; behind the end there is nothing."""
    source = vhd.file(vhd.uri)
    facts = await source.look()
    assert facts is not None

    assert await source.read(facts.size, PAGE_SIZE) == b""
    with pytest.raises(ArmRequestError, match=f"{PAGE_SIZE} of {2 * PAGE_SIZE} bytes"):
        await source.digest_piece(PageRange(facts.size - PAGE_SIZE, 2 * PAGE_SIZE), etag=facts.etag)


async def test_a_vhd_that_is_gone_is_reported(vhd: Vhd) -> None:
    """After the image template was deleted there is nothing to copy, and the error says why."""
    vhd.uri = vhd.uri.replace(".vhd", "-gone.vhd")

    with pytest.raises(VhdCopyError, match="no such VHD"):
        await vhd.copy()


async def test_what_is_no_vhd_is_not_copied(vhd: Vhd) -> None:
    """A page blob without a VHD's footer is refused before anything travels."""
    source = vhd.file(vhd.uri)
    facts = await source.look()
    assert facts is not None
    await source.client.upload_page(b"\0" * PAGE_SIZE, offset=facts.size - PAGE_SIZE, length=PAGE_SIZE)

    with pytest.raises(VhdCopyError, match="no VHD that Azure can use"):
        await vhd.copy()


async def test_a_container_that_is_not_there_is_named(vhd: Vhd) -> None:
    """Nothing is created behind the user's back."""
    with pytest.raises(VhdCopyError, match="Create the container first"):
        await vhd.copy("imagestore/absent")


async def test_a_destination_elsewhere_is_refused(vhd: Vhd) -> None:
    """No token is sent to a host outside the cloud's storage."""
    with pytest.raises(ImageTemplateError, match="outside"):
        await vhd.copy("https://store.example/images")
