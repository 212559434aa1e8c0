"""What a run leaves as VHDs: several at once, some where they were wanted, kept from changes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.guards import vhd_mark
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.vhd_outputs import VhdOutputs
from airflow_aib.hooks.vhd_verify import verify_vhd
from airflow_aib.vhd.copy_options import CopyOptions
from airflow_aib.vhd.page_ranges import PAGE_SIZE
from tests.integration.hooks.azure import VHD
from tests.integration.hooks.vhd import DESTINATION, Vhd

if TYPE_CHECKING:
    from airflow_aib.vhd.copy_plan import VhdCopyResult
    from tests.integration.hooks.azure import Azure

OTHER = {"type": "VHD", "runOutputName": "other"}


async def save(azure: Azure, destination: str = DESTINATION) -> list[VhdCopyResult]:
    """Save the VHDs of the last run, as the operator does."""
    body = await azure.service.require_image_template(azure.image_template_id)
    outputs = VhdOutputs(azure.service, destination, logging.getLogger("tests"), CopyOptions())
    return await outputs.save(azure.image_template_id, body, None)


async def tags(azure: Azure) -> dict[str, str]:
    """Read the image template's tags."""
    body = await azure.service.require_image_template(azure.image_template_id)
    return dict(body.get("tags") or {})


def own_address(azure: Azure) -> dict[str, str]:
    """Write a distributor that puts its VHD into the user's own account."""
    endpoint = azure.clients.settings.cloud.blob_endpoint("imagestore")
    return {"type": "VHD", "runOutputName": "own", "uri": f"{endpoint}/images/built/own.vhd"}


async def test_the_staging_account_keeps_no_vhds(azure: Azure) -> None:
    """A copy inside the account that goes with the image template would be lost with it, and counts for nothing."""
    body, _ = await azure.build(VHD)
    account = await StagingArea(azure.clients).find_account(body)
    assert account is not None

    with pytest.raises(VhdCopyError, match="goes with the image template"):
        await save(azure, f"{account.account_url}/vhds")

    assert vhd_mark("disk") not in await tags(azure)


async def test_vhds_are_copied_at_once(azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
    """Two VHDs are under way at the same time, each is marked, and the task's log says how far each is."""
    caplog.set_level(logging.INFO, "tests")
    _, status = await azure.build(VHD, OTHER)
    azure.control.forget_requests()

    copies = await save(azure)

    assert [copy.run_output_name for copy in copies] == ["disk", "other"]
    names = [copy.destination.rsplit("/", 1)[1] for copy in copies]
    touched = [call["path"].rsplit("/", 1)[1] for call in azure.control.requests(method="PUT", path="/images/vhds/")]
    assert touched.index(names[1]) < len(touched) - touched[::-1].index(names[0])
    marks = await tags(azure)
    assert {marks[vhd_mark(name)] for name in ("disk", "other")} == {status.start_time}
    for name in ("disk", "other"):
        begun, *_, ended = [text for text in caplog.messages if text.startswith(f"{name}: ")]
        assert begun.startswith(f"{name}: 0 bytes of ")
        assert " copied (100%)" in ended


async def test_a_vhd_that_cannot_be_saved_does_not_keep_the_others(azure: Azure) -> None:
    """The error of one is raised when the others are saved and marked."""
    await azure.build(VHD, OTHER)
    outputs = {
        item["name"]: item["properties"]["artifactUri"]
        for item in await azure.service.list_run_outputs(azure.image_template_id)
    }
    broken = Vhd(azure, outputs["disk"]).file(outputs["disk"])
    facts = await broken.look()
    assert facts is not None
    await broken.client.upload_page(b"\0" * PAGE_SIZE, offset=facts.size - PAGE_SIZE, length=PAGE_SIZE)

    with pytest.raises(VhdCopyError, match="no VHD that Azure can use"):
        await save(azure)

    marks = await tags(azure)
    assert vhd_mark("other") in marks
    assert vhd_mark("disk") not in marks


async def test_a_vhd_with_an_address_of_its_own_is_verified_there(azure: Azure) -> None:
    """What lies where it was wanted is read once and marked; nothing of it travels."""
    distributor = own_address(azure)
    await azure.build(distributor)
    azure.control.forget_requests()

    (result,) = await save(azure)

    assert (result.source, result.destination) == (distributor["uri"], distributor["uri"])
    assert (result.method, result.copied_bytes) == ("none", 0)
    assert azure.control.requests(method="PUT", endpoint="blob") == []
    assert vhd_mark("own") in await tags(azure)


async def test_a_vhd_that_was_cut_off_is_not_verified(azure: Azure) -> None:
    """An address at which no whole VHD lies is an error, and no mark is set."""
    distributor = own_address(azure)
    await azure.build(distributor)
    own = Vhd(azure, distributor["uri"]).file(distributor["uri"])
    facts = await own.look()
    assert facts is not None
    await own.client.resize_blob(facts.size - PAGE_SIZE)

    with pytest.raises(VhdCopyError, match=r"cannot be verified: .*no VHD that Azure can use"):
        await save(azure)
    assert vhd_mark("own") not in await tags(azure)


async def test_a_copy_is_verified_by_what_it_says(vhd: Vhd) -> None:
    """A copy's digest is in its metadata: whoever verifies it later compares with that."""
    result = await vhd.copy()
    copy = vhd.file(result.destination)
    assert (await verify_vhd(vhd.azure.clients, result.destination)).sha256 == result.sha256
    (first, *_) = await copy.page_ranges()
    await copy.client.upload_page(b"\xff" * PAGE_SIZE, offset=first.offset, length=PAGE_SIZE)

    with pytest.raises(VhdCopyError, match="its metadata says"):
        await verify_vhd(vhd.azure.clients, result.destination)


async def test_a_copy_is_retained_and_held(vhd: Vhd) -> None:
    """Where that is asked for, nobody can change the copy; copying again finds it so and does no harm."""
    far = timedelta(days=365 * 20)
    result = await vhd.copy(retain_for=far, legal_hold=True)
    again = await vhd.copy(retain_for=far, legal_hold=True)

    facts = await vhd.file(result.destination).look()
    assert facts is not None
    assert facts.has_legal_hold
    assert facts.retained_until is not None
    assert facts.retained_until > datetime.now(UTC) + far / 2
    calls = vhd.azure.control.count_requests(endpoint="blob")
    assert calls["PUT /{account}/{container}/{blob}?comp=immutabilityPolicies"] == 1
    assert calls["PUT /{account}/{container}/{blob}?comp=legalhold"] == 1
    assert again.copied_bytes == 0


@pytest.mark.parametrize(("is_locked", "mode"), [(True, "Locked"), (False, "Unlocked")])
async def test_a_retention_may_be_locked(vhd: Vhd, *, is_locked: bool, mode: str) -> None:
    """Whether somebody may take the retention back is what the copy's policy says."""
    result = await vhd.copy(retain_for=timedelta(minutes=5), lock_retention=is_locked)

    found = await vhd.file(result.destination).client.get_blob_properties()
    assert str(found.immutability_policy.policy_mode).lower() == mode.lower()


async def test_a_held_copy_is_not_overwritten(vhd: Vhd) -> None:
    """A hold is stronger than leave to overwrite, and the error says so."""
    await vhd.copy(legal_hold=True)
    (first, *_) = await vhd.file(vhd.uri).page_ranges()
    await vhd.file(vhd.uri).client.upload_page(b"\x07" * PAGE_SIZE, offset=first.offset, length=PAGE_SIZE)

    with pytest.raises(VhdCopyError, match="legal hold"):
        await vhd.copy(overwrite=True)
