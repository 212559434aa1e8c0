"""The built-in roles that a user of Image Builder meets, with Azure's own ids and permissions."""

from __future__ import annotations

from dataclasses import dataclass

from aib_emulator.services.authorization.permissions import Permissions

CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
BLOBS = f"{CONTAINERS}/blobs"
DELEGATION_KEY = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
USUAL = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Support/*",
)
"""What nearly every role of a single service has besides its own."""


@dataclass(frozen=True)
class BuiltinRole:
    """Describe a role that every subscription has.

    :param role_id: the same in all of Azure
    :param name: what people call it
    :param description: what it says about itself
    :param permissions: what it permits
    """

    role_id: str
    name: str
    description: str
    permissions: Permissions


BUILTIN_ROLES = (
    BuiltinRole(
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        Permissions(actions=("*",)),
    ),
    BuiltinRole(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage "
        "assignments in Azure Blueprints, or share image galleries.",
        Permissions(
            actions=("*",),
            not_actions=(
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
                "Microsoft.Blueprint/blueprintAssignments/write",
                "Microsoft.Blueprint/blueprintAssignments/delete",
                "Microsoft.Compute/galleries/share/action",
            ),
        ),
    ),
    BuiltinRole(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        Permissions(actions=("*/read",)),
    ),
    BuiltinRole(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        Permissions(actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*")),
    ),
    BuiltinRole(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        "Read and Assign User Assigned Identity",
        Permissions(actions=(f"{IDENTITIES}/*/read", f"{IDENTITIES}/*/assign/action", *USUAL)),
    ),
    BuiltinRole(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        "Create, Read, Update, and Delete User Assigned Identity",
        Permissions(actions=(f"{IDENTITIES}/read", f"{IDENTITIES}/write", f"{IDENTITIES}/delete", *USUAL)),
    ),
    BuiltinRole(
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "Storage Blob Data Reader",
        "Allows for read access to Azure Storage blob containers and data",
        Permissions(actions=(f"{CONTAINERS}/read", DELEGATION_KEY), data_actions=(f"{BLOBS}/read",)),
    ),
    BuiltinRole(
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        "Allows for read, write and delete access to Azure Storage blob containers and data",
        Permissions(
            actions=(f"{CONTAINERS}/delete", f"{CONTAINERS}/read", f"{CONTAINERS}/write", DELEGATION_KEY),
            data_actions=(
                f"{BLOBS}/delete",
                f"{BLOBS}/read",
                f"{BLOBS}/write",
                f"{BLOBS}/move/action",
                f"{BLOBS}/add/action",
            ),
        ),
    ),
    BuiltinRole(
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        "Allows for full access to Azure Storage blob containers and data, including assigning POSIX access control.",
        Permissions(actions=(f"{CONTAINERS}/*", DELEGATION_KEY), data_actions=(f"{BLOBS}/*",)),
    ),
)
