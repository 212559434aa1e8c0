"""The Azure clouds: where each one manages resources, signs in and stores blobs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.hooks.storage_address import BlobAddress, ContainerAddress, split_blob_url

# One audience serves storage in every cloud.
STORAGE_SCOPE = "https://storage.azure.com/.default"


@dataclass(frozen=True)
class CloudSettings:
    """Hold where one Azure cloud is reached.

    :param name: Azure's name of the cloud, or `custom`
    :param resource_manager_endpoint: https address of Azure Resource Manager, without a slash at the end
    :param authority_host: https address of the sign-in service
    :param storage_suffix: what follows `<account>.blob.`; one with a port means path style, `https://<suffix>/<account>`
    :param dns_zone_suffix: what follows `<account>.z<number>.blob.` of accounts with Azure DNS zone endpoints; None
        where there are none
    :param portal: https address of the portal; None where there is none, and then there are no links
    :param ca_bundle: file of the certificate authorities to trust; None means the system's
    """

    name: str
    resource_manager_endpoint: str
    authority_host: str
    storage_suffix: str
    dns_zone_suffix: str | None = None
    portal: str | None = None
    ca_bundle: str | None = None

    @property
    def management_scope(self) -> str:
        """What a token for Resource Manager is asked for."""
        return f"{self.resource_manager_endpoint}/.default"

    @property
    def is_custom(self) -> bool:
        """Whether the cloud is not one of Microsoft's: then nothing of Microsoft's is asked about it."""
        return self.name == CUSTOM_CLOUD

    @property
    def has_path_style_storage(self) -> bool:
        """Whether accounts are the first part of the path instead of the host name."""
        return ":" in self.storage_suffix

    def blob_endpoint(self, account: str) -> str:
        """Give the address of a storage account's blob service."""
        if self.has_path_style_storage:
            return f"https://{self.storage_suffix}/{account}"
        return f"https://{account}.blob.{self.storage_suffix}"

    def container_address(self, destination: str) -> ContainerAddress:
        """Read a destination: `https://host[/account]/container[/prefix]` or `account/container[/prefix]`."""
        text = destination.strip().partition("?")[0]
        if "://" in text:
            account_url, parts = split_blob_url(text, is_path_style=self.has_path_style_storage)
            self._require_own_storage(account_url)
        else:
            account, *parts = [part for part in text.split("/") if part] or [""]
            account_url = self.blob_endpoint(account)
        if not parts:
            raise ImageTemplateError(
                f"Destination {text!r} names no container",
                hint="Write `account/container`, `account/container/prefix`, or the container's https address.",
            )
        return ContainerAddress(account_url=account_url, container=parts[0], prefix="/".join(parts[1:]))

    def blob_address(self, url: str) -> BlobAddress:
        """Read the https address of one blob; a signature in it is left out."""
        account_url, parts = split_blob_url(url, is_path_style=self.has_path_style_storage)
        self._require_own_storage(account_url)
        if len(parts) < 2:  # noqa: PLR2004 - a container and a blob
            raise ImageTemplateError(
                f"Address {account_url}/{'/'.join(parts)} names no blob",
                hint="A blob's address is `https://<account>/<container>/<blob>`.",
            )
        return BlobAddress(account_url=account_url, container=parts[0], blob="/".join(parts[1:]))

    def _require_own_storage(self, account_url: str) -> None:
        # A token that opens our storage must never be sent to a host outside it.
        host = urlsplit(account_url).netloc.lower()
        if not self._is_own_storage(host):
            raise ImageTemplateError(
                f"Address {account_url!r} lies outside the storage of cloud {self.name} (*.{self.storage_suffix})",
                hint="Use an address of this cloud, or a connection for the cloud that the address belongs to.",
            )

    def _is_own_storage(self, host: str) -> bool:
        suffix = self.storage_suffix.lower()
        if self.has_path_style_storage:
            return host == suffix
        return host.endswith(f".{suffix}") or (
            self.dns_zone_suffix is not None and host.endswith(f".blob.{self.dns_zone_suffix}")
        )


CUSTOM_CLOUD = "custom"

PUBLIC_CLOUD = CloudSettings(
    name="AzurePublicCloud",
    resource_manager_endpoint="https://management.azure.com",
    authority_host="https://login.microsoftonline.com",
    storage_suffix="core.windows.net",
    dns_zone_suffix="storage.azure.net",
    portal="https://portal.azure.com",
)
US_GOVERNMENT_CLOUD = CloudSettings(
    name="AzureUSGovernment",
    resource_manager_endpoint="https://management.usgovcloudapi.net",
    authority_host="https://login.microsoftonline.us",
    storage_suffix="core.usgovcloudapi.net",
    portal="https://portal.azure.us",
)
CHINA_CLOUD = CloudSettings(
    name="AzureChinaCloud",
    resource_manager_endpoint="https://management.chinacloudapi.cn",
    authority_host="https://login.chinacloudapi.cn",
    storage_suffix="core.chinacloudapi.cn",
    portal="https://portal.azure.cn",
)

# By every name in use, in lower case: that of the official Airflow provider, of the Azure CLI, and a short one.
CLOUDS: dict[str, CloudSettings] = {
    "azurepubliccloud": PUBLIC_CLOUD,
    "azurecloud": PUBLIC_CLOUD,
    "public": PUBLIC_CLOUD,
    "azureusgovernment": US_GOVERNMENT_CLOUD,
    "azureusgovernmentcloud": US_GOVERNMENT_CLOUD,
    "usgovernment": US_GOVERNMENT_CLOUD,
    "usgov": US_GOVERNMENT_CLOUD,
    "azurechinacloud": CHINA_CLOUD,
    "china": CHINA_CLOUD,
}
