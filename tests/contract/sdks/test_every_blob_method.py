"""Every method of the blob SDK that the emulator serves is called in both flavours."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient, ContentSettings

from tests.contract.sdk_clients import every
from tests.contract.sdks.tour import whole

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

PAGE = b"p" * 512
SETTINGS = ContentSettings(content_type="text/plain")
START = datetime.now(UTC) - timedelta(hours=1)


class Step(NamedTuple):
    """One call.

    :param client: `service`, `container` or the name of a blob
    :param method: of that client
    :param arguments: by position
    :param named: by name
    """

    client: str
    method: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it


TOUR = (
    Step("service", "create_container", ("other",)),
    Step("service", "list_containers"),
    Step("service", "get_account_information"),
    Step("service", "get_service_properties"),
    Step("service", "set_service_properties", (), {"target_version": "2021-12-02"}),
    Step("service", "get_user_delegation_key", (START, START + timedelta(hours=2))),
    Step("service", "delete_container", ("other",)),
    Step("container", "create_container"),
    Step("container", "exists"),
    Step("container", "get_account_information"),
    Step("container", "get_container_properties"),
    Step("container", "set_container_metadata", ({"a": "b"},)),
    Step("container", "set_container_access_policy", ({},)),
    Step("container", "get_container_access_policy"),
    Step("container", "acquire_lease", (15,), {"lease_id": "12345678-0000-4000-8000-000000000001"}),
    Step("container", "upload_blob", ("one", b"one")),
    Step("container", "upload_blob", ("two", b"two")),
    Step("container", "download_blob", ("one",)),
    Step("container", "list_blobs"),
    Step("container", "list_blob_names"),
    Step("container", "walk_blobs"),
    Step("container", "delete_blob", ("one",)),
    Step("block", "upload_blob", (b"hello",)),
    Step("block", "exists"),
    Step("block", "get_account_information"),
    Step("block", "get_blob_properties"),
    Step("block", "set_blob_metadata", ({"a": "b"},)),
    Step("block", "set_http_headers", (SETTINGS,)),
    Step("block", "set_blob_tags", ({"a": "b"},)),
    Step("block", "get_blob_tags"),
    Step("block", "set_standard_blob_tier", ("Cool",)),
    Step("block", "set_standard_blob_tier", ("Hot",)),
    Step("block", "create_snapshot"),
    Step("block", "download_blob"),
    Step("block", "stage_block", ("YQ==", b"hello")),
    Step("block", "get_block_list", ("all",)),
    Step("block", "commit_block_list", (["YQ=="],)),
    Step("block", "acquire_lease", (15,), {"lease_id": "12345678-0000-4000-8000-000000000001"}),
    Step("append", "create_append_blob"),
    Step("append", "append_block", (b"more",)),
    Step("page", "create_page_blob", (1024,)),
    Step("page", "upload_page", (PAGE, 0, 512)),
    Step("page", "get_page_ranges"),
    Step("page", "list_page_ranges"),
    Step("page", "clear_page", (0, 512)),
    Step("page", "resize_blob", (2048,)),
    Step("page", "set_sequence_number", ("update", "7")),
    Step("page", "delete_blob"),
)
ELSEWHERE = {
    "abort_copy": "storage/test_pending_copies.py::test_aborted_copy_leaves_an_empty_blob",
    "append_block_from_url": "storage/test_copies.py::test_log_is_appended_from_another_one",
    "delete_immutability_policy": "storage/test_immutability.py::test_policy_is_set_shown_and_deleted",
    "set_immutability_policy": "storage/test_immutability.py::test_policy_is_set_shown_and_deleted",
    "set_legal_hold": "storage/test_immutability.py::test_lifted_hold_frees_the_blob",
    "stage_block_from_url": "storage/test_copies.py::test_block_is_staged_from_a_range_of_another_blob",
    "start_copy_from_url": "storage/test_copies.py::test_copied_page_blob_is_its_own",
    "upload_blob_from_url": "storage/test_copies.py::test_blob_is_put_from_another_one",
    "upload_pages_from_url": "storage/test_copies.py::test_pages_are_copied_with_a_signed_source",
}
"""Copies and policies have tests of their own."""
NOT_SERVED = (
    "find_blobs_by_tags",
    "get_page_range_diff_for_managed_disk",
    "get_service_stats",
    "query_blob",
    "seal_append_blob",
    "set_premium_page_blob_tier",
    "set_premium_page_blob_tier_blobs",
    "set_standard_blob_tier_blobs",  # batches: the calls inside come without a signature that Azurite knows
    "delete_blobs",  # likewise
    "undelete_blob",
    "undelete_container",
)
LOCAL = ("close", "get_blob_client", "get_container_client")
"""These call nobody."""


# It is called all the same: users' code calls it.
@pytest.mark.filterwarnings("ignore:get_page_ranges is deprecated")
async def test_every_method_is_answered(cloud: Cloud) -> None:
    """No call of the tour fails, and a lease that is still held does not keep an account from being deleted."""
    service = cloud.blobs("imagestore")
    container = service.get_container_client("tour")
    clients = {"service": service, "container": container}
    for step in TOUR:
        client = clients.get(step.client) or container.get_blob_client(step.client)
        await whole(getattr(client, step.method)(*step.arguments, **step.named))
    cloud.thread.control.reset()
    assert [item.name for item in await every(cloud.blobs("imagestore").list_containers())] == ["images"]


@pytest.mark.parametrize("kind", [BlobServiceClient, ContainerClient, BlobClient])
def test_no_method_is_forgotten(kind: type) -> None:
    """Each method of a client is called, has tests of its own, or is listed as one that is not served."""
    methods = {name for name in dir(kind) if not name.startswith("_") and _is_method(kind, name)}
    assert methods - {step.method for step in TOUR} - set(ELSEWHERE) - set(NOT_SERVED) - set(LOCAL) == set()
    assert {step.method for step in TOUR} & set(NOT_SERVED) == set()


def _is_method(kind: type, name: str) -> bool:
    return inspect.isfunction(inspect.getattr_static(kind, name))
