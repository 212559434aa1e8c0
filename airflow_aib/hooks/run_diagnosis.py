"""Diagnose what lies in Azure: an image template's last run or creation, or a log wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive_place import blob_pieces
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.image_templates import provisioning_state
from airflow_aib.hooks.log_reading import read_log
from airflow_aib.hooks.run_report import read_report
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.storage_address import BlobAddress
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_creation, evidence_of_log
from airflow_aib.image_run.log_location import log_locations
from airflow_aib.image_run.run_status import read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.image_runs import ImageRuns
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.diagnosis import Diagnosis


async def diagnose_image_template(service: ImageRuns, image_template_id: str, log: TaskLog) -> Diagnosis:
    """Say what went wrong in an image template's last run, or in its creation."""
    body = await service.require_image_template(image_template_id)
    status = read_last_run_status(body)
    if status is not None:
        return (await read_report(service, image_template_id, status, log)).diagnose()
    if provisioning_state(body) == "Failed":
        return diagnose(evidence_of_creation(body.get("properties") or {}), service.clients.settings.masker)
    raise ArmRequestError(
        f"Image template {image_template_id} has never run, and its creation has not failed",
        hint="Run it first.",
        code="NoRun",
        target=image_template_id,
    )


async def diagnose_log(clients: AzureClients, target: str, properties: Mapping[str, Any] | None = None) -> Diagnosis:
    """Say what a log tells.

    :param clients: how Azure is reached
    :param target: its address, or its resource id as the service's messages write it
    :param properties: of the image template that left it, where they are known
    """
    blob = _find_blob(clients, target)
    if await blob.look() is None:
        raise ArmRequestError(
            f"There is no log {blob.address.url}",
            hint="Logs go with the image template; look into your archive.",
            code="BlobNotFound",
            target=blob.address.url,
            status=NOT_FOUND,
        )
    masker = clients.settings.masker
    read = await read_log(blob_pieces(blob), masker, target=blob.address.url)
    return diagnose(evidence_of_log(read, blob.address.file_name, properties), masker)


def _find_blob(clients: AzureClients, target: str) -> BlobFile:
    cloud = clients.settings.cloud
    if target.startswith("https://"):
        address = cloud.blob_address(target)
        return BlobFile(StorageAccess(clients, address.account_url), address)
    (location,) = log_locations(target)[:1]
    account_id = target.partition("/blobServices/")[0]
    url = cloud.blob_endpoint(location.account)
    return BlobFile(
        StorageAccess(clients, url, account_id=account_id), BlobAddress(url, location.container, location.blob_name)
    )
