"""Calls through the real SDKs, one after the other: each operation that the emulator serves, in an order that works."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import azure.mgmt.authorization
import azure.mgmt.authorization.aio
import azure.mgmt.compute
import azure.mgmt.compute.aio
import azure.mgmt.imagebuilder
import azure.mgmt.imagebuilder.aio
import azure.mgmt.msi
import azure.mgmt.msi.aio
import azure.mgmt.resource.deployments
import azure.mgmt.resource.deployments.aio
import azure.mgmt.resource.resources
import azure.mgmt.resource.resources.aio
import azure.mgmt.storage
import azure.mgmt.storage.aio
from azure.mgmt.authorization.models import Permission, RoleAssignmentCreateParameters, RoleDefinition

from aib_emulator.settings import EmulatorSettings
from tests.contract.image_builder.calls import document, group_id, to_managed_image
from tests.contract.sdk_clients import GROUP, done, every

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

CLIENTS = {
    "authorization": (
        azure.mgmt.authorization.AuthorizationManagementClient,
        azure.mgmt.authorization.aio.AuthorizationManagementClient,
    ),
    "compute": (azure.mgmt.compute.ComputeManagementClient, azure.mgmt.compute.aio.ComputeManagementClient),
    "deployments": (
        azure.mgmt.resource.deployments.DeploymentsMgmtClient,
        azure.mgmt.resource.deployments.aio.DeploymentsMgmtClient,
    ),
    "imagebuilder": (azure.mgmt.imagebuilder.ImageBuilderClient, azure.mgmt.imagebuilder.aio.ImageBuilderClient),
    "msi": (azure.mgmt.msi.ManagedServiceIdentityClient, azure.mgmt.msi.aio.ManagedServiceIdentityClient),
    "resources": (
        azure.mgmt.resource.resources.ResourceManagementClient,
        azure.mgmt.resource.resources.aio.ResourceManagementClient,
    ),
    "storage": (azure.mgmt.storage.StorageManagementClient, azure.mgmt.storage.aio.StorageManagementClient),
}
"""By package, the client in both flavours."""
SUBSCRIPTION = EmulatorSettings().subscription_id
GROUP_ID = group_id(SUBSCRIPTION)
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
PLACE = {"location": "eastus"}
TAGS = {"tags": {"a": "b"}}
IMAGE = f"{GROUP_ID}/providers/Microsoft.Compute/images"
DISK = {"osDiskImage": {"source": {"id": f"{GROUP_ID}/providers/Microsoft.Compute/disks/d"}}}
DEFINITION = {
    **PLACE,
    "properties": {
        "osType": "Linux",
        "osState": "Generalized",
        "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
    },
}
VERSION = {
    **PLACE,
    "properties": {"publishingProfile": {"targetRegions": [{"name": "eastus"}]}, "storageProfile": DISK},
}
MANAGED_IMAGE = {
    **PLACE,
    "properties": {
        "storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "blobUri": "https://a/b.vhd"}}
    },
}
ACCOUNT = {**PLACE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
ROLE_ID = "12345678-0000-4000-8000-00000000000a"
ASSIGNMENT_ID = "12345678-0000-4000-8000-00000000000b"
READER = f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
CUSTOM_ROLE = RoleDefinition(
    role_name="mine",
    permissions=[Permission(actions=["*/read"])],
    assignable_scopes=[SCOPE],
)
ASSIGNED = {"role_definition_id": READER, "principal_id": ROLE_ID, "principal_type": "User"}
ASSIGNMENT: Any = RoleAssignmentCreateParameters(**ASSIGNED)  # type: ignore[arg-type] # typed as its first version was
UBUNTU = ("eastus", "Canonical", "UbuntuServer", "18.04-LTS")
ONE_ASSIGNMENT = f"{GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT_ID}".lstrip("/")


class Step(NamedTuple):
    """One call.

    :param package: whose client
    :param operation: group and method
    :param arguments: what it is called with, in the order of its signature
    """

    package: str
    operation: str
    arguments: tuple[Any, ...] = ()


RESOURCES = (
    Step("resources", "resource_groups.create_or_update", ("new", PLACE)),
    Step("resources", "resource_groups.update", ("new", TAGS)),
    Step("resources", "resource_groups.get", ("new",)),
    Step("resources", "resource_groups.check_existence", ("new",)),
    Step("resources", "resource_groups.list"),
    Step("resources", "resource_groups.begin_delete", ("new",)),
    Step("resources", "resources.list"),
    Step("resources", "resources.list_by_resource_group", (GROUP,)),
    Step("resources", "resources.get_by_id", (f"{GROUP_ID}/providers/Microsoft.Compute/galleries/corp", "2024-03-03")),
    Step("resources", "resources.begin_create_or_update_by_id", (f"{IMAGE}/by-id", MANAGED_IMAGE, "2024-03-01")),
    Step("resources", "resources.begin_update_by_id", (f"{IMAGE}/by-id", TAGS, "2024-03-01")),
    Step("resources", "resources.begin_delete_by_id", (f"{IMAGE}/by-id", "2024-03-01")),
    Step("resources", "providers.list"),
    Step("resources", "providers.get", ("Microsoft.VirtualMachineImages",)),
    Step("resources", "providers.register", ("Microsoft.VirtualMachineImages",)),
)
IDENTITIES = (
    Step("msi", "user_assigned_identities.create_or_update", (GROUP, "mine", PLACE)),
    Step("msi", "user_assigned_identities.update", (GROUP, "mine", TAGS)),
    Step("msi", "user_assigned_identities.get", (GROUP, "mine")),
    Step("msi", "user_assigned_identities.list_by_resource_group", (GROUP,)),
    Step("msi", "user_assigned_identities.list_by_subscription"),
    Step("msi", "user_assigned_identities.delete", (GROUP, "mine")),
)
ROLES = (
    Step("authorization", "role_definitions.create_or_update", (SCOPE, ROLE_ID, CUSTOM_ROLE)),
    Step("authorization", "role_definitions.get", (SCOPE, ROLE_ID)),
    Step("authorization", "role_definitions.get_by_id", (READER.lstrip("/"),)),
    Step("authorization", "role_definitions.list", (SCOPE,)),
    Step("authorization", "role_definitions.delete", (SCOPE, ROLE_ID)),
    Step("authorization", "role_assignments.create", (GROUP_ID, ASSIGNMENT_ID, ASSIGNMENT)),
    Step("authorization", "role_assignments.get", (GROUP_ID, ASSIGNMENT_ID)),
    Step("authorization", "role_assignments.get_by_id", (ONE_ASSIGNMENT,)),
    Step("authorization", "role_assignments.list_for_scope", (GROUP_ID,)),
    Step("authorization", "role_assignments.list_for_subscription"),
    Step("authorization", "role_assignments.list_for_resource_group", (GROUP,)),
    Step(
        "authorization",
        "role_assignments.list_for_resource",
        (GROUP, "Microsoft.Storage", "storageAccounts", "imagestore"),
    ),
    Step("authorization", "role_assignments.delete", (GROUP_ID, ASSIGNMENT_ID)),
    Step("authorization", "role_assignments.create_by_id", (ONE_ASSIGNMENT, ASSIGNMENT)),
    Step("authorization", "role_assignments.delete_by_id", (ONE_ASSIGNMENT,)),
)
STORAGE = (
    Step("storage", "storage_accounts.check_name_availability", ({"name": "mystore"},)),
    Step("storage", "storage_accounts.begin_create", (GROUP, "mystore", ACCOUNT)),
    Step("storage", "storage_accounts.update", (GROUP, "mystore", TAGS)),
    Step("storage", "storage_accounts.get_properties", (GROUP, "mystore")),
    Step("storage", "storage_accounts.list"),
    Step("storage", "storage_accounts.list_by_resource_group", (GROUP,)),
    Step("storage", "storage_accounts.list_keys", (GROUP, "mystore")),
    Step("storage", "storage_accounts.regenerate_key", (GROUP, "mystore", {"keyName": "key1"})),
    Step("storage", "blob_containers.create", (GROUP, "mystore", "vhds", {})),
    Step("storage", "blob_containers.get", (GROUP, "mystore", "vhds")),
    Step("storage", "blob_containers.list", (GROUP, "mystore")),
    Step("storage", "blob_containers.delete", (GROUP, "mystore", "vhds")),
    Step("storage", "storage_accounts.delete", (GROUP, "mystore")),
)
COMPUTE = (
    Step("compute", "galleries.begin_create_or_update", (GROUP, "mine", PLACE)),
    Step("compute", "galleries.begin_update", (GROUP, "mine", TAGS)),
    Step("compute", "galleries.get", (GROUP, "mine")),
    Step("compute", "galleries.list"),
    Step("compute", "galleries.list_by_resource_group", (GROUP,)),
    Step("compute", "gallery_images.begin_create_or_update", (GROUP, "mine", "linux", DEFINITION)),
    Step("compute", "gallery_images.begin_update", (GROUP, "mine", "linux", TAGS)),
    Step("compute", "gallery_images.get", (GROUP, "mine", "linux")),
    Step("compute", "gallery_images.list_by_gallery", (GROUP, "mine")),
    Step("compute", "gallery_image_versions.begin_create_or_update", (GROUP, "mine", "linux", "1.0.0", VERSION)),
    Step("compute", "gallery_image_versions.begin_update", (GROUP, "mine", "linux", "1.0.0", TAGS)),
    Step("compute", "gallery_image_versions.get", (GROUP, "mine", "linux", "1.0.0")),
    Step("compute", "gallery_image_versions.list_by_gallery_image", (GROUP, "mine", "linux")),
    Step("compute", "gallery_image_versions.begin_delete", (GROUP, "mine", "linux", "1.0.0")),
    Step("compute", "gallery_images.begin_delete", (GROUP, "mine", "linux")),
    Step("compute", "galleries.begin_delete", (GROUP, "mine")),
    Step("compute", "images.begin_create_or_update", (GROUP, "img", MANAGED_IMAGE)),
    Step("compute", "images.begin_update", (GROUP, "img", TAGS)),
    Step("compute", "images.get", (GROUP, "img")),
    Step("compute", "images.list"),
    Step("compute", "images.list_by_resource_group", (GROUP,)),
    Step("compute", "images.begin_delete", (GROUP, "img")),
    Step("compute", "virtual_machine_images.list_publishers", UBUNTU[:1]),
    Step("compute", "virtual_machine_images.list_offers", UBUNTU[:2]),
    Step("compute", "virtual_machine_images.list_skus", UBUNTU[:3]),
    Step("compute", "virtual_machine_images.list", UBUNTU),
    Step("compute", "virtual_machine_images.list_with_properties", (*UBUNTU, "properties")),
    Step("compute", "virtual_machine_images.get", (*UBUNTU, "18.04.202401161")),
)
IMAGE_TEMPLATE = document(SUBSCRIPTION, distribute=[to_managed_image(SUBSCRIPTION)])
ONE = (GROUP, "tmpl1")
IMAGE_BUILDER = (
    Step("imagebuilder", "operations.list"),
    Step("imagebuilder", "virtual_machine_image_templates.begin_create_or_update", (*ONE, IMAGE_TEMPLATE)),
    Step("imagebuilder", "virtual_machine_image_templates.begin_update", (*ONE, TAGS)),
    Step("imagebuilder", "virtual_machine_image_templates.get", ONE),
    Step("imagebuilder", "virtual_machine_image_templates.list"),
    Step("imagebuilder", "virtual_machine_image_templates.list_by_resource_group", (GROUP,)),
    Step("imagebuilder", "virtual_machine_image_templates.begin_run", ONE),
    Step("imagebuilder", "virtual_machine_image_templates.list_run_outputs", ONE),
    Step("imagebuilder", "virtual_machine_image_templates.get_run_output", (*ONE, "image")),
    Step("imagebuilder", "triggers.begin_create_or_update", (*ONE, "t", {"properties": {"kind": "SourceImage"}})),
    Step("imagebuilder", "triggers.get", (*ONE, "t")),
    Step("imagebuilder", "triggers.list_by_image_template", ONE),
    Step("imagebuilder", "triggers.begin_delete", (*ONE, "t")),
    Step("imagebuilder", "virtual_machine_image_templates.begin_delete", ONE),
)
TOUR = (*RESOURCES, *IDENTITIES, *ROLES, *STORAGE, *COMPUTE, *IMAGE_BUILDER)
"""A cancel needs a run that goes on: `test_every_operation.py` makes it."""


async def carry_out(cloud: Cloud, steps: tuple[Step, ...]) -> None:
    """Make every call, wait for what takes its time, and read every list to its end."""
    clients = {package: cloud._manager(*CLIENTS[package]) for package in {step.package for step in steps}}
    for step in steps:
        group, _, method = step.operation.partition(".")
        operation = getattr(getattr(clients[step.package], group), method)
        # Some parameters are taken by name only.
        await whole(operation(**dict(zip(inspect.signature(operation).parameters, step.arguments, strict=False))))


async def whole(result: Any) -> Any:
    """Return all that a call gives: the result of a poller, the items of a list, or what it is."""
    result = await done(result)
    if hasattr(result, "polling_method"):
        return await done(result.result())
    if hasattr(result, "by_page"):
        return await every(result)
    return result
