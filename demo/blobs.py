"""Read blobs of the emulator with the plain Azure SDK, as any client would."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def blob_client(url: str, environment: Mapping[str, str]) -> BlobClient:
    """Return a client for the blob, signed in with what the emulator hands out in `environment`."""
    certificates = environment["REQUESTS_CA_BUNDLE"]
    credential = ClientSecretCredential(
        environment["AZURE_TENANT_ID"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_CLIENT_SECRET"],
        authority=environment["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=certificates,
    )
    return BlobClient.from_blob_url(url, credential=credential, connection_verify=certificates)


def blob_reader(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that reads the blob at a URL as text, also a compressed one."""

    def read_text(url: str) -> str:
        with blob_client(url, environment) as client:
            content: bytes = client.download_blob().readall()
        if url.endswith(".gz"):
            content = gzip.decompress(content)
        return content.decode("utf-8", errors="replace")

    return read_text
