"""What subscriptions, groups, locations and providers look like, and which conditions a list may have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import LOCATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aib_emulator.store import Resource

IMAGE_TEMPLATE_VERSIONS = (
    "2025-10-01",
    "2024-02-01",
    "2023-07-01",
    "2022-07-01",
    "2022-02-14",
    "2021-10-01",
    "2020-02-14",
)
PROVIDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Microsoft.Authorization": {
        "roleAssignments": ("2022-04-01", "2020-04-01-preview"),
        "roleDefinitions": ("2022-04-01", "2022-05-01-preview"),
    },
    "Microsoft.Compute": {
        "galleries": ("2026-03-03", "2024-03-03", "2021-10-01"),
        "galleries/images": ("2026-03-03", "2024-03-03", "2021-10-01"),
        "galleries/images/versions": ("2026-03-03", "2024-03-03", "2021-10-01"),
        "images": ("2026-04-01", "2024-11-01"),
    },
    "Microsoft.ContainerInstance": {"containerGroups": ("2023-05-01",)},
    "Microsoft.KeyVault": {"vaults": ("2023-07-01",)},
    "Microsoft.ManagedIdentity": {"userAssignedIdentities": ("2024-11-30", "2023-01-31")},
    "Microsoft.Network": {"virtualNetworks": ("2024-05-01",)},
    "Microsoft.Resources": {
        "deployments": ("2025-04-01", "2022-09-01"),
        "resourceGroups": ("2025-04-01", "2024-11-01"),
        "subscriptions": ("2022-12-01",),
    },
    "Microsoft.Storage": {"storageAccounts": ("2025-08-01", "2024-01-01", "2023-05-01")},
    "Microsoft.VirtualMachineImages": {
        "imageTemplates": IMAGE_TEMPLATE_VERSIONS,
        "imageTemplates/runOutputs": IMAGE_TEMPLATE_VERSIONS,
        "imageTemplates/triggers": ("2025-10-01", "2024-02-01", "2023-07-01", "2022-07-01"),
        "locations/operations": IMAGE_TEMPLATE_VERSIONS,
    },
}

FILTER = re.compile(
    r"\s*(?P<name>resourceGroup|resourceType|name|location|tagName|tagValue)\s+eq\s+'(?P<value>[^']*)'\s*",
    re.IGNORECASE,
)


def subscription_body(subscription_id: str, tenant_id: str) -> dict[str, Any]:
    """Return the subscription."""
    return {
        "id": f"/subscriptions/{subscription_id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription_id,
        "tenantId": tenant_id,
        "displayName": "Emulated subscription",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def location_body(subscription_id: str, name: str) -> dict[str, Any]:
    """Return one location."""
    display_name = LOCATIONS[name]
    return {
        "id": f"/subscriptions/{subscription_id}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": display_name,
        "regionalDisplayName": display_name,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    }


def provider_body(subscription_id: str, namespace: str) -> dict[str, Any] | None:
    """Return a resource provider with its types, or None when there is no such."""
    known = {name.lower(): name for name in PROVIDERS}.get(namespace.lower())
    if known is None:
        return None
    return {
        "id": f"/subscriptions/{subscription_id}/providers/{known}",
        "namespace": known,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": resource_type,
                "locations": list(LOCATIONS.values()),
                "apiVersions": list(api_versions),
                "capabilities": "SupportsTags, SupportsLocation",
            }
            for resource_type, api_versions in PROVIDERS[known].items()
        ],
    }


def knows_type(namespace: str, resource_type: str) -> bool:
    """Whether there is such a type, in any casing."""
    return bool(_api_versions(namespace, resource_type))


def newest_api_version(resource_id: str) -> str:
    """Return the newest api-version of the type of a resource."""
    namespace, *path = resource_id.rpartition("/providers/")[2].split("/")
    return next(iter(_api_versions(namespace, "/".join(path[::2]))), "2025-04-01")


def _api_versions(namespace: str, resource_type: str) -> tuple[str, ...]:
    types = next((types for name, types in PROVIDERS.items() if name.lower() == namespace.lower()), {})
    return next((versions for name, versions in types.items() if name.lower() == resource_type.lower()), ())


def listed(resource: Resource) -> dict[str, Any]:
    """Return a resource as generic lists show it."""
    body = {
        "id": resource.id.write(),
        "name": "/".join(resource.id.path[1::2]),
        "type": resource.id.resource_type,
        "location": resource.body.get("location"),
        "tags": resource.body.get("tags") or {},
    }
    return {**body, **{name: resource.body[name] for name in ("sku", "kind", "identity") if name in resource.body}}


def matcher(filter_text: str) -> Callable[[Resource], bool]:
    """Return the condition that `$filter` states: terms of `name eq 'value'` joined by `and`."""
    terms = []
    for part in re.split(r"\s+and\s+", filter_text, flags=re.IGNORECASE) if filter_text.strip() else []:
        match = FILTER.fullmatch(part)
        if match is None:
            raise ArmError(
                400, "InvalidFilterInQueryString", f"Invalid $filter '{filter_text}' specified in the query string."
            )
        terms.append((match["name"].lower(), match["value"].lower()))
    wanted = dict(terms)
    return lambda resource: all(_fits(resource, name, value, wanted) for name, value in terms)


def _fits(resource: Resource, name: str, value: str, wanted: Mapping[str, str]) -> bool:
    tags = {key.lower(): str(tag).lower() for key, tag in (resource.body.get("tags") or {}).items()}
    checks: dict[str, Callable[[], bool]] = {
        "resourcegroup": lambda: (resource.id.resource_group_name or "").lower() == value,
        "resourcetype": lambda: resource.id.resource_type.lower() == value,
        "name": lambda: resource.id.name.lower() == value,
        "location": lambda: str(resource.body.get("location", "")).replace(" ", "").lower() == value,
        "tagname": lambda: value in tags,
        "tagvalue": lambda: tags.get(wanted.get("tagname", "")) == value,
    }
    return checks[name]()
