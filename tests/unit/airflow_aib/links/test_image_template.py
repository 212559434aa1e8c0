from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_aib.get_provider_info import get_provider_info
from airflow_aib.links.image_template import (
    AzureGalleryImageVersionLink,
    AzureImageTemplateLink,
    AzureStagingResourceGroupLink,
    PortalResources,
)
from airflow_aib.operators.image_run import AzureImageTemplateRunOperator

GROUP_ID = "/subscriptions/s/resourceGroups/images"
RESOURCES = PortalResources(
    portal="https://portal.azure.com",
    tenant_id="tenant",
    image_template_id=f"{GROUP_ID}/providers/Microsoft.VirtualMachineImages/imageTemplates/base",
    staging_resource_group_id="/subscriptions/s/resourceGroups/IT_images_base_1",
    image_version_id=f"{GROUP_ID}/providers/Microsoft.Compute/galleries/corp/images/base/versions/1.0.0",
)


@dataclass
class FakeOperator:
    """Be an operator that has noted what it works on."""

    portal_resources: PortalResources = field(default_factory=PortalResources)


def link_of(link: Any, resources: PortalResources) -> str:
    """Ask for a link as Airflow does on the worker."""
    return str(link.get_link(FakeOperator(resources), ti_key=None))


@pytest.mark.parametrize(
    ("link", "resource_id"),
    [
        (AzureImageTemplateLink(), RESOURCES.image_template_id),
        (AzureStagingResourceGroupLink(), RESOURCES.staging_resource_group_id),
        (AzureGalleryImageVersionLink(), RESOURCES.image_version_id),
    ],
)
def test_links_lead_to_the_resource(link: Any, resource_id: str) -> None:
    """Each link leads to its resource in the connection's tenant."""
    assert link_of(link, RESOURCES) == f"https://portal.azure.com/#@tenant/resource{resource_id}"


def test_links_lead_into_the_connections_cloud() -> None:
    """The portal is the cloud's own, and without a tenant the portal chooses one."""
    resources = PortalResources(portal="https://portal.azure.us", image_template_id="/subscriptions/s")

    assert link_of(AzureImageTemplateLink(), resources) == "https://portal.azure.us/#resource/subscriptions/s"


@pytest.mark.parametrize("resources", [PortalResources(), PortalResources(portal="https://portal.azure.com")])
def test_there_is_no_link_to_nowhere(resources: PortalResources) -> None:
    """Without a portal, or a resource, the link is empty, which Airflow shows as switched off."""
    assert link_of(AzureImageTemplateLink(), resources) == ""


def test_the_provider_lists_the_links_of_operators() -> None:
    """The provider info names the links that operators carry."""
    carried = {f"{type(link).__module__}.{type(link).__name__}" for link in _links()}

    assert carried == set(get_provider_info()["extra-links"])


def _links() -> list[Any]:
    return list(AzureImageTemplateRunOperator.operator_extra_links)
