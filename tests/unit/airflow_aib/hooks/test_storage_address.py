from __future__ import annotations

from contextlib import nullcontext
from urllib.parse import urlsplit

import pytest

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.hooks.clouds import CHINA_CLOUD, PUBLIC_CLOUD, US_GOVERNMENT_CLOUD, CloudSettings
from airflow_aib.hooks.storage_address import BlobAddress, ContainerAddress, account_name

LOCAL = CloudSettings("custom", "https://arm.example", "https://login.example", "127.0.0.1:9444")
STACK = CloudSettings("custom", "https://arm.example", "https://login.example", "stack.example")
EVERY_CLOUD = [PUBLIC_CLOUD, US_GOVERNMENT_CLOUD, CHINA_CLOUD, LOCAL, STACK]


@pytest.mark.parametrize(
    ("cloud", "endpoint"),
    [
        (PUBLIC_CLOUD, "https://store.blob.core.windows.net"),
        (US_GOVERNMENT_CLOUD, "https://store.blob.core.usgovcloudapi.net"),
        (LOCAL, "https://127.0.0.1:9444/store"),
    ],
)
def test_an_account_has_its_address_in_each_cloud(cloud: CloudSettings, endpoint: str) -> None:
    """The account stands in the host's name, or in the path where the suffix has a port."""
    assert cloud.blob_endpoint("store") == endpoint
    assert account_name(endpoint) == "store"


@pytest.mark.parametrize(
    ("cloud", "destination", "address"),
    [
        (PUBLIC_CLOUD, "store/box", ContainerAddress("https://store.blob.core.windows.net", "box")),
        (PUBLIC_CLOUD, "store/box/a/b/", ContainerAddress("https://store.blob.core.windows.net", "box", "a/b")),
        (
            PUBLIC_CLOUD,
            "https://store.blob.core.windows.net/box/a%20b",
            ContainerAddress("https://store.blob.core.windows.net", "box", "a b"),
        ),
        (
            PUBLIC_CLOUD,
            "https://store.z01.blob.storage.azure.net/box",
            ContainerAddress("https://store.z01.blob.storage.azure.net", "box"),
        ),
        (LOCAL, "store/box/a", ContainerAddress("https://127.0.0.1:9444/store", "box", "a")),
        (LOCAL, "https://127.0.0.1:9444/store/box/a", ContainerAddress("https://127.0.0.1:9444/store", "box", "a")),
    ],
)
def test_a_destination_is_read_in_both_forms(cloud: CloudSettings, destination: str, address: ContainerAddress) -> None:
    """A destination is an address, or account and container with a slash between."""
    assert cloud.container_address(destination) == address


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "store",
        "https://store.blob.core.windows.net",
        "https://store.blob.core.windows.net/",
        "http://store.blob.core.windows.net/box",
        "https://user:word@store.blob.core.windows.net/box",
    ],
)
def test_a_destination_without_a_container_or_without_tls_is_refused(destination: str) -> None:
    """What names no container, or is no plain https address, is an error."""
    with pytest.raises(ImageTemplateError):
        PUBLIC_CLOUD.container_address(destination)


@pytest.mark.parametrize("cloud", EVERY_CLOUD, ids=lambda cloud: f"{cloud.name}-{cloud.storage_suffix}")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "{suffix}.evil.example",
        "evil{suffix}",
        *(f"store.blob.{cloud.storage_suffix}" for cloud in EVERY_CLOUD),
        "store.z01.blob.storage.azure.net",
        "store.z01.blob.storage.azure.net.evil.example",
    ],
)
def test_tokens_stay_inside_the_clouds_storage(cloud: CloudSettings, host: str) -> None:
    """An address is refused before a token could be sent there, unless it lies in the storage of this very cloud."""
    own = [urlsplit(cloud.blob_endpoint("store")).netloc]
    own += ["store.z01.blob.storage.azure.net"] if cloud is PUBLIC_CLOUD else []
    host = host.format(suffix=cloud.storage_suffix)

    with nullcontext() if host in own else pytest.raises(ImageTemplateError, match="outside"):
        cloud.blob_address(f"https://{host}/box/disk.vhd")


def test_a_blob_keeps_its_name_and_loses_its_signature() -> None:
    """A blob's address is read without its signature, and written with its name encoded."""
    blob = PUBLIC_CLOUD.blob_address("https://store.blob.core.windows.net/vhds/a%20b/c%23.vhd?sig=secret")

    assert blob == BlobAddress("https://store.blob.core.windows.net", "vhds", "a b/c#.vhd")
    assert blob.url == "https://store.blob.core.windows.net/vhds/a%20b/c%23.vhd"
    assert blob.file_name == "c#.vhd"


def test_an_address_of_no_blob_is_refused() -> None:
    """An address that ends at the container names no blob."""
    with pytest.raises(ImageTemplateError, match="no blob"):
        PUBLIC_CLOUD.blob_address("https://store.blob.core.windows.net/vhds")


def test_errors_about_an_address_hold_no_signature() -> None:
    """The text of a refusal does not repeat what would open the blob."""
    with pytest.raises(ImageTemplateError) as caught:
        PUBLIC_CLOUD.blob_address("http://store.blob.core.windows.net/vhds/a?sig=secret")

    assert "secret" not in str(caught.value)


def test_a_container_puts_blobs_under_its_prefix() -> None:
    """A blob's name begins with the destination's prefix, if it has one."""
    assert ContainerAddress("https://s", "box", "a").blob("x.log").url == "https://s/box/a/x.log"
    assert ContainerAddress("https://s", "box").blob("x.log").url == "https://s/box/x.log"
