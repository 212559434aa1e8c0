"""Where a run's logs lie, as the service's message says it, in both of its forms."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BY_ADDRESS = re.compile(
    # The account stands in the host, or first in the path where a cloud of one's own has no names to spare.
    r"(?P<address>https?://(?:(?P<account>[a-z0-9]+)\.blob\.[^\s/]+|[^\s/]+/(?P<path_account>[a-z0-9]+))"
    rf"/(?P<container>[a-z0-9$-]+)/(?P<folder>{_GUID})/(?P<blob>[\w-]+\.log))"
)
_BY_RESOURCE_ID = re.compile(
    r"(?P<address>/subscriptions/[^\s/]+/resourceGroups/[^\s/]+/providers/Microsoft\.Storage"
    r"/storageAccounts/(?P<account>[a-z0-9]+)/blobServices/default/containers/(?P<container>[a-z0-9$-]+)"
    rf"/(?P<folder>{_GUID})/(?P<blob>[\w-]+\.log))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LogLocation:
    """Say where a log lies.

    :param account: storage account in the staging resource group
    :param container: `packerlogs`
    :param folder: one per run; not the run's operation id
    :param blob: `customization.log` or `validation.log`
    :param address: as the message wrote it: a URL, or a resource id
    """

    account: str
    container: str
    folder: str
    blob: str
    address: str

    @property
    def blob_name(self) -> str:
        """Name of the blob inside the container."""
        return f"{self.folder}/{self.blob}"


def log_locations(message: str) -> list[LogLocation]:
    """Find every place of a log that a message names, in its order and each once."""
    found = [match for pattern in (_BY_ADDRESS, _BY_RESOURCE_ID) for match in pattern.finditer(message)]
    places = (_location(match) for match in sorted(found, key=lambda match: match.start()))
    return list(dict.fromkeys(places))


def _location(match: re.Match[str]) -> LogLocation:
    groups = match.groupdict()
    account = groups["account"] or groups["path_account"]
    return LogLocation(account, groups["container"], groups["folder"], groups["blob"], groups["address"])
