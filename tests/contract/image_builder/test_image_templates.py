from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.choices import CHOICES
from tests.contract.image_builder.calls import (
    NAME,
    ONE,
    SHELL,
    TO_VHD,
    Builder,
    as_json,
    create,
    document,
    group_id,
    to_gallery,
    to_managed_image,
)
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.raw_arm import RawArm
    from tests.contract.sdk_clients import Cloud


async def test_a_created_image_template_is_complete(builder: Builder) -> None:
    """Creating waits for the operation and gives the finished resource: version, staging group, identity filled in."""
    properties = (created := await builder.create())["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["source"]["exactVersion"] == "18.04.202401161"
    assert "/resourceGroups/IT_images_tmpl1_" in properties["exactStagingResourceGroup"]
    (identity,) = created["identity"]["userAssignedIdentities"].values()
    assert set(identity) == {"principalId", "clientId"}


async def test_the_staging_group_holds_a_storage_account(builder: Builder, cloud: Cloud) -> None:
    """The staging group is tagged with the image template and holds one account with a name of 24 characters."""
    created = await builder.create()
    staging = created["properties"]["exactStagingResourceGroup"].rpartition("/")[2]
    (account,) = await every(cloud.storage().storage_accounts.list_by_resource_group(staging))
    assert len(account["name"]) == 24
    group_id = ResourceId(builder.subscription_id, staging)
    group = cloud.thread.emulator.world.store.get(group_id)
    assert group is not None
    assert group.body["tags"] | {"createdBy": ""} == {
        "createdBy": "",
        "imageTemplateName": NAME,
        "imageTemplateResourceGroupName": GROUP,
    }


async def test_long_names_are_cut_in_the_staging_groups_name(builder: Builder) -> None:
    """Group and image template name together show 40 characters at most."""
    created = await builder.create("n" * 64)
    staging = created["properties"]["exactStagingResourceGroup"].rpartition("/")[2]
    assert staging.startswith(f"IT_{('images_' + 'n' * 64)[:40]}_")
    assert len(staging) == 3 + 40 + 1 + 36


async def test_a_given_staging_group_stays_when_the_image_template_goes(builder: Builder) -> None:
    """A group that was there before is used, emptied in the end, and kept."""
    world = builder.cloud.thread.emulator.world
    store = world.store
    own = ResourceId(builder.subscription_id, "own-staging")
    world.put_group(own, location="eastus", tags={"mine": "yes"})
    created = await builder.create(stagingResourceGroup=str(own))
    assert created["properties"]["exactStagingResourceGroup"].endswith("/own-staging")
    assert len(store.list_below(own)) == 1
    await builder.delete()
    group = store.get(own)
    assert group is not None
    assert group.body["tags"] == {"mine": "yes"}
    assert store.list_below(own) == []


async def test_a_given_staging_group_is_made_when_it_is_not_there(builder: Builder) -> None:
    """A group that the service has made under the given name goes with the image template."""
    store = builder.cloud.thread.emulator.world.store
    own = ResourceId(builder.subscription_id, "own-staging")
    await builder.create(stagingResourceGroup=str(own))
    assert len(store.list_below(own)) == 1
    await builder.delete()
    assert store.get(own) is None


async def test_scripts_are_downloaded_when_the_image_template_is_put(builder: Builder, cloud: Cloud) -> None:
    """A script that lies in this emulator comes back with the checksum of its content."""
    script = b"#!/bin/sh\necho from a file\n"
    container = cloud.blobs("imagestore").get_container_client("images")
    await done(container.upload_blob("setup.sh", script))
    uri = f"{cloud.thread.emulator.blob_url}/imagestore/images/setup.sh"
    created = await builder.create(customize=[{"type": "Shell", "scriptUri": uri}])
    assert created["properties"]["customize"][0]["sha256Checksum"] == hashlib.sha256(script).hexdigest()


async def test_a_script_elsewhere_has_a_stand_in_for_its_checksum(builder: Builder) -> None:
    """Without the Internet the checksum is that of the address."""
    uri = "https://example.com/setup.sh"
    created = await builder.create(customize=[{"type": "Shell", "scriptUri": uri}])
    assert created["properties"]["customize"][0]["sha256Checksum"] == hashlib.sha256(uri.encode()).hexdigest()


async def test_lists_hold_every_image_template(builder: Builder) -> None:
    """Both lists give all image templates, over as many pages as it takes."""
    names = ["one", "three", "two"]
    for name in reversed(names):
        await builder.create(name)
    by_group = await every(builder.image_templates.list_by_resource_group(GROUP))
    by_subscription = await every(builder.image_templates.list())
    assert [item["name"] for item in by_group] == [item["name"] for item in by_subscription] == names


async def test_tags_are_patched_at_once(builder: Builder) -> None:
    """A PATCH of tags answers the whole image template, and replaces the tags."""
    await builder.create()
    for tags in ({"a": "1", "b": "2"}, {"b": "3"}):
        patched = as_json(await finished(builder.image_templates.begin_update(GROUP, NAME, {"tags": tags})))
        assert patched["tags"] == tags
        assert patched["properties"]["provisioningState"] == "Succeeded"
    assert (await builder.get())["tags"] == {"b": "3"}


async def test_distributors_are_patched_all_together(builder: Builder) -> None:
    """A PATCH may change distributors, but must name each one again."""
    await builder.create(distribute=[to_gallery(builder.subscription_id), TO_VHD])
    change = to_gallery(builder.subscription_id, artifactTags={"a": "b"})
    with refused("ValidationFailed", status=400):
        await finished(builder.image_templates.begin_update(GROUP, NAME, {"properties": {"distribute": [change]}}))
    both = {"properties": {"distribute": [change, TO_VHD]}}
    patched = as_json(await finished(builder.image_templates.begin_update(GROUP, NAME, both)))
    assert patched["properties"]["distribute"][0]["artifactTags"] == {"a": "b"}


@pytest.mark.parametrize("patch", CHOICES["patch"].values)
async def test_the_vm_profile_can_be_patched(builder: Builder, emulator: EmulatorThread, patch: str) -> None:
    """A PATCH of the VM profile changes what it names, whether or not it has to be polled."""
    emulator.control.choose(patch=patch)
    await builder.create()
    change = {"properties": {"vmProfile": {"vmSize": "Standard_D4s_v5"}}}
    patched = as_json(await finished(builder.image_templates.begin_update(GROUP, NAME, change)))
    assert patched["properties"]["vmProfile"] == {"vmSize": "Standard_D4s_v5", "osDiskSizeGB": 0}


async def test_an_identity_is_replaced_by_null_and_empty(builder: Builder) -> None:
    """The old identity is set to null, a new one to an empty object; type None takes all away."""
    created = await builder.create()
    (old,) = created["identity"]["userAssignedIdentities"]
    gone = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {old: None}}}
    patched = as_json(await finished(builder.image_templates.begin_update(GROUP, NAME, gone)))
    assert patched["identity"]["userAssignedIdentities"] == {}
    none = {"identity": {"type": "None"}}
    assert as_json(await finished(builder.image_templates.begin_update(GROUP, NAME, none)))["identity"] == {
        "type": "None"
    }


@pytest.mark.parametrize(
    "identity",
    ["me", {"userAssignedIdentities": []}, {"type": "UserAssigned", "userAssignedIdentities": {"me": {}}}],
)
def test_a_senseless_identity_is_not_patched_in(raw: RawArm, identity: Any) -> None:
    """Identities are checked in a PATCH as in a PUT, and nothing changes when they make no sense."""
    create(raw)
    answer = raw.send("PATCH", ONE, {"tags": {"a": "b"}, "identity": identity})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationFailed")
    assert raw.send("GET", ONE).json()["tags"] == {}


async def test_deleting_takes_the_staging_group_along(builder: Builder) -> None:
    """With the image template go its staging group, its log and its VHD, and nothing else."""
    store = builder.cloud.thread.emulator.world.store
    before = {str(resource.id) for resource in store}
    await builder.create(distribute=[TO_VHD])
    await builder.run()
    account = store.list(resource_type="Microsoft.Storage/storageAccounts")[-1].id.name
    await builder.delete()
    with pytest.raises(ResourceNotFoundError):
        await builder.get()
    assert {str(resource.id) for resource in store} == before
    with pytest.raises(HttpResponseError):
        await every(builder.cloud.blobs(account).list_containers())


async def test_deleting_what_is_not_there_is_fine(builder: Builder) -> None:
    """An absent image template answers 204."""
    await builder.delete()


async def test_a_missing_image_template_is_not_found(builder: Builder) -> None:
    """The error is Resource Manager's."""
    with refused("ResourceNotFound", status=404):
        await builder.get()


async def test_an_existing_image_template_is_not_replaced(builder: Builder) -> None:
    """A second PUT is a conflict, even with the same content."""
    await builder.create()
    with refused("Conflict", status=409):
        await builder.create()


async def test_nonsense_is_refused_at_once(builder: Builder) -> None:
    """A document that makes no sense creates nothing."""
    with refused("ValidationFailed", status=400):
        await builder.create(customize=[{**SHELL, "inline": []}])
    with pytest.raises(ResourceNotFoundError):
        await builder.get()


async def test_an_unknown_identity_is_refused(builder: Builder) -> None:
    """An identity that does not exist cannot be assigned."""
    body = document(builder.subscription_id)
    unknown = f"{group_id(builder.subscription_id)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nobody"
    body["identity"]["userAssignedIdentities"] = {unknown: {}}
    with refused("FailedIdentityOperation"):
        await finished(builder.image_templates.begin_create_or_update(GROUP, NAME, body))


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (
            {"source": {"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s", "version": "latest"}},
            "BadPIRSource",
        ),
        ({"source": "managed image"}, "BadManagedImageSource"),
        ({"source": "gallery version"}, "BadSharedImageVersionSource"),
        ({"distribute": "gallery"}, "BadSharedImageDistribute"),
        ({"customize": "script"}, "NoCustomizerScript"),
    ],
)
async def test_what_does_not_exist_fails_the_creation(builder: Builder, properties: dict[str, Any], code: str) -> None:
    """The PUT is accepted, the operation fails, and the image template stays as Failed with the reason in it."""
    compute = f"{group_id(builder.subscription_id)}/providers/Microsoft.Compute"
    blobs = builder.cloud.thread.emulator.blob_url
    spelt_out = {
        "managed image": {"type": "ManagedImage", "imageId": f"{compute}/images/none"},
        "gallery version": {
            "type": "SharedImageVersion",
            "imageVersionId": f"{compute}/galleries/corp/images/linux-base/versions/9.9.9",
        },
        "gallery": [to_gallery(builder.subscription_id, "none")],
        "script": [{"type": "Shell", "scriptUri": f"{blobs}/imagestore/images/none.sh"}],
    }
    sent: dict[str, Any] = {
        name: spelt_out[value] if isinstance(value, str) else value for name, value in properties.items()
    }
    with refused(code):
        await builder.create(**sent)
    found = (await builder.get())["properties"]
    assert found["provisioningState"] == "Failed"
    assert found["provisioningError"]["provisioningErrorCode"] == code
    with refused("OperationNotAllowed"):
        await builder.start()
    await builder.delete()


async def test_a_gallery_version_can_be_the_source(builder: Builder) -> None:
    """`latest` of a gallery image is resolved to the newest version, which the first build has made."""
    await builder.create("first")
    await builder.run("first")
    definition = to_gallery(builder.subscription_id)["galleryImageId"]
    source = {"type": "SharedImageVersion", "imageVersionId": f"{definition}/versions/latest"}
    created = await builder.create("second", source=source, distribute=[to_managed_image(builder.subscription_id)])
    exact = created["properties"]["source"]["exactVersion"]
    assert exact.startswith(f"{definition}/versions/0.")


async def test_an_image_template_may_run_by_itself(builder: Builder) -> None:
    """With `autoRun` a run begins as soon as the image template is created."""
    created = await builder.create(autoRun={"state": "Enabled"})
    assert created["properties"]["autoRun"] == {"state": "Enabled"}
    assert (await builder.get())["properties"]["lastRunStatus"]["runState"] in {"Running", "Succeeded"}
