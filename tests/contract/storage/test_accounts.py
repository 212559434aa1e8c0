from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.contract.sdk_clients import GROUP, content, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

SENT = {"location": "West US", "sku": {"name": "Standard_GRS"}, "kind": "StorageV2", "tags": {"team": "images"}}


async def test_account_answers_where_its_blobs_are(cloud: Cloud) -> None:
    """A new account is ready, tells its blob endpoint, and is served there at once."""
    account = await finished(cloud.storage().storage_accounts.begin_create(GROUP, "freshstore", SENT))
    assert account.provisioning_state == "Succeeded"
    assert (account.location, account.sku.name, account.sku.tier) == ("westus", "Standard_GRS", "Standard")
    assert account.primary_endpoints.blob == f"{cloud.thread.emulator.blob_url}/freshstore/"
    assert await every(cloud.blobs("freshstore").list_containers()) == []


async def test_account_is_shown_as_it_was_made(cloud: Cloud) -> None:
    """GET answers what PUT did; a second PUT changes tags only where they were sent."""
    client = cloud.storage().storage_accounts
    made = await finished(client.begin_create(GROUP, "freshstore", SENT))
    again = await finished(client.begin_create(GROUP, "freshstore", {**SENT, "tags": {"team": "other"}}))
    found = await done(client.get_properties(GROUP, "freshstore"))
    assert found.as_dict() == again.as_dict()
    assert (made.tags, found.tags) == ({"team": "images"}, {"team": "other"})


async def test_accounts_are_listed_by_group_and_subscription(cloud: Cloud) -> None:
    """Both lists hold the accounts."""
    await cloud.make_account("freshstore")
    client = cloud.storage().storage_accounts
    for accounts in (client.list_by_resource_group(GROUP), client.list()):
        assert [account.name for account in await every(accounts)] == ["freshstore", "imagestore"]


async def test_update_changes_tags_and_properties(cloud: Cloud) -> None:
    """PATCH replaces the tags and those properties that are sent; null is as good as absent."""
    client = cloud.storage().storage_accounts
    change = {"tags": {"a": "b"}, "properties": {"allowSharedKeyAccess": False}}
    changed = await done(client.update(GROUP, "imagestore", change))
    assert (changed.tags, changed.allow_shared_key_access) == ({"a": "b"}, False)
    assert changed.allow_blob_public_access is False
    unchanged = await done(client.update(GROUP, "imagestore", {"properties": {"allowSharedKeyAccess": None}}))
    assert unchanged.allow_shared_key_access is False


def test_a_build_writes_on_while_keys_change(emulator: EmulatorThread) -> None:
    """Neither what is written while a key is replaced nor what is written later is signed with the old one."""
    blobs = emulator.emulator.world.blobs

    async def log_while_keys_change() -> bytes | None:
        for index in (0, 1, 0):
            await blobs.append_text("imagestore", "images", "build.log", "before\n")
            await asyncio.gather(
                blobs.regenerate_key("imagestore", index),
                blobs.append_text("imagestore", "images", "build.log", "meanwhile\n"),
            )
        return await blobs.get_blob("imagestore", "images", "build.log")

    assert emulator.run(log_while_keys_change()) == b"before\nmeanwhile\n" * 3
    emulator.control.reset()


def test_an_account_whose_deletion_breaks_off_can_be_deleted_again(emulator: EmulatorThread) -> None:
    """What has not been deleted to the end is still there."""
    blobs = emulator.emulator.world.blobs

    async def delete_twice() -> list[str]:
        deletion = asyncio.create_task(blobs.delete_account("imagestore"))
        for _ in range(5):
            await asyncio.sleep(0)
        deletion.cancel()
        await asyncio.wait({deletion})
        found = await blobs.list_containers("imagestore")
        await blobs.delete_account("imagestore")
        return found

    assert emulator.run(delete_twice()) == ["images"]
    emulator.control.reset()


async def test_keys_are_listed(cloud: Cloud) -> None:
    """There are two keys of full permission, also when Kerberos keys are asked for."""
    for expand in (None, "kerb"):
        answer = await done(cloud.storage().storage_accounts.list_keys(GROUP, "imagestore", expand=expand))
        keys = answer["keys"]
        assert [(key["keyName"], key["permissions"]) for key in keys] == [("key1", "FULL"), ("key2", "FULL")]
        assert keys[0]["value"] != keys[1]["value"]


async def test_unknown_key_cannot_be_regenerated(cloud: Cloud) -> None:
    """Only key1 and key2 exist."""
    with refused("InvalidValuesForRequestParameters", status=400):
        await done(cloud.storage().storage_accounts.regenerate_key(GROUP, "imagestore", {"keyName": "key3"}))


@pytest.mark.parametrize(
    ("name", "is_free", "reason"),
    [("stillfree", True, None), ("imagestore", False, "AlreadyExists"), ("No-Name", False, "AccountNameInvalid")],
)
async def test_name_can_be_checked(cloud: Cloud, name: str, is_free: bool, reason: str | None) -> None:
    """CheckNameAvailability says whether a name is free, and why not."""
    body = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
    answer = await done(cloud.storage().storage_accounts.check_name_availability(body))
    assert (answer.name_available, answer.reason) == (is_free, reason)


async def test_name_is_unique_in_all_groups(cloud: Cloud) -> None:
    """An account's name cannot be used again in another group."""
    cloud.put_group("other")
    with refused("StorageAccountAlreadyTaken", status=409):
        await finished(cloud.storage().storage_accounts.begin_create("other", "imagestore", SENT))


async def test_impossible_name_is_refused(cloud: Cloud) -> None:
    """A name with other characters than lower-case letters and digits is refused."""
    with refused("AccountNameInvalid", status=400):
        await finished(cloud.storage().storage_accounts.begin_create(GROUP, "Imagestore9", SENT))


async def test_missing_account_is_not_found(cloud: Cloud) -> None:
    """GET answers 404 and DELETE 204 for what is not there."""
    client = cloud.storage().storage_accounts
    with refused("ResourceNotFound", status=404):
        await done(client.get_properties(GROUP, "missing"))
    await done(client.delete(GROUP, "missing"))


async def test_deleted_group_takes_its_accounts_along(cloud: Cloud) -> None:
    """With the resource group its storage accounts and their blobs are gone."""
    group_id = cloud.put_group("staging")
    await finished(cloud.storage().storage_accounts.begin_create("staging", "stagingstore", SENT))
    await done(cloud.blobs("stagingstore").create_container("packerlogs"))
    cloud.on_emulator(cloud.thread.emulator.world.delete(group_id))
    with refused("ResourceNotFound", status=404):
        await every(cloud.blobs("stagingstore").list_containers())


async def test_containers_are_managed_over_arm(cloud: Cloud) -> None:
    """Containers made over ARM are those of the blob endpoint, and the other way round."""
    client = cloud.storage().blob_containers
    made = await done(client.create(GROUP, "imagestore", "vhds", {}))
    assert (made.name, made.public_access) == ("vhds", "None")
    assert (await done(client.get(GROUP, "imagestore", "vhds"))).id == made.id
    names = [item.name for item in await every(cloud.blobs("imagestore").list_containers())]
    assert [item.name for item in await every(client.list(GROUP, "imagestore"))] == names == ["images", "vhds"]
    await done(client.delete(GROUP, "imagestore", "vhds"))
    with refused("ContainerNotFound", status=404):
        await done(client.get(GROUP, "imagestore", "vhds"))


async def test_sparse_vhd_is_written_as_asked(cloud: Cloud) -> None:
    """A VHD of a build has the wanted length and allocated bytes, ends with its footer, and is repeatable."""
    blobs = cloud.thread.emulator.world.blobs
    mebibyte = 1024 * 1024
    for name, seed in (("a.vhd", "one"), ("b.vhd", "one"), ("c.vhd", "two")):
        writing = blobs.put_sparse_vhd(
            "imagestore", "vhds", name, size_bytes=64 * mebibyte, allocated_bytes=6 * mebibyte, seed=seed
        )
        cloud.on_emulator(writing)
    contents = []
    for name in ("a.vhd", "b.vhd", "c.vhd"):
        client = cloud.blobs("imagestore").get_blob_client("vhds", name)
        ranges = await every(client.list_page_ranges())
        assert sum(pages.end - pages.start + 1 for pages in ranges) == 6 * mebibyte
        assert (await done(client.get_blob_properties())).size == 64 * mebibyte + 512
        contents.append(await content(client.download_blob()))
    assert contents[0][:-512] == contents[1][:-512] != contents[2][:-512]
    assert contents[0][-512:-504] == b"conectix"


async def test_log_of_a_build_grows(cloud: Cloud) -> None:
    """What a build appends is read at once."""
    blobs = cloud.thread.emulator.world.blobs
    for text in ("first\n", "second\n"):
        cloud.on_emulator(blobs.append_text("imagestore", "packerlogs", "run/customization.log", text))
    client = cloud.blobs("imagestore").get_blob_client("packerlogs", "run/customization.log")
    assert await content(client.download_blob()) == b"first\nsecond\n"
    assert blobs.blob_url("imagestore", "packerlogs", "run/customization.log") == client.url
    assert cloud.on_emulator(blobs.get_blob("imagestore", "packerlogs", "missing")) is None
