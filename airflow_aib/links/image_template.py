"""Links from a task to what it works on in the Azure portal.

Airflow asks for them on the worker at the end of every leg, also when a task defers, and keeps the answer as XCom; the
last leg overwrites it. So a leg that does not know a resource answers with what an earlier leg has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.image_run.artifacts import ImageArtifact


@dataclass
class PortalResources:
    """Hold what the links of a task lead to; the operator fills it in as it learns.

    :param portal: https address of the cloud's portal; None where it has none
    :param tenant_id: directory to show it in
    :param image_template_id: resource id
    :param staging_resource_group_id: resource id
    :param image_version_id: resource id of the gallery image version
    :param is_resumed: whether an earlier leg of this try may have left links
    """

    portal: str | None = None
    tenant_id: str | None = None
    image_template_id: str | None = None
    staging_resource_group_id: str | None = None
    image_version_id: str | None = None
    is_resumed: bool = False

    def note_image_template(
        self, settings: AzureSettings, image_template_id: str, body: Mapping[str, Any] | None = None
    ) -> None:
        """Note what the task works on, and where the cloud's portal is."""
        self.portal, self.tenant_id = settings.cloud.portal, settings.tenant_id
        self.image_template_id = image_template_id
        staging = ((body or {}).get("properties") or {}).get("exactStagingResourceGroup")
        self.staging_resource_group_id = staging or self.staging_resource_group_id

    def note_artifacts(self, artifacts: Sequence[ImageArtifact]) -> None:
        """Note which gallery image version was made."""
        for artifact in artifacts:
            if artifact.kind == "SharedImage":
                self.image_version_id = artifact.artifact_id


def portal_url(resources: PortalResources, resource_id: str | None) -> str | None:
    """Give the portal's address of a resource; None where the portal or the resource is not known."""
    if not (resources.portal and resource_id):
        return None
    directory = f"@{resources.tenant_id}/" if resources.tenant_id else ""
    return f"{resources.portal}/#{directory}resource/{resource_id.strip('/')}"


class _PortalLink(BaseOperatorLink):
    """Lead to one of the resources that the operator has noted."""

    def resource_id(self, resources: PortalResources) -> str | None:
        """Choose the resource."""
        raise NotImplementedError

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Give the address; empty where there is none, which shows as a link that is switched off."""
        resources = getattr(operator, "portal_resources", None) or PortalResources()
        url = portal_url(resources, self.resource_id(resources))
        if url is None and resources.is_resumed:
            return self._left_by_earlier_leg(ti_key)
        return url or ""

    def _left_by_earlier_leg(self, ti_key: TaskInstanceKey) -> str:
        from airflow.sdk.execution_time.xcom import XCom

        return str(XCom.get_value(key=self.xcom_key, ti_key=ti_key) or "")


class AzureImageTemplateLink(_PortalLink):
    """Lead to the image template."""

    name = "Image template"

    def resource_id(self, resources: PortalResources) -> str | None:
        """Choose the image template."""
        return resources.image_template_id


class AzureStagingResourceGroupLink(_PortalLink):
    """Lead to the staging resource group, with the customization log and the VHD."""

    name = "Staging resource group"

    def resource_id(self, resources: PortalResources) -> str | None:
        """Choose the staging resource group."""
        return resources.staging_resource_group_id


class AzureGalleryImageVersionLink(_PortalLink):
    """Lead to the gallery image version that the run has made."""

    name = "Gallery image version"

    def resource_id(self, resources: PortalResources) -> str | None:
        """Choose the gallery image version."""
        return resources.image_version_id


IMAGE_TEMPLATE_LINKS: tuple[BaseOperatorLink, ...] = (
    AzureImageTemplateLink(),
    AzureStagingResourceGroupLink(),
    AzureGalleryImageVersionLink(),
)
"""What every task on an image template leads to."""
