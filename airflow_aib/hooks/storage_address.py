"""Addresses in blob storage, in the two styles in which an account is named."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from airflow_aib.exceptions import ImageTemplateError


@dataclass(frozen=True)
class ContainerAddress:
    """Name a place for blobs.

    :param account_url: https address of the account's blob service
    :param container: name of the container
    :param prefix: folder inside it without slashes at the ends; empty means the top
    """

    account_url: str
    container: str
    prefix: str = ""

    def blob(self, name: str) -> BlobAddress:
        """Give the address of a blob under the prefix."""
        return BlobAddress(self.account_url, self.container, f"{self.prefix}/{name}" if self.prefix else name)


@dataclass(frozen=True)
class BlobAddress:
    """Name one blob.

    :param account_url: https address of the account's blob service
    :param container: name of the container
    :param blob: name of the blob, as it is and not as an address spells it
    """

    account_url: str
    container: str
    blob: str

    @property
    def url(self) -> str:
        """The blob's address, without any signature."""
        return f"{self.account_url}/{self.container}/{quote(self.blob, safe='/~')}"

    @property
    def file_name(self) -> str:
        """The last part of the blob's name."""
        return self.blob.rsplit("/", 1)[-1]


def account_name(account_url: str) -> str:
    """Give the name of the account behind the address of its blob service, in either style."""
    parts = urlsplit(account_url)
    path = parts.path.strip("/")
    return path or (parts.hostname or "").split(".", 1)[0]


def split_blob_url(url: str, *, is_path_style: bool) -> tuple[str, list[str]]:
    """Split an https address into that of the account and the parts behind it; a signature is left out."""
    parts = urlsplit(url.strip())
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise ImageTemplateError(
            f"Storage address {parts._replace(query='', fragment='').geturl()!r} is no https address",
            hint="Storage is only reached over https, with the account in the address.",
        )
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    account_url = f"https://{parts.netloc}"
    if is_path_style and segments:
        account_url = f"{account_url}/{segments.pop(0)}"
    return account_url, segments
