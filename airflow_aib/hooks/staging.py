"""What lies in an image template's staging resource group: its storage account, the logs of its runs, its VHDs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import BlobFile, BlobPart
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.staging_account import OwnAccounts
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.hooks.storage_address import BlobAddress
from airflow_aib.image_run.log_location import log_locations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.staging_account import StagingAccounts, StorageAccount
    from airflow_aib.image_run.run_status import LastRunStatus

LOG_CONTAINER = "packerlogs"
VHD_CONTAINER = "vhds"
CUSTOMIZATION_LOG = "customization.log"
VALIDATION_LOG = "validation.log"

# Blob times are whole seconds, and the storage service's clock is not the image builder's.
CLOCK_SKEW = timedelta(seconds=5)
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class StagedBlob:
    """Describe a blob in the staging storage account.

    :param account: where it lies
    :param container: in which container
    :param name: of the blob
    :param size: bytes, when it was listed
    :param created_at: when it was made
    """

    account: StorageAccount
    container: str
    name: str
    size: int
    created_at: datetime | None = None

    @property
    def address(self) -> BlobAddress:
        """Where it lies."""
        return BlobAddress(self.account.account_url, self.container, self.name)

    @property
    def folder(self) -> str:
        """The folder in which it lies."""
        return self.name.rpartition("/")[0]

    @property
    def file_name(self) -> str:
        """Its name inside the folder."""
        return self.name.rpartition("/")[2]


class StagingArea:
    """Read the staging resource group of an image template.

    :param clients: how Azure is reached
    :param accounts: finds its storage account together with others; None means by itself
    """

    def __init__(self, clients: AzureClients, *, accounts: StagingAccounts | None = None) -> None:
        self.clients = clients
        self._accounts = accounts or OwnAccounts(clients)

    async def find_account(self, body: Mapping[str, Any]) -> StorageAccount | None:
        """Find the storage account; None while the image template has no staging resource group, or it is empty."""
        group_id = str((body.get("properties") or {}).get("exactStagingResourceGroup") or "")
        return await self._accounts.find(group_id) if group_id else None

    async def list_logs(self, account: StorageAccount) -> list[StagedBlob]:
        """List the logs of all runs."""
        return await self._list(account, LOG_CONTAINER)

    async def list_vhds(self, body: Mapping[str, Any]) -> list[StagedBlob]:
        """List the VHDs that runs have left here, the newest last."""
        account = await self.find_account(body)
        vhds = await self._list(account, VHD_CONTAINER) if account else []
        return sorted(vhds, key=lambda blob: (blob.created_at is not None, blob.created_at, blob.name))

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find the customization log of a run; None while there is none yet."""
        account = await self.find_account(body)
        return choose_customization_log(await self.list_logs(account), status) if account else None

    async def find_logs(self, body: Mapping[str, Any], status: LastRunStatus) -> list[StagedBlob]:
        """Find all the logs of a run: that of its customization, and of its validation if there is one."""
        account = await self.find_account(body)
        blobs = await self.list_logs(account) if account else []
        main = choose_customization_log(blobs, status)
        return [blob for blob in blobs if main is not None and blob.folder == main.folder]

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = MEBIBYTE) -> BlobPart:
        """Read what the log holds from an offset on, and how long it is; nothing when it has not grown."""
        return await self.file(log_file).read_part(offset, max_bytes)

    async def look_at(self, blob: StagedBlob) -> StagedBlob:
        """Describe the blob as it is now; one that is gone has no bytes."""
        facts = await self.file(blob).look()
        return replace(blob, size=facts.size, created_at=facts.created_at) if facts else replace(blob, size=0)

    def file(self, blob: StagedBlob) -> BlobFile:
        """Give the blob to work on."""
        return BlobFile(self._access(blob.account), blob.address)

    async def read_customization_log(
        self, body: Mapping[str, Any], status: LastRunStatus, *, max_bytes: int = 16 * MEBIBYTE
    ) -> str | None:
        """Read a run's customization log, or its last part when it is larger; None when there is none."""
        log_file = await self.find_customization_log(body, status)
        if log_file is None:
            return None
        start = max(0, (await self.look_at(log_file)).size - max_bytes)
        part = await self.read_log_from(log_file, start, max_bytes)
        return part.content.decode("utf-8", errors="replace")

    def _access(self, account: StorageAccount) -> StorageAccess:
        return StorageAccess(self.clients, account.account_url, account_id=account.resource_id)

    async def _list(self, account: StorageAccount, container: str) -> list[StagedBlob]:
        access = self._access(account)

        async def list_blobs() -> list[StagedBlob]:
            return [
                StagedBlob(account, container, str(item.name), int(item.size), item.creation_time)
                async for item in access.service.get_container_client(container).list_blobs()
            ]

        target = f"{account.account_url}/{container}"
        try:
            return await access.call(list_blobs, doing="list blobs of", target=target)
        except ArmRequestError as error:
            if error.status == NOT_FOUND:
                return []
            # Where somebody made the image template anew in the same group, it has another account now.
            self._accounts.forget(account)
            raise


def choose_customization_log(blobs: Iterable[StagedBlob], status: LastRunStatus) -> StagedBlob | None:
    """Choose a run's customization log among those of all runs.

    A failed run names its folder. Else it is the first log that was made after the run's start: the folders' names are
    no run's, and the next run's log is made later still. How long after the end it may be written, nobody promises.
    """
    logs = [blob for blob in blobs if blob.file_name == CUSTOMIZATION_LOG]
    named = _named_in(status.message, logs)
    if named is not None:
        return named
    started_at = status.started_at
    if started_at is None:
        return None
    own = [blob for blob in logs if blob.created_at is not None and blob.created_at >= started_at - CLOCK_SKEW]
    return min(own, key=lambda blob: (blob.created_at, blob.name), default=None)


def _named_in(message: str, logs: Sequence[StagedBlob]) -> StagedBlob | None:
    folders = {location.folder.lower() for location in log_locations(message)}
    return next((blob for blob in logs if blob.folder.lower() in folders), None)
