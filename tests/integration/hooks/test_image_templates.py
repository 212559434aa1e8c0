from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_aib.exceptions import ArmRequestError, SourceImageError
from airflow_aib.hooks.image_builder import ImageTemplateService
from tests.fakes import FakeClock
from tests.integration.hooks.azure import GROUP, NAME, QUICK, Azure


def impatient(azure: Azure) -> ImageTemplateService:
    """Give the service with a clock that makes no one wait between repetitions."""
    return ImageTemplateService(azure.clients, clock=FakeClock())


async def test_an_image_template_lives_from_creation_to_deletion(azure: Azure) -> None:
    """It is submitted, provisioned with its staging resource group, listed, deleted and gone."""
    first = await azure.service.submit(azure.image_template_id, azure.document())
    body = await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)

    assert first["properties"]["provisioningState"] == "Creating"
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert "/resourceGroups/IT_" in body["properties"]["exactStagingResourceGroup"]
    assert [item["name"] for item in await azure.service.list_image_templates(GROUP)] == [NAME]
    assert [item["name"] for item in await azure.service.list_image_templates()] == [NAME]

    assert await azure.service.delete(azure.image_template_id) is True
    await azure.service.wait_until_deleted(azure.image_template_id, poll_interval=QUICK)
    assert await azure.service.get_image_template(azure.image_template_id) is None
    assert await azure.service.delete(azure.image_template_id) is False


async def test_lists_of_many_pages_are_read_to_the_end(azure: Azure) -> None:
    """A list is followed from page to page, with the image templates as the wire has them."""
    ids = [f"{azure.image_template_id}-{number:03d}" for number in range(105)]
    for image_template_id in ids:
        await azure.service.submit(image_template_id, azure.document())

    listed = await azure.service.list_image_templates(GROUP)

    assert len(listed) == len(ids)
    assert all("properties" in item for item in listed)


async def test_a_failed_creation_is_explained(azure: Azure) -> None:
    """Azure's code and words come with what to do, and the failed image template is still there to be deleted."""
    azure.control.plan_failure(kind="creation", code="BadPIRSource", message="The image was not found.")
    await azure.service.submit(azure.image_template_id, azure.document())

    with pytest.raises(SourceImageError, match="BadPIRSource: The image was not found"):
        await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)
    assert await azure.service.delete(azure.image_template_id) is True


async def test_a_creation_that_fails_for_another_reason_may_be_tried_again(azure: Azure) -> None:
    """An error of the service is not blamed on the document."""
    azure.control.plan_failure(kind="creation", code="ServerError", message="Internal error occurred.")
    await azure.service.submit(azure.image_template_id, azure.document())

    with pytest.raises(ArmRequestError, match=r"ServerError: Internal error occurred\. Often .* lacks a permission"):
        await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)


async def test_a_document_that_azure_refuses_is_reported(azure: Azure) -> None:
    """A refusal has Azure's code, words, status and request id."""
    with pytest.raises(ArmRequestError, match="ValidationFailed") as caught:
        await azure.service.submit(azure.image_template_id, azure.document({"type": "SharedImage"}))

    assert caught.value.status == 400
    assert caught.value.request_id


async def test_submitting_over_another_image_template_is_refused(azure: Azure) -> None:
    """Azure updates no image template, and the error says what to do instead."""
    await azure.create()

    with pytest.raises(ArmRequestError, match="delete it first") as caught:
        await azure.service.submit(azure.image_template_id, azure.document(buildTimeoutInMinutes=90))
    assert caught.value.code == "Conflict"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 504}, {"action": "reset"}])
async def test_a_lost_answer_to_a_submission_is_mended(azure: Azure, fault: dict[str, object], moment: str) -> None:
    """Whether the request was carried out or not: one image template is created, and nobody notices."""
    azure.control.plan_fault(method="PUT", path=f"imageTemplates/{NAME}$", moment=moment, **fault)

    await impatient(azure).submit(azure.image_template_id, azure.document())

    body = await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)
    assert body["properties"]["provisioningState"] == "Succeeded"


async def test_the_request_limit_makes_a_submission_wait(azure: Azure) -> None:
    """A 429 is waited out as Azure asks."""
    clock = FakeClock()
    azure.control.plan_fault(method="PUT", path="imageTemplates", status=429, headers={"Retry-After": "17"})

    await ImageTemplateService(azure.clients, clock=clock).submit(azure.image_template_id, azure.document())

    assert 17 <= clock.pauses[0] <= 17 * 1.1


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"status": 503}, {"action": "reset"}])
async def test_failed_looks_do_not_end_the_wait_for_provisioning(azure: Azure, fault: dict[str, object]) -> None:
    """Looks may fail while Azure creates an image template."""
    await azure.service.submit(azure.image_template_id, azure.document())
    azure.control.plan_fault(method="GET", path=f"imageTemplates/{NAME}", count=3, **fault)

    body = await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)

    assert body["properties"]["provisioningState"] == "Succeeded"


async def test_a_wait_is_bounded(azure: Azure) -> None:
    """An image template that stays Creating is an error, in a time that the caller chose."""
    azure.control.set_scale(0)
    await azure.service.submit(azure.image_template_id, azure.document())

    with pytest.raises(ArmRequestError, match=r"not provisioned within 0:00:00\.3.*Creating"):
        await azure.service.wait_until_provisioned(
            azure.image_template_id, poll_interval=QUICK, within=timedelta(seconds=0.3)
        )


async def test_tags_are_merged(azure: Azure) -> None:
    """Marks are added and removed without touching other people's tags."""
    await azure.service.submit(azure.image_template_id, {**azure.document(), "tags": {"owner": "team"}})
    await azure.service.wait_until_provisioned(azure.image_template_id, poll_interval=QUICK)

    await azure.service.merge_tags(azure.image_template_id, {"mark": "1"})
    assert (await azure.service.require_image_template(azure.image_template_id))["tags"] == {
        "owner": "team",
        "mark": "1",
    }
    body = await azure.service.merge_tags(azure.image_template_id, {"mark": None})
    assert body["tags"] == {"owner": "team"}


async def test_deleting_during_a_run_is_refused(azure: Azure) -> None:
    """Azure does not delete what runs, and the error says what to do."""
    await azure.create()
    azure.control.set_scale(1)
    await azure.service.start_run(azure.image_template_id)

    with pytest.raises(ArmRequestError, match="cancel its run") as caught:
        await azure.service.delete(azure.image_template_id)
    assert caught.value.code == "OperationNotAllowed"
