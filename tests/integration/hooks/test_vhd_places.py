"""Where copies go: no two of them to the same place, and where they meet, nobody's work is lost."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from aib_emulator.settings import MEBIBYTE
from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.vhd_outputs import VhdOutputs
from airflow_aib.vhd.copy_options import CopyOptions
from tests.fakes import SteppedClock
from tests.integration.hooks.azure import QUICK, VHD, Azure
from tests.integration.hooks.vhd import DESTINATION, Vhd

if TYPE_CHECKING:
    from airflow_aib.vhd.copy_plan import VhdCopyResult

SHARED = "shared.vhd"
MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture
def two_vhds(azure: Azure) -> tuple[Vhd, Vhd]:
    """Leave VHDs of two image templates, of the same size and with the same pages allocated, but of other content."""
    blobs = azure.emulator.emulator.world.blobs
    vhds = []
    for name in ("one", "two"):
        making = blobs.put_sparse_vhd(
            "imagestore", "vhds", f"{name}.vhd", size_bytes=64 * MEBIBYTE, allocated_bytes=4 * MEBIBYTE, seed=name
        )
        azure.emulator.run(making)
        vhds.append(
            Vhd(Azure(azure.emulator, azure.service, name), blobs.blob_url("imagestore", "vhds", f"{name}.vhd"))
        )
    return vhds[0], vhds[1]


async def save(azure: Azure) -> VhdCopyResult:
    """Save the VHD of an image template's last run, as the operator does."""
    body = await azure.service.require_image_template(azure.image_template_id)
    outputs = VhdOutputs(azure.service, DESTINATION, logging.getLogger("tests"), CopyOptions())
    (result,) = await outputs.save(azure.image_template_id, body, None)
    return result


async def test_vhds_of_one_name_and_second_are_both_saved(azure: Azure) -> None:
    """Runs of two image templates that start in the same second leave files of the same name: both are kept."""
    templates = [azure, Azure(azure.emulator, azure.service, "other")]
    for template in templates:
        await template.create(VHD)
    azure.control.set_scale(0)
    for template in templates:
        await azure.service.start_run(template.image_template_id)
    azure.control.advance(HOUR)
    for template in templates:
        await azure.service.wait_until_over(template.image_template_id, poll_interval=QUICK)
    uris = [await template.vhd_uri() for template in templates]

    copies = await asyncio.gather(*map(save, templates))

    assert len({uri.rpartition("/")[2] for uri in uris}) == 1
    assert [copy.destination.rpartition("/images/vhds/")[2].partition("/")[0] for copy in copies] == ["base", "other"]
    for uri, copy in zip(uris, copies, strict=True):
        vhd = Vhd(azure, uri)
        assert await vhd.content(copy.destination) == await vhd.content()


async def test_the_copy_lies_in_the_folder_of_its_image_template_or_where_told(two_vhds: tuple[Vhd, Vhd]) -> None:
    """The VHD's name is kept, in a folder under the destination, unless another name is given."""
    vhd, _ = two_vhds
    kept = await vhd.copy()
    named = await vhd.copy(blob_name="golden/latest.vhd")

    assert kept.destination.endswith("/imagestore/images/vhds/one/one.vhd")
    assert named.destination.endswith("/imagestore/images/vhds/golden/latest.vhd")


async def test_a_copy_without_a_folder_still_counts(two_vhds: tuple[Vhd, Vhd]) -> None:
    """What an earlier release has copied to the file name alone is done, and what it has begun there goes on there."""
    done, begun = two_vhds
    earlier = await done.copy(blob_name=done.name, method="pages")
    await begun.interrupt(after=1, blob_name=begun.name, method="pages")

    results = [await vhd.copy(method="pages") for vhd in two_vhds]

    assert results[0].destination == earlier.destination
    assert results[0].copied_bytes == 0
    assert results[1].destination.endswith(f"/images/vhds/{begun.name}")
    assert 0 < results[1].copied_bytes < results[1].allocated_bytes
    assert await begun.content(results[1].destination) == await begun.content()


async def test_what_another_one_has_put_there_is_no_earlier_copy(two_vhds: tuple[Vhd, Vhd]) -> None:
    """A blob with the file name alone that is of another image template is neither touched nor taken for done."""
    vhd, other = two_vhds
    foreign = await other.copy(blob_name=vhd.name, method="pages")

    result = await vhd.copy(method="pages")

    assert result.destination.endswith(f"/images/vhds/one/{vhd.name}")
    assert await other.content(foreign.destination) == await other.content()


async def test_the_unfinished_copy_of_another_one_stays(two_vhds: tuple[Vhd, Vhd]) -> None:
    """What another task has begun is not replaced; the error says whose it is, and that one goes on."""
    vhd, other = two_vhds
    await other.interrupt(after=1, blob_name=SHARED, method="pages")

    with pytest.raises(VhdCopyError, match="an unfinished copy of VHD https") as caught:
        await vhd.copy(blob_name=SHARED, method="pages")
    result = await other.copy(blob_name=SHARED, method="pages")

    assert all(
        word in str(caught.value)
        for word in ("/imageTemplates/two, run output disk, run that started 2026-", "another destination")
    )
    assert 0 < result.copied_bytes < result.allocated_bytes
    assert await other.content(result.destination) == await other.content()


@pytest.mark.parametrize("method", ["pages", "copy_blob"])
async def test_of_two_who_begin_at_once_one_wins(two_vhds: tuple[Vhd, Vhd], method: str) -> None:
    """Both find nothing and make the blob: one copy is made, and the other task hears whose that is."""
    # So that both have looked before one of them is there.
    two_vhds[0].azure.control.plan_fault(method="PUT", path=SHARED, count=2, action="delay", seconds=0.5)

    ends = await asyncio.gather(
        *(vhd.copy(blob_name=SHARED, method=method) for vhd in two_vhds), return_exceptions=True
    )

    (lost,) = [end for end in ends if isinstance(end, BaseException)]
    (place,) = [place for place, end in enumerate(ends) if not isinstance(end, BaseException)]
    winner, loser = two_vhds[place], two_vhds[1 - place]
    assert isinstance(lost, VhdCopyError)
    assert f"copy of VHD {winner.uri}" in str(lost)
    url = str(lost.destination)
    assert await winner.content(url) == await winner.content() != await loser.content()


async def test_who_is_overwritten_meanwhile_writes_no_more(two_vhds: tuple[Vhd, Vhd]) -> None:
    """A copy that takes another one's place by leave has its own content only, and the other task fails."""
    loser, winner = two_vhds
    clock = SteppedClock()
    loser.clock = clock
    control = loser.azure.control
    control.plan_fault(method="PUT", path=SHARED, skip=2, count=None, status=503)
    copying = asyncio.create_task(loser.copy(blob_name=SHARED, method="pages", concurrency=1))
    while not control.requests(path=SHARED, status="503"):  # noqa: ASYNC110 - what is waited for happens elsewhere
        await asyncio.sleep(QUICK)
    control.clear_plans()

    result = await winner.copy(blob_name=SHARED, method="pages", overwrite=True)
    while not copying.done():
        await clock.advance(MINUTE)
        await asyncio.sleep(QUICK)

    with pytest.raises(VhdCopyError, match=f"copy of VHD {winner.uri}"):
        await copying
    assert await winner.content(result.destination) == await winner.content()
