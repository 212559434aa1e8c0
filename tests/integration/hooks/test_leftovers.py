from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ImageArtifactMissingError, ImageTemplateInUseError
from airflow_aib.hooks.archive import archive_logs
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.guards import refuse_losses, vhd_mark
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.leftovers import VHDS_SAVED_UNTIL, staged_losses
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.vhd_outputs import VhdOutputs
from airflow_aib.vhd.copy_options import CopyOptions
from tests.fakes import FakeClock
from tests.integration.hooks.azure import NAME, VHD

if TYPE_CHECKING:
    from typing import Any

    from airflow_aib.hooks.blob_facts import BlobFacts
    from airflow_aib.vhd.copy_plan import VhdCopyResult
    from tests.integration.hooks.azure import Azure

DESTINATION = "imagestore/images/saved"


async def copy_vhds(azure: Azure) -> list[VhdCopyResult]:
    """Copy the VHDs of the last run, as the operator does."""
    body = await azure.service.require_image_template(azure.image_template_id)
    outputs = VhdOutputs(azure.service, DESTINATION, logging.getLogger("tests"), options=CopyOptions())
    return await outputs.save(azure.image_template_id, body, None)


async def losses(azure: Azure) -> list[str]:
    """Give the kinds of what deleting the image template would lose."""
    body = await azure.service.require_image_template(azure.image_template_id)
    return sorted(loss.kind for loss in await staged_losses(StagingArea(azure.clients), body))


async def saved(azure: Azure, url: str) -> BlobFacts | None:
    """Look at a blob of ours."""
    address = azure.clients.settings.cloud.blob_address(url)
    return await BlobFile(StorageAccess(azure.clients, address.account_url), address).look()


def _own_address(azure: Azure, vhd_uri: str) -> str:
    """Give the address of a VHD's copy."""
    return azure.clients.settings.cloud.container_address(DESTINATION).blob(f"{NAME}/{vhd_uri.rpartition('/')[2]}").url


async def test_nothing_is_lost_when_everything_is_saved(azure: Azure) -> None:
    """After archive and copy, nothing in the staging resource group is unsaved."""
    await azure.build(VHD)
    assert await losses(azure) == ["log", "vhd"]

    await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    await copy_vhds(azure)

    assert await losses(azure) == []


async def test_the_vhd_of_an_earlier_run_is_not_forgotten(azure: Azure) -> None:
    """A failed run hides an earlier run's VHD from Azure's last run status, and not from the guard."""
    await azure.build(VHD)
    azure.control.plan_failure(kind="customizer")
    body, status = await azure.run()
    assert status.run_state == "Failed"
    await archive_logs(azure.service, azure.image_template_id, DESTINATION)
    body = await azure.service.require_image_template(azure.image_template_id)

    refuse_losses(azure.image_template_id, body)
    staged = await staged_losses(StagingArea(azure.clients), body)
    with pytest.raises(ImageTemplateInUseError, match=r"VHD https://.* is not saved"):
        refuse_losses(azure.image_template_id, body, staged=staged)
    refuse_losses(azure.image_template_id, body, staged=staged, discard_vhds=True)


async def test_the_next_copy_saves_what_an_earlier_one_left(azure: Azure) -> None:
    """Two runs, one copy: both VHDs lie in our storage, and the image template may go."""
    await azure.build(VHD)
    forgotten = await azure.vhd_uri()
    await azure.run()

    (own,) = await copy_vhds(azure)

    rescued = await saved(azure, _own_address(azure, forgotten))
    assert rescued is not None
    assert rescued.metadata["aib_sha256"]
    assert own.source != forgotten
    assert await losses(azure) == ["log", "log"]


async def test_a_vhd_that_cannot_be_saved_stays_unmarked(azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
    """A half-done leftover does not stop the copy of the last run's VHD, and is not called saved."""
    body, _ = await azure.build(VHD)
    staging = StagingArea(azure.clients)
    (vhd,) = await staging.list_vhds(body)
    broken = staging.file(vhd)
    await broken.client.upload_page(b"\0" * 512, vhd.size - 512, 512)
    await azure.run()

    assert len(await copy_vhds(azure)) == 1

    after: dict[str, Any] = await azure.service.require_image_template(azure.image_template_id)
    assert VHDS_SAVED_UNTIL not in after["tags"]
    assert "no VHD that Azure can use" in caplog.text
    assert "vhd" in await losses(azure)


async def test_a_failed_run_does_not_keep_an_earlier_vhd_from_being_saved(azure: Azure) -> None:
    """What the last run did not make is an error, once all that is there has been saved."""
    await azure.build(VHD)
    forgotten = await azure.vhd_uri()
    azure.control.plan_failure(kind="customizer")
    await azure.run()

    with pytest.raises(ImageArtifactMissingError, match="no artifact for 'disk'"):
        await copy_vhds(azure)

    rescued = await saved(azure, _own_address(azure, forgotten))
    assert rescued is not None
    assert rescued.metadata["aib_sha256"]
    assert await losses(azure) == ["log", "log"]


async def test_the_vhd_of_a_run_that_succeeded_in_part_is_saved(azure: Azure) -> None:
    """One distributor's failure does not keep the other's VHD from being copied and marked."""
    azure.control.plan_failure(kind="partial", index=1)
    _, status = await azure.build(VHD, {**VHD, "runOutputName": "second"})
    assert status.run_state == "PartiallySucceeded"

    with pytest.raises(ImageArtifactMissingError, match="no artifact for 'second'"):
        await copy_vhds(azure)

    after = await azure.service.require_image_template(azure.image_template_id)
    assert after["tags"][vhd_mark("disk")] == status.start_time
    assert vhd_mark("second") not in after["tags"]


async def test_the_log_of_a_validation_is_not_forgotten(azure: Azure) -> None:
    """All logs of earlier runs are saved, not only those of customizations."""
    await azure.create(validate={"inVMValidations": [{"type": "Shell", "inline": ["true"]}]})
    await azure.run()
    await azure.run()
    assert await losses(azure) == ["log"] * 4
    service = ImageTemplateService(azure.clients, clock=FakeClock())

    await archive_logs(service, azure.image_template_id, DESTINATION)

    assert await losses(azure) == []


async def test_the_next_archive_saves_what_an_earlier_one_left(azure: Azure) -> None:
    """Two runs, one archive: both logs lie in our storage."""
    body, status = await azure.build()
    forgotten = await StagingArea(azure.clients).find_customization_log(body, status)
    assert forgotten is not None
    await azure.run()
    assert await losses(azure) == ["log", "log"]

    archive = await archive_logs(azure.service, azure.image_template_id, DESTINATION)

    url = archive["location"].rpartition("/")[0] + f"/earlier/{forgotten.name}.gz"
    address = azure.clients.settings.cloud.blob_address(url)
    rescued = await BlobFile(StorageAccess(azure.clients, address.account_url), address).read(0, 1 << 24)
    assert len(gzip.decompress(rescued)) == (await StagingArea(azure.clients).look_at(forgotten)).size
    assert await losses(azure) == []


async def test_the_log_of_a_run_that_goes_on_is_a_part_of_that_loss(azure: Azure) -> None:
    """Who gives up a run gives up its log; that of the run before is another loss."""
    await azure.build()
    azure.control.set_scale(60)
    await azure.service.start_run(azure.image_template_id)

    assert await losses(azure) == ["log"]
