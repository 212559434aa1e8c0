from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError
from tests.integration.hooks.azure import QUICK, Azure

SOON = timedelta(seconds=0.3)


async def test_what_is_there_is_not_waited_for(azure: Azure) -> None:
    """Resources of several kinds, and a resource group, are found with the api-version of their type."""
    await azure.service.wait_for_dependencies(
        [
            azure.group_id,
            azure.image_definition_id,
            f"{azure.group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-builder",
        ],
        poll_interval=QUICK,
    )


async def test_what_is_being_made_is_waited_for(azure: Azure) -> None:
    """A resource counts once its provisioning has succeeded."""
    await azure.service.submit(azure.image_template_id, azure.document())

    await azure.service.wait_for_dependencies([azure.image_template_id], poll_interval=QUICK)

    body = await azure.service.require_image_template(azure.image_template_id)
    assert body["properties"]["provisioningState"] == "Succeeded"


async def test_what_does_not_come_is_named(azure: Azure) -> None:
    """A resource that does not exist is waited for, and then named."""
    missing = azure.image_definition_id.replace("linux-base", "absent")

    with pytest.raises(ArmRequestError, match=r"absent.*does not exist"):
        await azure.service.wait_for_dependencies([missing], poll_interval=QUICK, within=SOON)


async def test_what_has_failed_is_not_waited_for(azure: Azure) -> None:
    """A resource that failed will not become ready by itself."""
    azure.control.plan_failure(kind="creation")
    await azure.service.submit(azure.image_template_id, azure.document())

    with pytest.raises(ArmRequestError, match="provisioning state is Failed"):
        await azure.service.wait_for_dependencies([azure.image_template_id], poll_interval=QUICK)


async def test_a_type_that_azure_does_not_know_is_named(azure: Azure) -> None:
    """A misspelt resource id is an error at once."""
    wrong = f"{azure.group_id}/providers/Microsoft.Compute/galeries/corp"

    with pytest.raises(ArmRequestError, match=r"Microsoft\.Compute/galeries"):
        await azure.service.wait_for_dependencies([wrong], poll_interval=QUICK, within=SOON)


async def test_what_is_no_resource_id_is_refused(azure: Azure) -> None:
    """A name is no resource id."""
    with pytest.raises(ImageTemplateError):
        await azure.service.wait_for_dependencies(["corp"], poll_interval=QUICK)
