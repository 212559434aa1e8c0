from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.mgmt.msi
import azure.mgmt.msi.aio
import azure.mgmt.resource.resources
import azure.mgmt.resource.resources.aio
import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

PLACE = {"location": "West US"}


@pytest.fixture
def manager(cloud: Cloud) -> Any:
    """Make a client of Resource Manager."""
    return cloud._manager(
        azure.mgmt.resource.resources.ResourceManagementClient,
        azure.mgmt.resource.resources.aio.ResourceManagementClient,
    )


@pytest.fixture
def identities(cloud: Cloud) -> Any:
    """Make a client of managed identities."""
    return cloud._manager(
        azure.mgmt.msi.ManagedServiceIdentityClient, azure.mgmt.msi.aio.ManagedServiceIdentityClient
    ).user_assigned_identities


async def test_a_group_is_made_and_shown(manager: Any) -> None:
    """A new group has the location's short name and its tags; putting it again changes the tags."""
    groups = manager.resource_groups
    made = await done(groups.create_or_update("new", {**PLACE, "tags": {"a": "b"}}))
    assert (made.location, made.tags, made.properties.provisioning_state) == ("westus", {"a": "b"}, "Succeeded")
    await done(groups.create_or_update("new", PLACE))
    assert (await done(groups.get("NEW"))).tags == {}
    patched = await done(groups.update("new", {"tags": {"c": "d"}}))
    assert patched.tags == {"c": "d"}


async def test_whether_a_group_is_there(manager: Any) -> None:
    """Existence is asked with HEAD."""
    assert await done(manager.resource_groups.check_existence(GROUP)) is True
    assert await done(manager.resource_groups.check_existence("none")) is False


async def test_groups_are_listed_over_pages(manager: Any) -> None:
    """Every group is listed once."""
    for name in ("one", "two"):
        await done(manager.resource_groups.create_or_update(name, PLACE))
    assert [group.name for group in await every(manager.resource_groups.list())] == [GROUP, "one", "two"]


async def test_a_group_does_not_move(manager: Any) -> None:
    """A group keeps its location."""
    with refused("InvalidResourceGroupLocation", status=409):
        await done(manager.resource_groups.create_or_update(GROUP, PLACE))


async def test_an_unknown_location_is_refused(manager: Any) -> None:
    """There are only the locations that are listed."""
    with refused("LocationNotAvailableForResourceGroup", status=400):
        await done(manager.resource_groups.create_or_update("new", {"location": "atlantis"}))


async def test_deleting_a_group_deletes_what_is_in_it(manager: Any, cloud: Cloud) -> None:
    """With the group go its resources, and the blobs of its storage accounts."""
    await finished(manager.resource_groups.begin_delete(GROUP))
    with pytest.raises(ResourceNotFoundError):
        await done(manager.resource_groups.get(GROUP))
    assert await every(manager.resources.list()) == []
    await done(manager.resource_groups.create_or_update(GROUP, {"location": "eastus"}))
    await cloud.make_account("imagestore")
    assert await every(cloud.blobs("imagestore").list_containers()) == []


async def test_a_group_that_is_not_there(manager: Any) -> None:
    """The error is worded as Resource Manager words it."""
    with refused("ResourceGroupNotFound", status=404):
        await done(manager.resource_groups.get("none"))


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("resourceGroup eq 'images' and resourceType eq 'Microsoft.Compute/galleries'", ["corp"]),
        ("resourceType eq 'microsoft.storage/storageaccounts'", ["imagestore"]),
        ("name eq 'linux-base'", ["corp/linux-base"]),
        ("tagName eq 'none'", []),
        ("tagName eq 'owner' and tagValue eq 'me'", ["mine"]),
    ],
)
async def test_resources_are_found_by_condition(
    manager: Any, identities: Any, condition: str, names: list[str]
) -> None:
    """The filter narrows the list down."""
    await done(identities.create_or_update(GROUP, "mine", {"location": "eastus", "tags": {"owner": "me"}}))
    assert [found.name for found in await every(manager.resources.list(filter=condition))] == names


async def test_resources_of_a_group(manager: Any) -> None:
    """The list of a group holds its resources with type and location."""
    found = {item.type: item for item in await every(manager.resources.list_by_resource_group(GROUP))}
    assert "Microsoft.ManagedIdentity/userAssignedIdentities" in found
    assert {item.location for item in found.values()} == {"eastus"}


async def test_providers_name_their_api_versions(manager: Any) -> None:
    """The newest api-version of image templates comes first, and registering changes nothing."""
    for provider in (
        await done(manager.providers.get("Microsoft.VirtualMachineImages")),
        await done(manager.providers.register("microsoft.virtualmachineimages")),
    ):
        versions = {kind.resource_type: kind.api_versions for kind in provider.resource_types}
        assert versions["imageTemplates"][0] == "2025-10-01"
        assert provider.registration_state == "Registered"
    with refused("InvalidResourceNamespace"):
        await done(manager.providers.get("Microsoft.Nothing"))
    assert len(await every(manager.providers.list())) > 5


async def test_identities_are_made_shown_and_deleted(identities: Any) -> None:
    """An identity has a principal and a client of its own, the same as long as it exists."""
    made = await done(identities.create_or_update(GROUP, "mine", {"location": "eastus"}))
    found = await done(identities.get(GROUP, "MINE"))
    assert (found.principal_id, found.client_id) == (made.principal_id, made.client_id)
    assert made.principal_id != made.client_id
    patched = await done(identities.update(GROUP, "mine", {"tags": {"a": "b"}}))
    assert patched.tags == {"a": "b"}
    listed = await every(identities.list_by_resource_group(GROUP))
    assert [identity.name for identity in listed] == ["image-builder", "mine"]
    assert len(await every(identities.list_by_subscription())) == 2
    await done(identities.delete(GROUP, "mine"))
    with refused("ResourceNotFound", status=404):
        await done(identities.get(GROUP, "mine"))
    await done(identities.delete(GROUP, "mine"))


def test_subscriptions_tenants_and_locations(emulator: EmulatorThread) -> None:
    """What the command line asks for after signing in."""
    raw = RawArm(emulator)
    (subscription,) = raw.send("GET", "/subscriptions", api_version="2022-12-01").json()["value"]
    assert subscription["subscriptionId"] == raw.settings.subscription_id
    assert subscription["state"] == "Enabled"
    assert raw.send("GET", subscription["id"]).json() == subscription
    locations = raw.send("GET", "/locations", api_version="2022-12-01").json()["value"]
    assert {"eastus", "westus", "westeurope"} <= {location["name"] for location in locations}
    (tenant,) = raw.send("GET", "/tenants").json()["value"]
    assert tenant["tenantId"] == raw.settings.tenant_id


@pytest.mark.parametrize("condition", ["name ne 'x'", "rubbish"])
def test_an_unknown_condition_is_refused(emulator: EmulatorThread, condition: str) -> None:
    """A filter that the emulator cannot read is not ignored."""
    answer = RawArm(emulator).send("GET", "/resources", params={"$filter": condition})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFilterInQueryString")
